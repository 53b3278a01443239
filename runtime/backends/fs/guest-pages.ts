/** The pages that a request of fsif's names: texts, and data of several pages. Mapped for the request alone, and read once. */

import type { GrantedMemory, GrantMapping } from '../../domain/granted-memory.ts';
import { XenError } from '../../errors.ts';
import { type MachineMemory, pageSize } from '../../memory/machine-memory.ts';

export class GuestPages {
  readonly #memory: MachineMemory;
  readonly #granted: GrantedMemory;

  constructor(memory: MachineMemory, granted: GrantedMemory) {
    this.#memory = memory;
    this.#granted = granted;
  }

  /** Texts that begin there, a char a byte; each must end in the page. */
  texts(reference: number, offsets: readonly number[]): string[] {
    const page = this.read([reference], pageSize);
    return offsets.map((offset) => {
      const end = offset < pageSize ? page.indexOf(0, offset) : -1;
      if (end < 0) throw new XenError('ENAMETOOLONG', `a text at ${offset} of a page`);
      return String.fromCharCode(...page.subarray(offset, end));
    });
  }

  read(references: readonly number[], count: number): Uint8Array {
    const bytes = new Uint8Array(count);
    this.#each(references, 'read', ({ host }, at) => {
      const part = Math.min(pageSize, count - at);
      bytes.set(this.#memory.bytes().subarray(host, host + part), at);
    });
    return bytes;
  }

  write(references: readonly number[], bytes: Uint8Array): void {
    this.#each(references, 'write', ({ host }, at) => {
      const part = bytes.subarray(at, at + pageSize);
      this.#memory.willWrite(host, part.length);
      this.#memory.bytes().set(part, host);
    });
  }

  #each(
    references: readonly number[],
    access: 'read' | 'write',
    use: (page: GrantMapping, at: number) => void,
  ): void {
    for (const [n, reference] of references.entries()) {
      const page = this.#granted.map(reference, access);
      try {
        use(page, n * pageSize);
      } finally {
        page.unmap();
      }
    }
  }
}

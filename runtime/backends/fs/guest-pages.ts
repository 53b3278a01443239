/**
 * The pages that a request of fsif's names: texts, and data of several pages. Front-ends use the same ones again and again, so those that may be
 * written stay mapped until the front-end is let go; others are mapped for the request alone.
 */

import type { GrantedAccess, GrantedMemory, GrantMapping } from '../../domain/granted-memory.ts';
import { XenError } from '../../errors.ts';
import { type MachineMemory, pageSize } from '../../memory/machine-memory.ts';

/** 2 MiB; more than the requests of a ring have. */
const mostKept = 512;

export class GuestPages {
  readonly #memory: MachineMemory;
  readonly #granted: GrantedMemory;
  readonly #kept = new Map<number, GrantMapping>();

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

  close(): void {
    for (const page of this.#kept.values()) page.unmap();
    this.#kept.clear();
  }

  #each(
    references: readonly number[],
    access: GrantedAccess,
    use: (page: GrantMapping, at: number) => void,
  ): void {
    for (const [n, reference] of references.entries()) {
      const kept = this.#kept.get(reference) ?? this.#keep(reference, access);
      if (kept !== undefined) use(kept, n * pageSize);
      else this.#useOnce(reference, access, (page) => use(page, n * pageSize));
    }
  }

  /** Undefined where it may not be written, or too many are kept. */
  #keep(reference: number, access: GrantedAccess): GrantMapping | undefined {
    if (this.#kept.size >= mostKept) return undefined;
    try {
      const page = this.#granted.map(reference, 'write');
      this.#kept.set(reference, page);
      return page;
    } catch (error) {
      if (access === 'read' && error instanceof XenError) return undefined;
      throw error;
    }
  }

  #useOnce(reference: number, access: GrantedAccess, use: (page: GrantMapping) => void): void {
    const page = this.#granted.map(reference, access);
    try {
      use(page);
    } finally {
      page.unmap();
    }
  }
}

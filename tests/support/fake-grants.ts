/** Pages that a test's front-end grants, in a machine's memory that it and the back-end share. */
import type {
  GrantedAccess,
  GrantedMemory,
  GrantMapping,
} from '../../runtime/domain/granted-memory.ts';
import { XenError } from '../../runtime/errors.ts';
import { type MachineMemory, pageSize } from '../../runtime/memory/machine-memory.ts';

export class FakeGrants implements GrantedMemory {
  /** How many mappings there are now, and how many there were. */
  mapped = 0;
  mappings = 0;
  readonly #memory: MachineMemory;
  readonly #pages = new Map<number, { readonly host: number; readonly access: GrantedAccess }>();
  #next = 8;

  constructor(memory: MachineMemory) {
    this.#memory = memory;
  }

  /** A new page, never beside the last one. */
  page(access: GrantedAccess = 'write'): { readonly gref: number; readonly host: number } {
    const host = this.#memory.allocate(2 * pageSize);
    return { gref: this.grant(host, access), host };
  }

  /** References of pages that lie side by side. */
  pages(count: number): readonly { readonly gref: number; readonly host: number }[] {
    const start = this.#memory.allocate(count * pageSize);
    return Array.from({ length: count }, (_, n) => {
      const host = start + n * pageSize;
      return { gref: this.grant(host, 'write'), host };
    });
  }

  /** Host offsets of all pages that are granted. */
  hosts(): number[] {
    return [...this.#pages.values()].map(({ host }) => host);
  }

  grant(host: number, access: GrantedAccess): number {
    this.#pages.set(this.#next, { host, access });
    return this.#next++;
  }

  map(reference: number, access: GrantedAccess): GrantMapping {
    const page = this.#pages.get(reference);
    if (page === undefined) throw new XenError('EINVAL', `no grant ${reference}`);
    if (access === 'write' && page.access === 'read')
      throw new XenError('EACCES', `grant ${reference} is for reading`);
    this.mapped++;
    this.mappings++;
    let isMapped = true;
    return {
      host: page.host,
      unmap: () => {
        if (!isMapped) throw new Error(`grant ${reference} is unmapped twice`);
        isMapped = false;
        this.mapped--;
      },
    };
  }
}

/** What an application grants, as Mini-OS's gnttab.c has it: references from a free list. */
import type { DomainGrants } from '../../domain/domain-grants.ts';
import { orPark, type Park } from './park.ts';

const mostFrame = 0xffff_ffffn;

export class Grants {
  readonly #grants: DomainGrants;
  /** References that are free; undefined until the first is asked for. */
  #free: number[] | undefined;

  constructor(grants: DomainGrants) {
    this.#grants = grants;
  }

  grantAccess(domid: number, frame: bigint, readOnly: boolean): number | Park<number> {
    return this.#take((reference) => {
      // A frame that is none of ours is refused to whoever uses it, as by Xen.
      const number = frame > mostFrame ? 0 : Number(frame);
      this.#grants.grant(reference, domid, number, readOnly ? 'read' : 'write');
    });
  }

  grantTransfer(domid: number): number | Park<number> {
    return this.#take((reference) => this.#grants.acceptTransfer(reference, domid));
  }

  /** False where it is in use. */
  endAccess(reference: number): boolean {
    if (!this.#grants.revoke(reference)) return false;
    this.#put(reference);
    return true;
  }

  endTransfer(reference: number): bigint {
    const frame = this.#grants.transferred(reference);
    if (this.#grants.revoke(reference)) this.#put(reference);
    return BigInt(frame ?? 0);
  }

  #take(use: (reference: number) => void): number | Park<number> {
    return orPark({
      what: 'a free grant reference',
      ask: () => {
        const reference = this.#list().pop();
        if (reference !== undefined) use(reference);
        return reference;
      },
      isHopeful: () => false,
    });
  }

  #put(reference: number): void {
    const free = this.#list();
    if (!free.includes(reference)) free.push(reference);
  }

  #list(): number[] {
    const { first, end } = this.#grants;
    this.#free ??= Array.from({ length: end - first }, (_, i) => end - 1 - i);
    return this.#free;
  }
}

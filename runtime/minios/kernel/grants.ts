/** What an application grants, as Mini-OS's gnttab.c has it: references from a free list. */
import type { DomainGrants } from '../../domain/domain-grants.ts';
import { orPark, type Park } from './park.ts';

const mostFrame = 0xffff_ffffn;

export class Grants {
  readonly #grants: DomainGrants;
  /** References that are free; undefined until the first is asked for. */
  #free: number[] | undefined;
  readonly #given = new Set<number>();

  constructor(grants: DomainGrants) {
    this.#grants = grants;
  }

  grantAccess(domid: number, frame: bigint, readOnly: boolean): number | Park<number> {
    return this.#take((reference) => this.#grant(reference, domid, frame, readOnly));
  }

  /** A frame that is none of ours is refused to whoever uses it, as by Xen. */
  #grant(reference: number, domid: number, frame: bigint, readOnly: boolean): void {
    this.#given.add(reference);
    const number = frame > mostFrame ? 0 : Number(frame);
    this.#grants.grant(reference, domid, number, readOnly ? 'read' : 'write');
  }

  /** All of them at once. */
  grantAll<T>(
    domid: number,
    frames: readonly bigint[],
    readOnly: boolean,
    then: (references: readonly number[]) => T,
  ): T | Park<T> {
    return orPark({
      what: `${frames.length} free grant references`,
      ask: () => {
        const list = this.#list();
        if (list.length < frames.length) return undefined;
        const references = list.splice(list.length - frames.length);
        for (const [i, reference] of references.entries())
          this.#grant(reference, domid, frames[i] ?? 0n, readOnly);
        return then(references);
      },
      isHopeful: () => false,
    });
  }

  grantTransfer(domid: number): number | Park<number> {
    return this.#take((reference) => {
      this.#given.add(reference);
      this.#grants.acceptTransfer(reference, domid);
    });
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
    if (this.#given.delete(reference)) this.#list().push(reference);
  }

  #list(): number[] {
    const { first, end } = this.#grants;
    this.#free ??= Array.from({ length: end - first }, (_, i) => end - 1 - i);
    return this.#free;
  }
}

/** Which accesses of a block check something: not those of which blocks before know that they pass. */
import type { Block, Statement } from '../../ir/value.ts';
import type { Mode } from '../../x86/registers.ts';
import { type AccessGroup, AccessGroups, isForWrite } from './access-groups.ts';
import { type Fact, type Facts, isWithin, nameOf, type Stretch } from './address-facts.ts';
import type { AddressSum, AddressSums } from './address-sums.ts';

/** Where a group of accesses lies. */
export interface Reach {
  /** Undefined where it is no sum of registers alone. */
  readonly name: number | undefined;
  readonly parts: AddressSum['parts'];
  readonly inside: Stretch;
  readonly writable: Stretch | undefined;
}

export class BlockChecks {
  readonly groups: AccessGroups;
  /** What is to be checked on the way to a block, by its address, since other ways there know it. */
  readonly ahead = new Map<bigint, readonly Fact[]>();
  /** The same where the call that ends it comes back. */
  behindCall: readonly Fact[] = [];
  /** The same where the function is entered, which begins with it. */
  atEntry: readonly Fact[] = [];
  readonly #inside = new Set<AccessGroup>();
  readonly #writable = new Set<AccessGroup>();
  readonly #block: Block;
  /** Places of statements; undefined until somebody asks. */
  #leaving: ReadonlySet<number> | undefined;

  constructor(block: Block, mode: Mode) {
    this.groups = new AccessGroups(block, mode);
    this.#block = block;
  }

  /** Whether a group is known to lie in the run. */
  isInside(group: AccessGroup): boolean {
    return this.#inside.has(group);
  }

  /** Whether what it writes is known to have no page flags. */
  isWritable(group: AccessGroup): boolean {
    return this.#writable.has(group);
  }

  /** Whether a load or store, by its place among the block's statements, may leave: only who checks does. */
  mayLeave(statement: number): boolean {
    this.#leaving ??= this.#findLeaving();
    return this.#leaving.has(statement);
  }

  /** Where the block's groups lie, as far as that can be said. */
  reaches(sums: AddressSums): ReadonlyMap<AccessGroup, Reach> {
    const reaches = new Map<AccessGroup, Reach>();
    for (const s of this.#block.statements) {
      const group = this.#groupOf(s);
      const reach = group === undefined || reaches.has(group) ? undefined : reachOf(group, sums);
      if (group !== undefined && reach !== undefined) reaches.set(group, reach);
    }
    return reaches;
  }

  /** Takes over what is known at the block's start. */
  know(facts: Facts, reaches: ReadonlyMap<AccessGroup, Reach>): void {
    if (facts.size === 0) return;
    for (const [group, reach] of reaches) {
      const fact = factOf(reach, facts);
      if (isWithin(reach.inside, fact?.inside)) this.#inside.add(group);
      if (isWithin(reach.writable, fact?.writable)) this.#writable.add(group);
    }
    this.#leaving = undefined;
  }

  /** Of each group the first access checks where it lies, and the first that writes looks at flags. */
  #findLeaving(): ReadonlySet<number> {
    const leaving = new Set<number>();
    const checked = new Set(this.#inside);
    const looked = new Set(this.#writable);
    this.#block.statements.forEach((s, i) => {
      const group = this.#groupOf(s);
      if (group === undefined) return;
      const writes = s.kind === 'store' || (s.kind === 'load' && isForWrite(s.value));
      if (!checked.has(group) || (writes && !looked.has(group))) leaving.add(i);
      checked.add(group);
      if (writes) looked.add(group);
    });
    return leaving;
  }

  /** Of a load or store. */
  #groupOf(s: Statement): AccessGroup | undefined {
    if (s.kind === 'load') return this.groups.ofLoad(s).group;
    return s.kind === 'store' ? this.groups.ofStore(s).group : undefined;
  }
}

const factOf = ({ name }: Reach, facts: Facts): Fact | undefined =>
  name === undefined ? undefined : facts.get(name);

/** Beyond that numbers are not exact. */
const mostOffset = 2 ** 50;

function reachOf({ root, least, end, written }: AccessGroup, sums: AddressSums): Reach | undefined {
  const { parts, plus } = root === undefined ? { parts: [], plus: 0 } : sums.of(root);
  const stretch = (range: { readonly least: bigint; readonly end: bigint }): Stretch => ({
    least: plus + Number(range.least),
    end: plus + Number(range.end),
  });
  const inside = stretch({ least, end });
  if (Math.abs(inside.least) > mostOffset) return undefined;
  return { name: nameOf(parts), parts, inside, writable: written && stretch(written) };
}

/**
 * Writes runs of recorded instruction forms. Pointers survive, since no form that writes them is taken; flags that the
 * manual leaves undefined are defined anew before somebody reads them.
 */
import { type Flag, flagNames } from '../../runtime/ir/ops.ts';
import { RCX, RSP } from '../../runtime/x86/registers.ts';
import type { CpuWidth } from './cpu-oracle.ts';
import type { Form } from './lockstep-forms.ts';
import { Encoder, type Item } from './lockstep-items.ts';
import type { Random } from './random.ts';

/** Registers of the base state that point to memory, by mode. */
const pointers = { 64: [3, 5, 6, 7, 12, 13], 32: [3, 5, 6, 7] } as const;
/** Forms of one mode, by what a program asks for. */
export class FormPool {
  readonly all: readonly Form[];
  readonly readers: readonly Form[];
  readonly setters: readonly Form[];
  readonly definers: readonly Form[];

  constructor(all: readonly Form[]) {
    this.all = all;
    this.readers = all.filter((form) => form.readsFlags);
    this.setters = all.filter((form) => form.defines.size + form.undefines.size > 0);
    this.definers = all.filter(
      (form) =>
        !form.readsFlags && flagNames.every((f) => form.defines.has(f) && !form.undefines.has(f)),
    );
  }
}

export class FormWriter {
  readonly mode: CpuWidth;
  readonly encoder: Encoder;
  readonly items: Item[] = [];
  /** What no form may write. */
  readonly kept = new Set<number>([RSP]);
  /** Pointers that forms may go through. */
  readonly bases = new Set<number>();
  /** Registers that are no pointers. */
  readonly free: readonly number[];
  /** Flags that may be undefined here. */
  undefined = new Set<Flag>();
  readonly #pool: FormPool;
  readonly #random: Random;
  #labels = 0;

  constructor(mode: CpuWidth, pool: FormPool, random: Random) {
    this.mode = mode;
    this.#pool = pool;
    this.#random = random;
    this.encoder = new Encoder(mode);
    for (const pointer of pointers[mode]) if (random.below(2) === 0) this.kept.add(pointer);
    for (const kept of this.kept) if (kept !== RSP) this.bases.add(kept);
    const count = mode === 64 ? 16 : 8;
    this.free = Array.from({ length: count }, (_, i) => i).filter((i) => !this.kept.has(i));
  }

  wide(): bigint {
    const bits = BigInt.asUintN(64, this.#random.bigint64());
    const edges = [0n, 1n, 0x8000_0000_0000_0000n, 0xffff_ffff_ffff_ffffn, 0x7fff_ffffn];
    return this.#random.below(3) === 0 ? this.one(edges) : bits;
  }

  value(): bigint {
    return BigInt.asUintN(this.mode, this.wide());
  }

  one<T>(list: readonly T[]): T {
    const found = list[this.#random.below(list.length)];
    if (found === undefined) throw new TypeError('nothing to choose from');
    return found;
  }

  chance(of: number): boolean {
    return this.#random.below(of) === 0;
  }

  add(...items: Item[]): void {
    this.items.push(...items);
  }

  label(): string {
    return `L${this.#labels++}`;
  }

  mark(label: string): void {
    this.add({ kind: 'label', label });
  }

  run(count: number): void {
    for (let i = 0; i < count; i++) {
      this.#form(this.#choose());
      if (this.chance(6)) this.add(this.#reload());
    }
  }

  #reload(): Item {
    const value = this.chance(2) ? this.#random.below(64) : Number(this.wide() & 0xffff_ffffn);
    const free = this.free.filter((register) => !this.kept.has(register));
    return this.encoder.moveImmediate(this.one(free), value);
  }

  #choose(): Form {
    const { all, readers, setters } = this.#pool;
    const list = this.one([all, all, readers, setters]);
    for (;;) {
      const form = this.one(list);
      if (this.#isAllowed(form)) return form;
    }
  }

  #isAllowed(form: Form): boolean {
    for (const register of form.writes) if (this.kept.has(register)) return false;
    if (form.base !== undefined && !this.bases.has(form.base)) return false;
    if (form.wantsSmallCount && this.kept.has(RCX)) return false;
    return form.indices.every((index) => !this.kept.has(index));
  }

  #form(form: Form): void {
    for (const index of form.indices)
      this.add(this.encoder.moveImmediate(index, 16 * this.#random.below(2)));
    if (form.wantsSmallCount) this.add(this.encoder.moveImmediate(RCX, this.#random.below(17)));
    this.define(form.consumes);
    const { text, bytes, relative } = form;
    this.add({ kind: 'code', text, bytes, relative });
    for (const flag of form.defines) this.undefined.delete(flag);
    for (const flag of form.undefines) this.undefined.add(flag);
  }

  /** Sets all flags if one of some may be undefined. */
  define(flags: Iterable<Flag>): void {
    if (![...flags].some((flag) => this.undefined.has(flag))) return;
    for (;;) {
      const form = this.one(this.#pool.definers);
      if (!this.#isAllowed(form)) continue;
      this.#form(form);
      return;
    }
  }
}

/**
 * The form of a function that can be entered at any of its entries: a br_table over its units. A unit is a block, or the
 * stub in front of one that loads registers for who comes from outside. Forward jumps are plain branches; backward ones
 * go round the loop.
 */
import { cpuState } from '../../x86/state.ts';
import { codeMapEntry } from '../dispatcher.ts';
import type { Expression } from '../emit/emitter.ts';
import type { Frame } from './frame.ts';
import type { BlockPlan } from './plan.ts';
import { loadLive, type Ways } from './ways.ts';

type Unit =
  | { readonly kind: 'stub'; readonly plan: BlockPlan }
  | { readonly kind: 'block'; readonly plan: BlockPlan };

export interface Entry {
  readonly address: bigint;
  readonly selector: number;
}

const label = (unit: number): string => `u${unit}`;

export class ResumableForm implements Ways {
  readonly #frame: Frame;
  /** The local of the selector. */
  readonly #selector: number;
  readonly #units: Unit[] = [];
  /** Units that the br_table knows, by selector. */
  readonly #selectors: number[] = [];
  /** Selectors of the blocks that computed jumps may go to with registers in their locals. */
  readonly #tableSelectors = { start: 2, end: 2 };
  readonly #unitOf = new Map<
    bigint,
    { stub: number | undefined; block: number; plan: BlockPlan }
  >();
  readonly #selectorOf = new Map<number, number>();
  /** Unit of each block, by plan. */
  readonly #blocks: number[] = [];

  constructor(frame: Frame, plans: readonly BlockPlan[]) {
    const { fn } = frame;
    this.#frame = frame;
    this.#selector = frame.newLocal('i32');
    for (const plan of plans) {
      const isResumable = plan.resumable || plan.loopHead;
      const stub = isResumable ? this.#units.push({ kind: 'stub', plan }) - 1 : undefined;
      const block = this.#units.push({ kind: 'block', plan }) - 1;
      this.#unitOf.set(plan.block.address, { stub, block, plan });
      this.#blocks.push(block);
    }
    // Calls enter with selector 0; a block's selector is that of its stub and 1. Targets of jump tables follow.
    if (this.#unitOf.get(fn.entry)?.stub === undefined)
      throw new TypeError('a function can be entered at its entry');
    const rank = (address: bigint): number =>
      address === fn.entry ? 0 : fn.tableTargets.has(address) ? 1 : 2;
    const ranked = [...this.#unitOf].sort(([a], [b]) => rank(a) - rank(b));
    for (const [address, { stub, block }] of ranked) {
      if (stub === undefined) continue;
      this.#select(stub);
      this.#select(block);
      if (rank(address) < 2) this.#tableSelectors.end = this.#selectors.length;
    }
  }

  #select(unit: number): void {
    this.#selectorOf.set(unit, this.#selectors.push(unit) - 1);
  }

  /** Where code outside may enter. */
  entries(): Entry[] {
    const entries = [];
    for (const [address, { stub }] of this.#unitOf) {
      const selector = stub === undefined ? undefined : this.#selectorOf.get(stub);
      if (selector !== undefined) entries.push({ address, selector });
    }
    return entries;
  }

  /** The function's body; `prologue` is what its own entry does first. */
  write(
    codeOf: (plan: number) => readonly Expression[],
    prologue: readonly Expression[],
  ): Expression[] {
    const frame = this.#frame;
    const e = frame.emitter;
    let next = 0;
    const codes = this.#units.map((unit) => {
      if (unit.kind === 'block') return codeOf(next++);
      const isEntry = unit.plan.block.address === frame.fn.entry;
      const loads = loadLive(frame, unit.plan, frame.convention.passed);
      frame.releaseTemporaries();
      return isEntry ? [...prologue, ...loads] : loads;
    });
    const labels = this.#selectors.map(label);
    let body: Expression = e.branchTable(labels, labels[0] ?? '', e.get(this.#selector, 'i32'));
    codes.forEach((code, i) => {
      body = e.block(undefined, [e.block(label(i), [body]), ...code]);
    });
    const entered = frame.loadState('i32', cpuState.selector);
    return [
      e.set(this.#selector, entered),
      frame.storeState('i32', cpuState.selector, e.i32(0)),
      e.loop('top', [body, e.unreachable()]),
    ];
  }

  planAt(target: bigint): BlockPlan | undefined {
    return this.#unitOf.get(target)?.plan;
  }

  /** Heads of loops poll themselves: they are entered from outside as well. */
  isBack(): boolean {
    return false;
  }

  goTo(from: number, target: bigint): readonly Expression[] | undefined {
    const units = this.#unitOf.get(target);
    return units === undefined ? undefined : this.#jump(from, units.block);
  }

  goToIf(from: number, condition: Expression, target: bigint): Expression | undefined {
    const e = this.#frame.emitter;
    const units = this.#unitOf.get(target);
    if (units === undefined) return undefined;
    return units.block > this.#blockUnit(from)
      ? e.branchIf(label(units.block), condition)
      : e.ifThen(condition, this.#jump(from, units.block));
  }

  comeBack(from: number, continuation: bigint): readonly Expression[] | undefined {
    const stub = this.#unitOf.get(continuation)?.stub;
    if (stub === undefined) return undefined;
    // A stub takes for granted what travels to a function's entries.
    const { passed, returned } = this.#frame.convention;
    return [...this.#frame.loadRegisters(passed & ~returned), ...this.#jump(from, stub)];
  }

  tableIndex(): undefined {
    return undefined;
  }

  goThroughTable(): readonly Expression[] {
    return [];
  }

  /**
   * The code map says which block it is. Other blocks of this function (the entry, where a call comes back to) do not expect
   * registers in their locals.
   */
  goToTarget(target: number): readonly Expression[] {
    const frame = this.#frame;
    if (frame.fn.tableTargets.size === 0) return [];
    const e = frame.emitter;
    const entry = frame.local('i32');
    const { codeMap } = frame.layout;
    const low = (): Expression => frame.low(target);
    const wide = frame.native === 'i64' ? e.get(target, 'i64') : e.op('i64.extend_i32_u', low());
    const word = (offset: number): Expression =>
      e.load('i32.load', codeMap + offset, e.get(entry, 'i32'));
    const own = e.op('i32.add', e.getGlobal('base'), e.i32(frame.context.ordinal(frame.fn.entry)));
    const { start, end } = this.#tableSelectors;
    const isTarget = e.op('i32.lt_u', e.op('i32.sub', word(12), e.i32(start)), e.i32(end - start));
    const isOwn = e.op(
      'i32.and',
      e.op('i64.eq', e.load('i64.load', codeMap, e.get(entry, 'i32')), wide),
      e.op('i32.eq', word(8), own),
    );
    const block = e.op('i32.add', word(12), e.i32(1));
    return [
      e.set(entry, codeMapEntry(e, low)),
      e.ifThen(e.op('i32.and', isOwn, isTarget), [e.set(this.#selector, block), e.branch('top')]),
    ];
  }

  #blockUnit(plan: number): number {
    return this.#blocks[plan] ?? 0;
  }

  #jump(from: number, to: number): Expression[] {
    const e = this.#frame.emitter;
    if (to > this.#blockUnit(from)) return [e.branch(label(to))];
    const selector = this.#selectorOf.get(to);
    if (selector === undefined) throw new TypeError(`unit ${to} is not in the br_table`);
    return [e.set(this.#selector, e.i32(selector)), e.branch('top')];
  }
}

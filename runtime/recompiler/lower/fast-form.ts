/**
 * The form of a function that is entered at its entry alone, with structured control flow: the dominator tree, in which
 * what has one way in stands where that way leaves, and what has several stands behind the block that they branch out of
 * (Ramsey, "Beyond Relooper", 2022).
 */

import type { Value } from '../../ir/value.ts';
import type { JumpTable } from '../discover.ts';
import type { Expression } from '../emit/emitter.ts';
import { at, type ControlFlow } from './control-flow.ts';
import type { Frame } from './frame.ts';
import type { BlockPlan } from './plan.ts';
import type { Entry } from './resumable-form.ts';
import type { Values } from './values.ts';
import { checkFirst, loadLive, type Ways } from './ways.ts';

const blockLabel = (node: number): string => `b${node}`;
const loopLabel = (node: number): string => `l${node}`;

export class FastForm implements Ways {
  readonly #frame: Frame;
  readonly #plans: readonly BlockPlan[];
  readonly #flow: ControlFlow;
  readonly #nodeOf: ReadonlyMap<bigint, number>;
  /** Blocks that are branched to; the others stand in their one way in. */
  readonly #labelled: readonly boolean[];
  readonly #trees: (readonly Expression[])[] = [];

  constructor(frame: Frame, plans: readonly BlockPlan[], flow: ControlFlow) {
    this.#frame = frame;
    this.#plans = plans;
    this.#flow = flow;
    this.#nodeOf = new Map(plans.map(({ block }, i) => [block.address, i]));
    const { tableTargets } = frame.fn;
    this.#labelled = plans.map(
      ({ block }, i) => at(flow.entering, i) > 1 || tableTargets.has(block.address),
    );
  }

  entries(): Entry[] {
    return [{ address: this.#frame.fn.entry, selector: 0 }];
  }

  /** The function's body; `prologue` is what its entry does first. */
  write(
    codeOf: (plan: number) => readonly Expression[],
    prologue: readonly Expression[],
  ): Expression[] {
    const { order, dominator, heads, place } = this.#flow;
    const e = this.#frame.emitter;
    const merges = new Map<number, number[]>();
    for (const node of order) {
      if (this.#labelled[node] !== true || place[node] === 0) continue;
      const above = at(dominator, node);
      merges.set(above, [...(merges.get(above) ?? []), node]);
    }
    // What a node dominates comes behind it in the order, and is written before it.
    for (const node of [...order].reverse()) {
      let body = [...codeOf(node)];
      for (const merge of merges.get(node) ?? [])
        body = [e.block(blockLabel(merge), body), ...(this.#trees[merge] ?? [])];
      this.#trees[node] = heads.has(node) ? [e.loop(loopLabel(node), body)] : body;
    }
    const entry = order[0] ?? 0;
    const plan = this.#planOf(entry);
    const loads = loadLive(this.#frame, plan, this.#frame.convention.passed);
    const checks = checkFirst(this.#frame, plan, plan.checks?.atEntry);
    this.#frame.releaseTemporaries();
    return [...prologue, ...loads, ...checks, ...(this.#trees[entry] ?? [])];
  }

  planAt(target: bigint): BlockPlan | undefined {
    return this.#plans[this.#nodeOf.get(target) ?? -1];
  }

  isBack(from: number, target: bigint): boolean {
    const { place } = this.#flow;
    const to = this.#nodeOf.get(target);
    return to !== undefined && at(place, to) <= at(place, from);
  }

  goTo(from: number, target: bigint): readonly Expression[] | undefined {
    const to = this.#nodeOf.get(target);
    return to === undefined ? undefined : this.#jump(from, to);
  }

  goToIf(from: number, condition: Expression, target: bigint): Expression | undefined {
    const e = this.#frame.emitter;
    const to = this.#nodeOf.get(target);
    if (to === undefined) return undefined;
    const label = this.#labelOf(from, to);
    return label === undefined
      ? e.ifThen(condition, this.#trees[to] ?? [])
      : e.branchIf(label, condition);
  }

  comeBack(from: number, continuation: bigint): readonly Expression[] | undefined {
    const to = this.#nodeOf.get(continuation);
    if (to === undefined) return undefined;
    const plan = this.#planOf(to);
    const loads = loadLive(this.#frame, plan, this.#frame.convention.returned);
    const checks = checkFirst(this.#frame, plan, this.#planOf(from).checks?.behindCall);
    return [...loads, ...checks, ...this.#jump(from, to)];
  }

  tableIndex(from: number): Value | undefined {
    return this.#tableOf(from)?.index;
  }

  goThroughTable(from: number, values: Values): readonly Expression[] {
    const table = this.#tableOf(from);
    if (table === undefined) return [];
    const e = this.#frame.emitter;
    const { native } = this.#frame;
    const miss = `m${from}`;
    const labels = table.targets.map((target) => {
      const to = this.#nodeOf.get(target);
      return (to === undefined ? undefined : this.#labelOf(from, to)) ?? miss;
    });
    const index = values.toLocal(values.emit(table.index), native);
    const goOn = e.branchTable(labels, miss, this.#frame.low(index));
    if (isLow(table.index)) return [e.block(miss, [goOn])];
    const count = this.#frame.constant(BigInt(labels.length));
    const beyond = e.op(`${native}.ge_u`, e.get(index, native), count);
    return [e.block(miss, [e.branchIf(miss, beyond), goOn])];
  }

  goToTarget(): readonly Expression[] {
    return [];
  }

  #tableOf(from: number): JumpTable | undefined {
    return this.#frame.fn.tables.get(this.#planOf(from).block.address);
  }

  /** Undefined where the block stands in its one way in. */
  #labelOf(from: number, to: number): string | undefined {
    const { place } = this.#flow;
    if (at(place, to) <= at(place, from)) return loopLabel(to);
    return this.#labelled[to] === true ? blockLabel(to) : undefined;
  }

  #jump(from: number, to: number): readonly Expression[] {
    const label = this.#labelOf(from, to);
    return label === undefined ? (this.#trees[to] ?? []) : [this.#frame.emitter.branch(label)];
  }

  #planOf(node: number): BlockPlan {
    const plan = this.#plans[node];
    if (plan === undefined) throw new TypeError(`no block ${node}`);
    return plan;
  }
}

/** Whether 32 bits hold it, so that Wasm's own bound of a `br_table` is enough. */
function isLow({ op, width, args: [part] }: Value): boolean {
  return width <= 32 || (op === 'zeroExtend' && part !== undefined && part.width <= 32);
}

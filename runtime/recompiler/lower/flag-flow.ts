/** Where the arithmetic flags are at the start of each block of a function: what goes from block to block of flag-sources.ts. */
import {
  areSame,
  type BlockFlags,
  type FlagsAt,
  flagsOfBlock,
  type Looks,
  noFlags,
  seesStart,
  visibility,
} from './flag-sources.ts';
import { isJump, looksAhead, mayGo } from './leaving.ts';
import type { BlockPlan } from './plan.ts';

export interface FlagsInBlock extends BlockFlags {
  /** Whether somebody may see the flags that are there at the start. */
  readonly isSeen: boolean;
  readonly start: FlagsAt;
}

/** `isEntered`: of blocks that begin with flags in the state block. `holds`: whether inputs may be held in locals. */
export function flowFlagSources(
  plans: readonly BlockPlan[],
  isEntered: (plan: BlockPlan, index: number) => boolean,
  holds: boolean,
): FlagsInBlock[] {
  const visible = seenFlags(plans);
  const flow = new Flow(plans, visible, isEntered, holds);
  while (flow.round());
  return flow.blocks();
}

/** Of each block, whether its flags are seen at the start of each statement, and at its end. */
function seenFlags(plans: readonly BlockPlan[]): readonly (readonly boolean[])[] {
  const inside = plans.map((p) => seesStart(p.block, looksIn(p)));
  const seen = plans.map((p, i) => pollsAtStart(p) || inside[i] === true);
  const isSeenBehind = (p: BlockPlan): boolean =>
    looksAtEnd(p) || p.successors.some((to) => seen[to] === true);
  const spread = (p: BlockPlan, i: number): boolean => {
    if (seen[i] === true || inside[i] !== undefined || !isSeenBehind(p)) return false;
    seen[i] = true;
    return true;
  };
  let changed = true;
  while (changed) {
    changed = false;
    for (let i = plans.length - 1; i >= 0; i--) {
      const p = plans[i];
      if (p !== undefined && spread(p, i)) changed = true;
    }
  }
  return plans.map((p, i) => {
    const visible = visibility(p.block, isSeenBehind(p), looksIn(p));
    visible[0] = seen[i] === true;
    return visible;
  });
}

const looksIn =
  (p: BlockPlan): Looks =>
  (s, i) =>
    mayGo(p, s, i);
const pollsAtStart = ({ loopHead, pollsOnEdges }: BlockPlan): boolean => loopHead && !pollsOnEdges;

const looksAtEnd = (p: BlockPlan): boolean =>
  p.goesOut || p.pollsAtEnd || looksAhead(p) || !isJump(p.block.terminator);

class Flow {
  readonly #plans: readonly BlockPlan[];
  readonly #visible: readonly (readonly boolean[])[];
  readonly #holds: boolean;
  readonly #into: number[][];
  /** Blocks that have to begin with flags in the state block. */
  readonly #fixed: boolean[];
  readonly #done: (FlagsInBlock | undefined)[];
  /** Blocks of which a way in has changed since they were looked at. */
  readonly #stale: boolean[];

  constructor(
    plans: readonly BlockPlan[],
    visible: readonly (readonly boolean[])[],
    isEntered: (plan: BlockPlan, index: number) => boolean,
    holds: boolean,
  ) {
    this.#plans = plans;
    this.#visible = visible;
    this.#holds = holds;
    this.#into = plans.map(() => []);
    plans.forEach(({ successors }, from) => {
      for (const to of new Set(successors)) this.#into[to]?.push(from);
    });
    const back = new Set(plans.flatMap(({ continuation }) => continuation ?? []));
    this.#fixed = plans.map((p, i) => back.has(i) || isEntered(p, i));
    this.#done = plans.map(() => undefined);
    this.#stale = plans.map(() => true);
  }

  /** Whether something has changed. */
  round(): boolean {
    let changed = false;
    for (let i = 0; i < this.#plans.length; i++)
      if (this.#stale[i] === true && this.#lookAt(i)) changed = true;
    return changed;
  }

  #lookAt(i: number): boolean {
    this.#stale[i] = false;
    const plan = this.#plans[i];
    const start = this.#startOf(i);
    const known = this.#done[i];
    if (plan === undefined || (known !== undefined && areSame(known.start, start))) return false;
    this.#done[i] = this.#blockFrom(plan.block, i, start);
    for (const to of plan.successors) this.#stale[to] = true;
    return true;
  }

  blocks(): FlagsInBlock[] {
    return this.#done.flatMap((each) => each ?? []);
  }

  #blockFrom(block: BlockPlan['block'], i: number, start: FlagsAt): FlagsInBlock {
    const visible = this.#visible[i] ?? [];
    const isSeen = visible[0] === true;
    if (start === undefined && !setsSeen(block, visible)) return { ...noFlags, isSeen, start };
    const found = flagsOfBlock(block, start, visible, this.#holds);
    if (found !== undefined) return { ...found, isSeen, start };
    this.#fixed[i] = true;
    const stored = flagsOfBlock(block, undefined, visible, this.#holds);
    if (stored === undefined) throw new TypeError('flags in the state block are there');
    return { ...stored, isSeen, start: undefined };
  }

  /** What all ways in agree upon. */
  #startOf(i: number): FlagsAt {
    if (this.#fixed[i] === true || this.#visible[i]?.[0] !== true) return undefined;
    let common: FlagsAt;
    for (const from of this.#into[i] ?? []) {
      const known = this.#done[from];
      if (known === undefined) continue;
      for (const source of this.#handedOn(from, i, known)) {
        if (source === undefined || (common !== undefined && !areSame(common, source)))
          return this.#fix(i);
        common = source;
      }
    }
    return common;
  }

  #handedOn(from: number, to: number, { start, end }: FlagsInBlock): FlagsAt[] {
    return this.#plans[from]?.early.includes(to) === true ? [start, end] : [end];
  }

  #fix(i: number): undefined {
    this.#fixed[i] = true;
    return undefined;
  }
}

const setsSeen = ({ statements }: BlockPlan['block'], visible: readonly boolean[]): boolean =>
  statements.some(({ kind }, i) => kind === 'setFlags' && visible[i + 1] === true);

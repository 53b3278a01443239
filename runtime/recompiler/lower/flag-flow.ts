/** Where the arithmetic flags are at the start of each block of a function: what goes from block to block of flag-sources.ts. */
import {
  areSame,
  type BlockFlags,
  type FlagsAt,
  flagsOfBlock,
  loadsOf,
  visibility,
} from './flag-sources.ts';
import type { BlockPlan } from './plan.ts';

export interface FlagsInBlock extends BlockFlags {
  /** Whether somebody may see the flags that are there at the start. */
  readonly isSeen: boolean;
  readonly start: FlagsAt;
}

/** `isEntered`: of blocks that begin with flags in the state block. */
export function flowFlagSources(
  plans: readonly BlockPlan[],
  isEntered: (plan: BlockPlan, index: number) => boolean,
): FlagsInBlock[] {
  const visible = seenFlags(plans);
  const flow = new Flow(plans, visible, isEntered);
  while (flow.round());
  return flow.blocks();
}

/** Of each block, whether its flags are seen at the start of each statement, and at its end. */
function seenFlags(plans: readonly BlockPlan[]): readonly (readonly boolean[])[] {
  const always = plans.map((p) => visibility(p.block, true, leavesInside(p)));
  const never = plans.map((p) => visibility(p.block, false, leavesInside(p)));
  const seen = plans.map((p, i) => pollsAtStart(p) || never[i]?.[0] === true);
  const isSeenBehind = (p: BlockPlan): boolean =>
    looksAtEnd(p) || p.successors.some((to) => seen[to] === true);
  const passes = plans.map((_, i) => always[i]?.[0] === true);
  const spread = (p: BlockPlan, i: number): boolean => {
    if (seen[i] === true || passes[i] !== true || !isSeenBehind(p)) return false;
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
    const inside = (isSeenBehind(p) ? always : never)[i] ?? [];
    return [seen[i] === true, ...inside.slice(1)];
  });
}

const leavesInside = ({ chunk }: BlockPlan): boolean => chunk?.kind !== 'unchecked';
const pollsAtStart = ({ loopHead, pollsOnEdges }: BlockPlan): boolean => loopHead && !pollsOnEdges;

const looksAtEnd = ({ block, goesOut, pollsAtEnd }: BlockPlan): boolean =>
  goesOut || pollsAtEnd || (block.terminator.kind !== 'jump' && block.terminator.kind !== 'branch');

class Flow {
  readonly #plans: readonly BlockPlan[];
  readonly #visible: readonly (readonly boolean[])[];
  readonly #into: number[][];
  /** Blocks that have to begin with flags in the state block. */
  readonly #fixed: boolean[];
  readonly #done: (FlagsInBlock | undefined)[];

  constructor(
    plans: readonly BlockPlan[],
    visible: readonly (readonly boolean[])[],
    isEntered: (plan: BlockPlan, index: number) => boolean,
  ) {
    this.#plans = plans;
    this.#visible = visible;
    this.#into = plans.map(() => []);
    plans.forEach(({ successors }, from) => {
      for (const to of new Set(successors)) this.#into[to]?.push(from);
    });
    const back = new Set(plans.flatMap(({ continuation }) => continuation ?? []));
    this.#fixed = plans.map((p, i) => back.has(i) || isEntered(p, i));
    this.#done = plans.map(() => undefined);
  }

  /** Whether something has changed. */
  round(): boolean {
    let changed = false;
    this.#plans.forEach(({ block }, i) => {
      const start = this.#startOf(i);
      const known = this.#done[i];
      if (known !== undefined && areSame(known.start, start)) return;
      changed = true;
      this.#done[i] = this.#blockFrom(block, i, start);
    });
    return changed;
  }

  blocks(): FlagsInBlock[] {
    return this.#done.flatMap((each) => each ?? []);
  }

  #blockFrom(block: BlockPlan['block'], i: number, start: FlagsAt): FlagsInBlock {
    const visible = this.#visible[i] ?? [];
    const isSeen = visible[0] === true;
    const found = flagsOfBlock(block, start, visible);
    if (found !== undefined) return { ...found, isSeen, start };
    this.#fixed[i] = true;
    const stored = flagsOfBlock(block, undefined, visible);
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
    const passed = loadsOf(end).length > 0 ? undefined : end;
    return this.#plans[from]?.early.includes(to) === true ? [start, passed] : [passed];
  }

  #fix(i: number): undefined {
    this.#fixed[i] = true;
    return undefined;
  }
}

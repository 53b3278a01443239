/** What lowering must know of a function before it writes it: who reads which register and flag, and where code comes in. */
import type { Block, Statement, Terminator, Value } from '../../ir/value.ts';
import type { Fact } from '../access/address-facts.ts';
import type { BlockChecks } from '../access/block-checks.ts';
import type { Convention } from '../convention.ts';
import type { GuestFunction } from '../discover.ts';
import type { Chunk } from './chunk-loops.ts';
import { type ControlFlow, controlFlow } from './control-flow.ts';
import { type FlagsInBlock, flowFlagSources } from './flag-flow.ts';
import { bitOfFlag, type FlagSet, flagsIn } from './flag-set.ts';
import { noFlags } from './flag-sources.ts';
import { isJump, looksAhead, mayLeave } from './leaving.ts';
import { bitOf, type RegisterSet } from './register-set.ts';
import { Walk } from './walk.ts';

export interface BlockPlan {
  readonly block: Block;
  /** Blocks of this function that may follow, by index. */
  readonly successors: readonly number[];
  /** Those among them that the block goes to before it has done anything (REP with a count of 0). */
  readonly early: readonly number[];
  /** Where a call that ends the block comes back to, by index. */
  readonly continuation: number | undefined;
  /** Whether other functions may be called from here, or jumped to. */
  readonly calls: boolean;
  /** Whether it may jump out of the function, to an address that is known. */
  readonly goesOut: boolean;
  readonly resumable: boolean;
  /** What it does of a loop in chunks. */
  readonly chunk: Chunk | undefined;
  /** Which of its accesses check something; undefined where all may leave. */
  checks: BlockChecks | undefined;
  /** Begins a loop: polls for events at its start, or where it is gone back to. */
  loopHead: boolean;
  pollsOnEdges: boolean;
  /** Goes back to such a block. */
  pollsAtEnd: boolean;
  /** Where the arithmetic flags are for who leaves. */
  flagSources: FlagsInBlock;
  /** Registers that hold what the state block does not. */
  dirtyIn: RegisterSet;
  /** Registers that must be in their locals at the start. */
  liveIn: RegisterSet;
  /** Registers that the block writes. */
  readonly written: RegisterSet;
  /** Registers whose value at the start somebody in the block uses. */
  used: RegisterSet;
  leaves: boolean;
  /** Flags that are read at the block's start value, here or later. */
  flagsIn: FlagSet;
  /** Flags that a later block reads. */
  flagsOut: FlagSet;
}

/**
 * Plans of a function's blocks, from its outline, which is used up: of the fast form where its control flow is given, else of
 * the resumable one, where what a block further down jumps to is the head of a loop. `holdsFlags`: whether what flags are made
 * of may be held in locals, which is faster, and longer.
 */
export function plan(
  plans: BlockPlan[],
  convention: Travelling,
  fast?: Pick<ControlFlow, 'heads' | 'order' | 'place'>,
  holdsFlags = false,
): BlockPlan[] {
  const heads = fast?.heads ?? new Set(plans.flatMap((p, i) => p.successors.filter((s) => s <= i)));
  for (const head of heads) {
    const p = plans[head];
    if (p === undefined || p.chunk?.kind === 'unchecked') continue;
    p.loopHead = true;
    if (fast === undefined || !pollOnEdges(plans, head, fast.place)) p.leaves = true;
  }
  const entry = fast?.order[0];
  findLeaving(plans, entry);
  flowFlags(plans);
  const isEntered = ({ resumable, loopHead }: BlockPlan, i: number): boolean =>
    fast === undefined ? resumable || loopHead : i === entry;
  const sources = flowFlagSources(plans, isEntered, holdsFlags);
  plans.forEach((p, i) => {
    p.flagSources = sources[i] ?? p.flagSources;
  });
  for (const p of plans)
    p.used |= usedByFlags(p) | ((handedOn(p, convention) | lookedAt(p)) & ~p.written);
  if (fast === undefined) for (const p of plans) p.dirtyIn |= enteredWith(p, convention);
  else comeIn(plans, entry ?? 0, convention);
  flowRegisters(plans);
  return plans;
}

/** Which blocks have exits. What is checked where one is come to from outside leaves as it would itself. */
function findLeaving(plans: readonly BlockPlan[], entry: number | undefined): void {
  for (const p of plans) p.leaves ||= leavesInside(p);
  for (const { continuation, checks } of plans) leaveFirst(plans, continuation, checks?.behindCall);
  if (entry !== undefined) leaveFirst(plans, entry, plans[entry]?.checks?.atEntry);
}

function leaveFirst(
  plans: readonly BlockPlan[],
  index: number | undefined,
  facts: readonly Fact[] = [],
): void {
  const p = index === undefined ? undefined : plans[index];
  if (p === undefined || facts.length === 0) return;
  p.leaves = true;
  p.used |= registersOf(facts);
}

const leavesInside = (p: BlockPlan): boolean =>
  looksAhead(p) || p.block.statements.some((s, i) => mayLeave(p, s, i));

/**
 * Where a loop is gone back to, flags were set just before and come from registers; at its head they would have to be the
 * same for all who come there.
 */
function pollOnEdges(plans: readonly BlockPlan[], head: number, place: readonly number[]): boolean {
  const p = plans[head];
  if (p === undefined || p.chunk !== undefined) return false;
  const isBack = (from: number): boolean => (place[from] ?? -1) >= (place[head] ?? 0);
  const back = plans.filter((each, i) => isBack(i) && waysFrom(each).includes(head));
  if (!back.every(({ block }) => isJump(block.terminator))) return false;
  for (const each of back) {
    each.pollsAtEnd = true;
    each.leaves = true;
  }
  p.pollsOnEdges = true;
  return true;
}

/** The control flow of a function that is entered at its entry alone; calls come back. */
export function shapeOf(fn: GuestFunction, plans: readonly BlockPlan[]): ControlFlow {
  return controlFlow(
    plans.map(waysFrom),
    fn.blocks.findIndex(({ address }) => address === fn.entry),
  );
}

/** Where control goes from a block, calls coming back. */
export const waysFrom = ({ successors, continuation }: BlockPlan): readonly number[] =>
  continuation === undefined ? successors : [...successors, continuation];

/** What each block says of itself: nothing has flowed between them yet. */
export function outline(fn: GuestFunction): BlockPlan[] {
  const indices = new Map(fn.blocks.map((block, i) => [block.address, i]));
  return fn.blocks.map((block) => planBlock(fn, block, indices));
}

/** Addresses that a terminator goes to without leaving the function's Wasm frame. */
export function targets(terminator: Terminator): readonly bigint[] {
  switch (terminator.kind) {
    case 'jump':
      return [terminator.target];
    case 'branch':
      return [terminator.taken, terminator.otherwise];
    case 'return':
      return terminator.within === undefined ? [] : [terminator.within.continuation];
    case 'callIndirect':
      return terminator.expected?.map(({ way }) => way) ?? [];
    default:
      return [];
  }
}

function planBlock(
  fn: GuestFunction,
  block: Block,
  indices: ReadonlyMap<bigint, number>,
): BlockPlan {
  const early = block.statements.flatMap((s) => (s.kind === 'jumpIf' ? s.target : []));
  const chunk = fn.chunks?.get(block.address);
  const computed = block.terminator.kind === 'jumpIndirect' ? [...fn.tableTargets] : [];
  const successors: number[] = [];
  let outside = addIndices(successors, targets(block.terminator), indices);
  addIndices(successors, wayOfChunk(chunk), indices);
  outside = addIndices(successors, early, indices) || outside;
  addIndices(successors, computed, indices);
  const before: number[] = [];
  addIndices(before, early, indices);
  if (chunk?.kind === 'checked') addIndices(before, [chunk.guard], indices);
  const walk = new Walk();
  for (const statement of block.statements)
    for (const value of operandsOf(statement)) walk.visit(value);
  for (const value of terminatorOperands(block.terminator)) walk.visit(value);
  for (const value of operandsOfChunk(chunk)) walk.visit(value);
  const { terminator } = block;
  return {
    block,
    successors,
    continuation:
      'returnTo' in terminator
        ? indices.get(terminator.continuation ?? terminator.returnTo)
        : undefined,
    goesOut: outside,
    calls: outside || ['call', 'callIndirect', 'jumpIndirect'].includes(terminator.kind),
    early: before,
    resumable: fn.resumable.has(block.address),
    chunk,
    checks: undefined,
    loopHead: false,
    pollsOnEdges: false,
    pollsAtEnd: false,
    flagSources: nothing,
    dirtyIn: 0,
    liveIn: 0,
    written: writtenBy(block),
    used: walk.registers,
    leaves: outside || !isJump(block.terminator),
    flagsIn: walk.flags,
    flagsOut: 0,
  };
}

/** Adds the places of blocks; whether there are others. */
function addIndices(
  to: number[],
  addresses: readonly bigint[],
  indices: ReadonlyMap<bigint, number>,
): boolean {
  let others = false;
  addresses.forEach((address) => {
    const index = indices.get(address);
    if (index === undefined) others = true;
    else to.push(index);
  });
  return others;
}

/** Registers that calls take along (convention.ts). */
type Travelling = Pick<Convention, 'passed' | 'returned'>;

/** Where a block of a loop in chunks may go beside what its terminator says. */
function wayOfChunk(chunk: Chunk | undefined): readonly bigint[] {
  switch (chunk?.kind) {
    case 'guard':
      return [chunk.unchecked];
    case 'checked':
      return [chunk.guard];
    case 'count':
      return [chunk.again];
    default:
      return [];
  }
}

export const operandsOfChunk = (chunk: Chunk | undefined): readonly Value[] =>
  chunk?.kind === 'guard' ? chunk.ranges.map(({ address }) => address) : [];

const nothing: FlagsInBlock = { ...noFlags, isSeen: false, start: undefined };

function writtenBy(block: Block): RegisterSet {
  let written = 0;
  for (const s of block.statements) if (s.kind === 'setRegister') written |= bitOf(s.register);
  return written;
}

export function operandsOf(s: Statement): readonly Value[] {
  switch (s.kind) {
    case 'setRegister':
      return [s.value];
    case 'load':
    case 'loadCpu':
    case 'bulk':
      return s.value.args;
    case 'store':
      return [s.address, s.value];
    case 'storeCpu':
      return [s.offset, s.value];
    case 'setFlags':
      return s.when === undefined ? s.inputs : [s.when, ...s.inputs];
    case 'raiseIf':
    case 'jumpIf':
      return [s.condition];
    case 'instruction':
      return [];
  }
}

export function terminatorOperands(t: Terminator): readonly Value[] {
  switch (t.kind) {
    case 'branch':
      return [t.condition];
    case 'jumpIndirect':
    case 'callIndirect':
    case 'return':
      return [t.target];
    default:
      return [];
  }
}

/** Backward: which flags must be computed because some block reads them. */
function flowFlags(plans: BlockPlan[]): void {
  untilStable(plans, (p) => {
    let out = 0;
    for (const s of p.successors) out |= plans[s]?.flagsIn ?? 0;
    let into = flagsInto(p, out);
    for (const s of p.early) into |= plans[s]?.flagsIn ?? 0;
    const changed = out !== p.flagsOut || into !== p.flagsIn;
    p.flagsOut = out;
    p.flagsIn = into;
    return changed;
  });
}

/** Flags that a block needs at its start so that it can give those of `out`. */
function flagsInto(p: BlockPlan, out: FlagSet): FlagSet {
  if (out === 0) return p.flagsIn;
  const walk = new Walk();
  let into = p.flagsIn;
  for (const flag of flagsIn(out)) {
    const value = p.block.flagsOut[flag];
    if (value === undefined) into |= bitOfFlag[flag];
    else walk.visit(value);
  }
  return into | walk.flags;
}

/** Applies a backward step to all blocks until it changes none. */
function untilStable(plans: readonly BlockPlan[], step: (p: BlockPlan) => boolean): void {
  for (let changed = true; changed; ) {
    changed = false;
    for (let i = plans.length - 1; i >= 0; i--) {
      const p = plans[i];
      if (p !== undefined && step(p)) changed = true;
    }
  }
}

/** Registers of addresses that are checked on the way out of a block. */
const lookedAt = ({ checks }: BlockPlan): RegisterSet =>
  registersOf([...(checks?.ahead.values() ?? [])].flat());

function registersOf(facts: readonly Fact[]): RegisterSet {
  let registers = 0;
  for (const { parts } of facts) for (const [register] of parts) registers |= bitOf(register);
  return registers;
}

function usedByFlags(p: BlockPlan): RegisterSet {
  const walk = new Walk();
  for (const flag of flagsIn(p.flagsOut)) {
    const value = p.block.flagsOut[flag];
    if (value !== undefined) walk.visit(value);
  }
  return walk.registers;
}

/** Registers that travel out of a block, by a call, a return or a jump out of the function. */
function handedOn({ block, goesOut }: BlockPlan, { passed, returned }: Travelling): RegisterSet {
  const { kind } = block.terminator;
  const calls = goesOut || kind === 'call' || kind === 'callIndirect' || kind === 'jumpIndirect';
  return (calls ? passed : 0) | (kind === 'return' ? returned : 0);
}

/** Registers that travel into a block of the resumable form: its stub stands before it. */
function enteredWith({ resumable, loopHead }: BlockPlan, { passed }: Travelling): RegisterSet {
  return resumable || loopHead ? passed : 0;
}

/** In the fast form registers travel into the entry, and back behind calls. */
function comeIn(plans: readonly BlockPlan[], entry: number, convention: Travelling): void {
  const first = plans[entry];
  if (first !== undefined) first.dirtyIn |= convention.passed;
  for (const { continuation } of plans) {
    const on = continuation === undefined ? undefined : plans[continuation];
    if (on !== undefined) on.dirtyIn |= convention.returned;
  }
}

/** Forward: what may be dirty; then backward: what must be loaded, since an exit spills all that may be dirty. */
function flowRegisters(plans: BlockPlan[]): void {
  while (plans.filter((p) => spread(plans, p)).length > 0);
  untilStable(plans, (p) => {
    let out = 0;
    for (const s of p.successors) out |= plans[s]?.liveIn ?? 0;
    let early = 0;
    for (const s of p.early) early |= plans[s]?.liveIn ?? 0;
    const live = early | p.used | (out & ~p.written) | (p.leaves ? p.dirtyIn : 0);
    const changed = live !== p.liveIn;
    p.liveIn = live;
    return changed;
  });
}

/** Makes what a block leaves dirty dirty in its successors. */
function spread(plans: readonly BlockPlan[], p: BlockPlan): boolean {
  let changed = false;
  for (const s of p.successors) {
    const next = plans[s];
    if (next === undefined) continue;
    const dirty = next.dirtyIn | p.dirtyIn | p.written;
    changed ||= dirty !== next.dirtyIn;
    next.dirtyIn = dirty;
  }
  return changed;
}

/**
 * Loops whose every address goes up or down by a constant a round are written a second time, without checks and so without
 * exits: nothing of a round has to last for a fault in the next. In front of it stands a guard, which takes a poll and checks
 * everything that a chunk of rounds can reach; where that does not pass, the loop goes on as ever, with its checks.
 *
 * Only loops without branches inside count; they may be left from anywhere.
 */
import type { Block, Statement, Value } from '../../ir/value.ts';
import type { Mode } from '../../x86/registers.ts';
import { bytesOf, isForWrite } from '../access/access-groups.ts';
import type { GuestFunction } from '../discover.ts';
import { at, type ControlFlow } from './control-flow.ts';
import { isJump } from './leaving.ts';
import { LinearForms, type LinearSum, sameTerms } from './linear-forms.ts';
import { redirect } from './redirect.ts';

/** Rounds of a chunk. */
export const chunkRounds = 32;
/** Bytes that a chunk may reach in one range: the run is longer, and they lie in two pages at most. */
const mostReach = 2048;
const mostRanges = 6;
/** Blocks of a loop. */
const longest = 6;
/** Blocks that stand for others have addresses of their own, beyond those of copies (inline-calls.ts). */
const step = 1n << 80n;

type Load = Extract<Statement, { kind: 'load' }>;
type Store = Extract<Statement, { kind: 'store' }>;
/** A load by its value, a store by its statement: copies of a block have the same. */
export type Access = Value | Store;

/** How a range is reached: in the one linear run, through the TLB, or in the window on a run, by number. */
export type ChunkWay = 'linear' | 'tlb' | number;

/** What a chunk reaches from an address on. */
export interface ChunkRange {
  readonly address: Value;
  readonly bytes: number;
  readonly writes: boolean;
  readonly way: ChunkWay;
}

/** The ways of the accesses of a block; undefined of one that is not to go in chunks. */
export type WaysOfBlock = (block: Block) => (statement: Load | Store) => ChunkWay | undefined;
const linear: WaysOfBlock = () => () => 'linear';

/** What a block of a chunked loop does beside what it says. */
export type Chunk =
  /** At its end goes to the loop without checks, if all ranges hold. */
  | { readonly kind: 'guard'; readonly ranges: readonly ChunkRange[]; readonly unchecked: bigint }
  /** Reaches only what its guard has checked: a range an access. */
  | { readonly kind: 'unchecked'; readonly reached: ReadonlyMap<Access, ChunkRange> }
  /** Begins a round with checks; goes back to the guard now and then, which may hold by now. */
  | { readonly kind: 'checked'; readonly guard: bigint }
  /** At its end goes to the next round, if the chunk has any left. */
  | { readonly kind: 'count'; readonly again: bigint };

/** The function with its loops in chunks; itself where no loop is worth it. */
export function chunkLoops(
  fn: GuestFunction,
  mode: Mode,
  flow: ControlFlow,
  successors: readonly (readonly number[])[],
  waysOf: WaysOfBlock = linear,
): GuestFunction {
  const predecessors: number[][] = fn.blocks.map(() => []);
  successors.forEach((to, from) => {
    for (const node of new Set(to)) predecessors[node]?.push(from);
  });
  const chunks = new Map<bigint, Chunk>();
  const replaced = new Map<bigint, Block[]>();
  let instructions = fn.instructions;
  for (const head of flow.heads) {
    const loop = straightLoop(fn, head, flow, predecessors);
    const reached = loop && rangesOf(loop, mode, waysOf);
    if (loop === undefined || reached === undefined) continue;
    instructions += loop.reduce((sum, { statements }) => sum + instructionsIn(statements), 0);
    for (const [address, blocks] of chunked(loop, reached, chunks)) replaced.set(address, blocks);
  }
  if (chunks.size === 0) return fn;
  const blocks = fn.blocks.flatMap((block) => replaced.get(block.address) ?? [block]);
  return { ...fn, blocks, instructions, chunks };
}

const instructionsIn = (statements: readonly Statement[]): number =>
  statements.reduce((sum, { kind }) => sum + (kind === 'instruction' ? 1 : 0), 0);

/** The blocks of a loop in order, if each leads to the next alone, and what else they do can be done without checks. */
function straightLoop(
  { blocks }: GuestFunction,
  head: number,
  { place }: ControlFlow,
  predecessors: readonly (readonly number[])[],
): Block[] | undefined {
  const latches = (predecessors[head] ?? []).filter((from) => at(place, from) >= at(place, head));
  const [latch] = latches;
  if (latch === undefined || latches.length > 1) return undefined;
  const nodes = [latch];
  for (let node = latch; node !== head; ) {
    const [before, ...others] = predecessors[node] ?? [];
    if (before === undefined || others.length > 0 || nodes.length === longest) return undefined;
    node = before;
    nodes.unshift(node);
  }
  const loop = nodes.flatMap((node) => blocks[node] ?? []);
  return loop.every(isPlain) ? loop : undefined;
}

const plain: ReadonlySet<Statement['kind']> = new Set([
  ...(['instruction', 'setRegister', 'load', 'store', 'setFlags'] as const),
]);

function isPlain({ statements, terminator }: Block): boolean {
  return isJump(terminator) && statements.every(({ kind }) => plain.has(kind));
}

/** Copies of one block may stand in a loop, each with the same accesses. */
interface AccessIn {
  readonly block: Block;
  readonly access: Access;
}
type Reached = ReadonlyMap<Block, ReadonlyMap<Access, ChunkRange>>;

/** One access of a loop: where, in the first round, and how much. */
interface Reach {
  readonly of: AccessIn;
  readonly way: ChunkWay;
  readonly from: LinearSum;
  readonly bytes: bigint;
  readonly writes: boolean;
}

/** What the rounds of a chunk reach, by access; undefined where that cannot be known ahead. */
function rangesOf(loop: readonly Block[], mode: Mode, waysOf: WaysOfBlock): Reached | undefined {
  const forms = new LinearForms(mode);
  const reaches = reachesOf(loop, forms, waysOf);
  if (reaches === undefined) return undefined;
  const ranges: Range[] = [];
  for (const reach of reaches) {
    const stride = forms.strideOf(reach.from);
    if (stride === undefined) return undefined;
    join(ranges, rangeOf(reach, stride * BigInt(chunkRounds - 1)));
  }
  if (ranges.length > mostRanges || ranges.some(({ least, end }) => end - least > mostReach))
    return undefined;
  const reached = new Map(loop.map((block) => [block, new Map<Access, ChunkRange>()]));
  for (const { terms, least, end, writes, way, accesses } of ranges) {
    const range = { address: forms.valueOf(terms, least), bytes: Number(end - least), writes, way };
    for (const { block, access } of accesses) reached.get(block)?.set(access, range);
  }
  return reached;
}

/** The accesses of a loop; undefined where an address is no sum of registers. */
function reachesOf(
  loop: readonly Block[],
  forms: LinearForms,
  waysOf: WaysOfBlock,
): Reach[] | undefined {
  const reaches: Reach[] = [];
  for (const block of loop) {
    forms.enter();
    const wayOf = waysOf(block);
    for (const statement of block.statements) {
      if (statement.kind !== 'load' && statement.kind !== 'store') continue;
      const access = statement.kind === 'store' ? statement : statement.value;
      const reach = reachOf(statement, forms, { of: { block, access }, way: wayOf(statement) });
      if (reach === undefined) return undefined;
      reaches.push(reach);
    }
    forms.leave(block);
  }
  return reaches;
}

/** Offsets from the same registers. */
interface Range {
  readonly terms: LinearSum;
  least: bigint;
  end: bigint;
  writes: boolean;
  readonly way: ChunkWay;
  readonly accesses: AccessIn[];
}

/** What an access reaches that is somewhere else by a distance in the last round. */
const rangeOf = ({ of, from, bytes, writes, way }: Reach, distance: bigint): Range => ({
  ...{ terms: from, writes, way, accesses: [of] },
  least: from.plus + min(distance, 0n),
  end: from.plus + max(distance, 0n) + from.spread + bytes,
});

function join(ranges: Range[], range: Range): void {
  const near = ranges.find(
    ({ terms, least, end, way }) =>
      way === range.way &&
      sameTerms(terms, range.terms) &&
      max(end, range.end) - min(least, range.least) <= mostReach,
  );
  if (near === undefined) ranges.push(range);
  else {
    near.least = min(range.least, near.least);
    near.end = max(range.end, near.end);
    near.writes ||= range.writes;
    near.accesses.push(...range.accesses);
  }
}

function reachOf(
  statement: Load | Store,
  forms: LinearForms,
  { of, way }: { of: AccessIn; way: ChunkWay | undefined },
): Reach | undefined {
  const { value } = statement;
  const isStore = statement.kind === 'store';
  const address = isStore ? statement.address : value.args[0];
  const from = address && forms.of(address);
  if (from === undefined || way === undefined) return undefined;
  const writes = isStore || isForWrite(value);
  return { of, way, from, bytes: BigInt(bytesOf(value)), writes };
}

/** What stands in the place of each block of a loop; its head's place is the guard's. */
function chunked(
  loop: readonly Block[],
  reached: Reached,
  chunks: Map<bigint, Chunk>,
): Map<bigint, Block[]> {
  const [head] = loop;
  if (head === undefined) throw new TypeError('a loop has a head');
  const first = BigInt(chunks.size + 1) * step * 4n;
  const [checked, unchecked, count] = [first, first + step, first + 2n * step];
  const inside = new Set(loop.map(({ address }) => address));
  const begin = { kind: 'instruction', address: realAddress(head), length: 0 } as const;
  const guard: Block = {
    ...head,
    statements: [begin],
    terminator: { kind: 'jump', target: head.address + checked },
    flagsOut: {},
  };
  const counter: Block = {
    ...{ address: head.address + count, statements: [begin], flagsOut: {} },
    terminator: { kind: 'jump', target: head.address },
  };
  const ranges = [...new Set([...reached.values()].flatMap((each) => [...each.values()]))];
  chunks.set(guard.address, { kind: 'guard', ranges, unchecked: head.address + unchecked });
  chunks.set(counter.address, { kind: 'count', again: head.address + unchecked });
  // In the TLB a range may lie on two pages that do not follow each other; the next chunk need not. A run fails at its end.
  const comesBack = ranges.some(({ way }) => way === 'tlb');
  const places = new Map<bigint, Block[]>();
  for (const block of loop) {
    const isHead = block === head;
    const slow = (target: bigint): bigint => (target === head.address ? target + checked : target);
    const fast = (target: bigint): bigint =>
      target === head.address ? counter.address : inside.has(target) ? target + unchecked : target;
    const copy = redirected(block, block.address + unchecked, fast);
    chunks.set(copy.address, { kind: 'unchecked', reached: reached.get(block) ?? new Map() });
    const kept = redirected(block, isHead ? block.address + checked : block.address, slow);
    if (isHead && comesBack) chunks.set(kept.address, { kind: 'checked', guard: guard.address });
    places.set(block.address, isHead ? [guard, copy, counter, kept] : [copy, kept]);
  }
  return places;
}

/** The address of a block's first instruction, whatever the block stands for. */
export function realAddress({ statements, address }: Block): bigint {
  const [first] = statements;
  return first?.kind === 'instruction' ? first.address : address;
}

function redirected(block: Block, address: bigint, to: (target: bigint) => bigint): Block {
  return { ...block, address, terminator: redirect(block.terminator, to) };
}

const min = (a: bigint, b: bigint): bigint => (a < b ? a : b);
const max = (a: bigint, b: bigint): bigint => (a > b ? a : b);

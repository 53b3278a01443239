/** What blocks of loops in chunks do at their ends (chunk-loops.ts): checking what a chunk reaches, counting its rounds. */
import { pageSize } from '../../memory/machine-memory.ts';
import { runBound } from '../../memory/runs.ts';
import { tlbEntries, tlbTable } from '../../memory/tlb.ts';
import { outsideRun } from '../access/linear-access.ts';
import { stretchFlags } from '../access/page-flags.ts';
import type { Expression } from '../emit/emitter.ts';
import { type Chunk, type ChunkRange, chunkRounds } from './chunk-loops.ts';
import type { Frame } from './frame.ts';
import type { BlockPlan } from './plan.ts';
import type { Values } from './values.ts';

/** The block that is being written. */
interface Site {
  readonly plan: BlockPlan;
  readonly values: Values;
  /** Writes the way to another block of the function. */
  readonly goIf: (condition: Expression, target: bigint) => void;
}

/** Goes on in the chunk, or falls through to where the block's terminator goes. */
export function writeChunk(frame: Frame, site: Site): void {
  const { chunk } = site.plan;
  if (chunk?.kind === 'guard') guard(frame, site, chunk);
  else if (chunk?.kind === 'count') count(frame, site, chunk.again);
}

function guard(
  frame: Frame,
  site: Site,
  { ranges, unchecked }: Extract<Chunk, { kind: 'guard' }>,
): void {
  const e = frame.emitter;
  const fails = ranges.flatMap((range) => failures(frame, site.values, range));
  frame.statement(e.set(frame.roundsLocal(), e.i32(chunkRounds)));
  const any = fails.reduce((a, b) => e.op('i32.or', a, b), e.i32(0));
  site.goIf(e.op('i32.eqz', any), unchecked);
}

function count(frame: Frame, site: Site, again: bigint): void {
  const e = frame.emitter;
  const rounds = frame.roundsLocal();
  frame.statement(e.set(rounds, e.op('i32.sub', e.get(rounds, 'i32'), e.i32(1))));
  site.goIf(e.get(rounds, 'i32'), again);
}

/** Not 0 where a range cannot be reached as it should be, or has pages that must not be written just so. */
function failures(frame: Frame, values: Values, range: ChunkRange): Expression[] {
  const address = values.toLocal(values.emit(range.address), frame.native);
  if (range.way === 'linear') {
    const { bytes, writes } = range;
    const offset = offsetFrom(frame, address, frame.layout.run.lo);
    return outsideRun(frame, offset, bytes, writes ? { from: 0, bytes } : undefined);
  }
  return range.way === 'tlb'
    ? missesTlb(frame, address, range)
    : outsideWindow(frame, address, range, range.way);
}

/** Both ends lie in a run behind page tables. */
function outsideWindow(
  frame: Frame,
  address: number,
  { bytes, writes }: ChunkRange,
  index: number,
): Expression[] {
  const { emitter: e, native, layout } = frame;
  if (layout.paging === undefined) throw new TypeError('windows are for page tables');
  const { runs } = layout.paging.sites;
  const { lo, host } = layout.paging.sites.runOf(index);
  const offset = offsetFrom(frame, address, lo);
  const bound = (): Expression =>
    e.load(`${native}.load`, runBound(runs.start, index, 0), e.i32(0));
  const last = e.op(`${native}.add`, e.get(offset, native), frame.constant(BigInt(bytes - 1)));
  const isOutside = [
    e.op(`${native}.ge_u`, e.get(offset, native), bound()),
    e.op(`${native}.ge_u`, last, bound()),
  ];
  if (!writes) return isOutside;
  const place = (): Expression => frame.low(offset);
  return [...isOutside, stretchFlags(e, layout, { host, place, bytes })];
}

/** The page of the first byte is in the TLB, and the last byte's is the same or lies behind it. */
function missesTlb(frame: Frame, address: number, range: ChunkRange): Expression[] {
  const { emitter: e, native, layout } = frame;
  if (layout.paging === undefined) throw new TypeError('a TLB is for page tables');
  const table = tlbTable(layout.paging.tlb, range.writes ? 'store' : 'load');
  const entry = frame.local('i32');
  const shifted = e.op('i32.shr_u', frame.low(address), e.i32(8));
  const mask = e.i32((tlbEntries - 1) << 4);
  frame.statement(e.set(entry, e.op('i32.and', shifted, mask)));
  const word = (offset: number): Expression =>
    e.load('i32.load', table + offset, e.get(entry, 'i32'));
  frame.statement(e.set(frame.deltaLocal(range), word(8)));
  const first = e.op(`${native}.and`, e.get(address, native), frame.constant(BigInt(-pageSize)));
  const tag = e.load(`${native}.load`, table, e.get(entry, 'i32'));
  const pageOf = (low: Expression): Expression => e.op('i32.and', low, e.i32(-pageSize));
  const end = (): Expression => pageOf(e.op('i32.add', frame.low(address), e.i32(range.bytes - 1)));
  const isOther = e.op('i32.ne', end(), pageOf(frame.low(address)));
  const isApart = e.op('i32.ne', word(12), end());
  return [e.op(`${native}.ne`, tag, first), e.op('i32.and', isOther, isApart)];
}

function offsetFrom(frame: Frame, address: number, lo: bigint): number {
  const { emitter: e, native } = frame;
  const offset = frame.local(native);
  const distance = e.op(`${native}.sub`, e.get(address, native), frame.constant(lo));
  frame.statement(e.set(offset, distance));
  return offset;
}

/** What blocks of loops in chunks do at their ends (chunk-loops.ts): checking what a chunk reaches, counting its rounds. */
import { runLimit } from '../access/linear-access.ts';
import { stretchFlags } from '../access/page-flags.ts';
import type { Expression } from '../emit/emitter.ts';
import { type Chunk, type ChunkRange, chunkRounds } from './chunk-loops.ts';
import type { Frame } from './frame.ts';
import type { BlockPlan } from './plan.ts';
import type { Values } from './values.ts';
import type { Ways } from './ways.ts';

/** The block that is being written. */
interface Site {
  readonly ways: Ways;
  readonly plan: BlockPlan;
  readonly index: number;
  readonly values: Values;
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
  goIf(frame, site, e.op('i32.eqz', any), unchecked);
}

function count(frame: Frame, site: Site, again: bigint): void {
  const e = frame.emitter;
  const rounds = frame.roundsLocal();
  frame.statement(e.set(rounds, e.op('i32.sub', e.get(rounds, 'i32'), e.i32(1))));
  goIf(frame, site, e.get(rounds, 'i32'), again);
}

function goIf(frame: Frame, { ways, index }: Site, condition: Expression, target: bigint): void {
  const way = ways.goToIf(index, condition, target);
  if (way === undefined) throw new TypeError('a loop in chunks is in one function');
  frame.statement(way);
}

/** Not 0 where a range does not lie in the run, or has pages that must not be written just so. */
function failures(
  frame: Frame,
  values: Values,
  { address, bytes, writes }: ChunkRange,
): Expression[] {
  const { emitter: e, native, layout } = frame;
  const { run } = layout;
  const offset = frame.local(native);
  const distance = e.op(`${native}.sub`, values.emit(address), frame.constant(run.lo));
  const isOutside = e.op(`${native}.gt_u`, e.tee(offset, distance, native), runLimit(frame, bytes));
  if (!writes) return [isOutside];
  const low = (): Expression =>
    native === 'i64' ? e.op('i32.wrap_i64', e.get(offset, 'i64')) : e.get(offset, 'i32');
  return [isOutside, stretchFlags(e, layout, { host: run.host, place: low, bytes })];
}

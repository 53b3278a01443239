/**
 * Guest memory as one linear run: accesses side by side are checked together (access-groups.ts), against the run's length
 * and, where they write, the page flags. What does not pass leaves before the instruction, which the evaluator then does.
 */
import { constantOf } from '../../ir/build.ts';
import type { Statement, Value } from '../../ir/value.ts';
import { pageSize } from '../../memory/machine-memory.ts';
import { cpuState } from '../../x86/state.ts';
import { arg, loadOps } from '../carrier.ts';
import type { Expression } from '../emit/emitter.ts';
import type { Frame } from '../lower/frame.ts';
import type { Values } from '../lower/values.ts';
import {
  type AccessGroup,
  AccessGroups,
  type GroupedAccess,
  isForWrite,
  mostSpan,
} from './access-groups.ts';
import type { Fact } from './address-facts.ts';
import type { BlockChecks } from './block-checks.ts';
import { callBulk } from './call-bulk.ts';
import { bulkFunction } from './linear-bulk.ts';
import type { AccessSite, ExitIf, MemoryAccess } from './memory-access.ts';
import { ownFlags, pageFlagsAt, stretchFlags } from './page-flags.ts';

export class LinearAccess implements MemoryAccess {
  readonly #site: AccessSite;
  readonly #frame: Frame;
  readonly #values: Values;
  readonly #groups: AccessGroups;
  readonly #checks: BlockChecks | undefined;
  readonly #checked = new Map<AccessGroup, Checked>();

  constructor(site: AccessSite) {
    this.#site = site;
    this.#frame = site.frame;
    this.#values = site.values;
    this.#checks = site.checks;
    this.#groups = site.checks?.groups ?? new AccessGroups(site.block, site.frame.layout.mode);
  }

  load(statement: Extract<Statement, { kind: 'load' }>): void {
    const { value } = statement;
    const access = this.#groups.ofLoad(statement);
    const { pointer, offset } = this.#reach(access, arg(value, 0), isForWrite(value));
    if (this.#values.usesOf(value) === 0) return;
    const e = this.#frame.emitter;
    this.#values.keep(value, e.load(loadOps[value.width], offset, e.get(pointer, 'i32')));
  }

  store(statement: Extract<Statement, { kind: 'store' }>): void {
    const e = this.#frame.emitter;
    const { address, value } = statement;
    const { pointer, offset } = this.#reach(this.#groups.ofStore(statement), address, true);
    for (const { op, at, value: part } of this.#values.stored(value))
      this.#frame.statement(e.store(op, offset + at, e.get(pointer, 'i32'), part));
  }

  bulk({ value }: Extract<Statement, { kind: 'bulk' }>): void {
    const { layout, context } = this.#frame;
    callBulk(this.#frame, this.#values, value, (op, width) =>
      context.shared(`${op}${width}`, () => bulkFunction(op, layout, width)),
    );
  }

  /** Where the access at hand is: a local and a constant. Checks its group where nobody has yet. */
  #reach(
    access: GroupedAccess,
    address: Value,
    writes: boolean,
  ): { pointer: number; offset: number } {
    const { group, offset } = access;
    const checked = this.#checked.get(group) ?? this.#check(address, access);
    if (writes && !checked.isWritable) {
      this.#checkFlags(checked.pointer, group);
      checked.isWritable = true;
    }
    const { pointer } = checked;
    const { host } = this.#frame.layout.run;
    return { pointer, offset: host + Number(offset - group.least) };
  }

  /** The group's first byte as an offset in the run, which is compared with the run's length. */
  #check(address: Value, access: GroupedAccess): Checked {
    const e = this.#frame.emitter;
    const { native, layout } = this.#frame;
    const { group } = access;
    const { least, end } = group;
    const { base, constant } = this.#sum(address, least - access.offset - layout.run.lo);
    const isReached = this.#site.reached !== undefined;
    const isWritable = isReached || this.#checks?.isWritable(group) === true;
    const checked = { pointer: this.#frame.local('i32'), isWritable };
    this.#checked.set(group, checked);
    if (isReached || this.#checks?.isInside(group) === true) {
      // Of a sum of 32 bits V8 makes one instruction, of one of 64 that is cut two.
      const low = native === 'i32' ? base : e.op('i32.wrap_i64', base);
      const by = e.i32(Number(BigInt.asIntN(32, constant)));
      this.#frame.statement(e.set(checked.pointer, e.op('i32.add', low, by)));
      return checked;
    }
    const offset = native === 'i32' ? checked.pointer : this.#frame.local(native);
    const distance = e.op(`${native}.add`, base, this.#frame.constant(constant));
    const limit = runLimit(this.#frame, Number(end - least));
    const isOutside = e.op(`${native}.gt_u`, e.tee(offset, distance, native), limit);
    this.#frame.statement(this.#site.exitIf(isOutside));
    if (native === 'i64') this.#frame.statement(e.set(checked.pointer, this.#frame.low(offset)));
    return checked;
  }

  /** An address and a number more; a constant that the address ends with goes into that. */
  #sum(address: Value, number: bigint): { base: Expression; constant: bigint } {
    const [sum, addend] = address.args;
    const own = address.op === 'add' && addend !== undefined ? constantOf(addend) : undefined;
    const isPending = this.#values.usesOf(address) < 2 && !this.#values.isWritten(address);
    const isFolded = own !== undefined && sum !== undefined && isPending;
    const base = this.#values.emit(isFolded ? sum : address);
    return { base, constant: isFolded ? number + own : number };
  }

  /** The flags of the first page that the group writes, and, where it reaches into the next one, whether that has any. */
  #checkFlags(pointer: number, { least, end, written = { least, end } }: AccessGroup): void {
    const e = this.#frame.emitter;
    const { layout } = this.#frame;
    const place = (): Expression => {
      const low = e.get(pointer, 'i32');
      const distance = Number(written.least - least);
      return distance === 0 ? low : e.op('i32.add', low, e.i32(distance));
    };
    const bytes = Number(written.end - written.least);
    const flags = pageFlagsAt(e, layout, layout.run.host, place());
    if (bytes === 1) {
      this.#frame.statement(this.#site.exitIf(ownFlags(e, flags)));
      return;
    }
    const held = this.#frame.local('i32');
    const within = e.op('i32.and', place(), e.i32(pageSize - 1));
    const crosses = e.op('i32.gt_u', within, e.i32(pageSize - bytes));
    const isFlagged = e.op('i32.or', ownFlags(e, e.get(held, 'i32')), crosses);
    const look = this.#site.exitInsideIf(isFlagged);
    this.#frame.statement(e.ifRare(e.tee(held, flags, 'i32'), [look]));
  }
}

/** Leaves where what is to be known of an address does not hold. */
export function writeCheck(frame: Frame, { parts, inside, writable }: Fact, exitIf: ExitIf): void {
  const { emitter: e, native } = frame;
  let sum = frame.constant(BigInt(inside.least) - frame.layout.run.lo);
  for (const [register, factor] of parts) {
    const held = e.get(frame.registerLocal(register), native);
    const times = factor === 1 ? held : e.op(`${native}.mul`, held, frame.constant(BigInt(factor)));
    sum = e.op(`${native}.add`, times, sum);
  }
  const offset = frame.local(native);
  frame.statement(e.set(offset, sum));
  const written = writable && {
    from: writable.least - inside.least,
    bytes: writable.end - writable.least,
  };
  for (const fails of outsideRun(frame, offset, inside.end - inside.least, written))
    frame.statement(exitIf(fails));
}

/** Not 0 where so many bytes from an offset in a local do not lie in the run; and where some of them have pages with flags. */
export function outsideRun(
  frame: Frame,
  offset: number,
  bytes: number,
  written: { readonly from: number; readonly bytes: number } | undefined,
): Expression[] {
  const { emitter: e, native, layout } = frame;
  const isOutside = e.op(`${native}.gt_u`, e.get(offset, native), runLimit(frame, bytes));
  if (written === undefined) return [isOutside];
  const { host } = layout.run;
  const place = (): Expression =>
    written.from === 0
      ? frame.low(offset)
      : e.op('i32.add', frame.low(offset), e.i32(written.from));
  return [isOutside, stretchFlags(e, layout, { host, place, bytes: written.bytes })];
}

/** The last offset at which so many bytes lie in the run; up to 7 bytes less where that is one comparison with memory. */
function runLimit(frame: Frame, bytes: number): Expression {
  const { native, emitter: e } = frame;
  const log = Math.log2(bytes);
  if (Number.isInteger(log) && log <= 4)
    return frame.loadState(native, cpuState.runLimits + 8 * log);
  if (bytes <= mostSpan)
    return frame.loadState(native, cpuState.runSpans + 8 * Math.ceil(bytes / 8 - 1));
  const last = frame.loadState(native, cpuState.runLimits);
  return e.op(`${native}.sub`, last, frame.constant(BigInt(bytes - 1)));
}

/** A group whose first byte is in a local, as an offset in the run. */
interface Checked {
  readonly pointer: number;
  isWritable: boolean;
}

/**
 * Guest memory as one linear run: the offset in the run against its length, for stores the page flags as well. What does
 * not pass leaves before the instruction, which the evaluator then does.
 */
import type { Statement, Value } from '../ir/value.ts';
import { cpuState } from '../x86/state.ts';
import { arg, loadOps, storeOps } from './carrier.ts';
import type { Expression } from './emitter.ts';
import type { Frame } from './frame.ts';
import { bulkFunction } from './linear-bulk.ts';
import { type AccessSite, accessKind, type MemoryAccess } from './memory-access.ts';
import type { Values } from './values.ts';

export class LinearAccess implements MemoryAccess {
  readonly #site: AccessSite;
  readonly #frame: Frame;
  readonly #values: Values;

  constructor(site: AccessSite) {
    this.#site = site;
    this.#frame = site.frame;
    this.#values = site.values;
  }

  load({ value }: Extract<Statement, { kind: 'load' }>): void {
    const e = this.#frame.emitter;
    const kind = value.detail === 1 ? accessKind.write : accessKind.read;
    const pointer = this.#check(this.#values.emit(arg(value, 0)), bytesOf(value), kind);
    if (this.#values.usesOf(value) === 0) return;
    const { host } = this.#frame.layout.run;
    this.#values.keep(value, e.load(loadOps[value.width], host, e.get(pointer, 'i32')));
  }

  store({ address, value }: Extract<Statement, { kind: 'store' }>): void {
    const e = this.#frame.emitter;
    const pointer = this.#check(this.#values.emit(address), bytesOf(value), accessKind.write);
    const { host } = this.#frame.layout.run;
    const op = storeOps[value.width];
    this.#frame.statement(e.store(op, host, e.get(pointer, 'i32'), this.#values.emit(value)));
  }

  bulk({ value }: Extract<Statement, { kind: 'bulk' }>): void {
    const e = this.#frame.emitter;
    const { layout, context, native } = this.#frame;
    const { op } = value;
    const width = value.detail as number;
    if ((op !== 'bulkCopy' && op !== 'bulkFill') || !isElement(width))
      throw new TypeError(`${op} of ${width} bits is no bulk operation`);
    const name = context.shared(`${op}${width}`, () => bulkFunction(op, layout, width));
    const wide = (index: number): Expression => {
      const plain = this.#values.emit(arg(value, index));
      return arg(value, index).width === 64 ? plain : e.op('i64.extend_i32_u', plain);
    };
    const args = [wide(0), wide(1), wide(2), this.#values.emit(arg(value, 3))];
    const done = e.call(name, args, 'i64');
    this.#values.keep(value, native === 'i64' ? done : e.op('i32.wrap_i64', done));
  }

  /** Statements that check an access; the local that holds the offset in the run, 32 bits. */
  #check(address: Expression, bytes: number, kind: number): number {
    const e = this.#frame.emitter;
    const native = this.#frame.native;
    const offset = this.#frame.local(native);
    const distance = e.op(
      `${native}.sub`,
      address,
      this.#frame.constant(this.#frame.layout.run.lo),
    );
    this.#frame.statement(e.set(offset, distance));
    const limit = this.#frame.loadState(native, cpuState.runLimits + 8 * Math.log2(bytes));
    const outside = e.op(`${native}.gt_u`, e.get(offset, native), limit);
    this.#frame.statement(e.ifThen(outside, this.#site.exit()));
    const pointer = this.#pointer(offset);
    if (kind === accessKind.write) {
      this.#frame.statement(e.ifThen(this.#flagged(pointer, bytes), this.#site.exit()));
    }
    return pointer;
  }

  #pointer(offset: number): number {
    if (this.#frame.native === 'i32') return offset;
    const e = this.#frame.emitter;
    const pointer = this.#frame.local('i32');
    this.#frame.statement(e.set(pointer, e.op('i32.wrap_i64', e.get(offset, 'i64'))));
    return pointer;
  }

  /** The flag of the first byte's page, and of the last one's. */
  #flagged(pointer: number, bytes: number): Expression {
    const e = this.#frame.emitter;
    const { pageFlags, run } = this.#frame.layout;
    const table = pageFlags + Math.floor(run.host / 4096);
    const flag = (place: Expression): Expression =>
      e.load('i32.load8_u', table, e.op('i32.shr_u', place, e.i32(12)));
    const first = flag(e.get(pointer, 'i32'));
    if (bytes === 1) return first;
    return e.op('i32.or', first, flag(e.op('i32.add', e.get(pointer, 'i32'), e.i32(bytes - 1))));
  }
}

const isElement = (width: number): width is 8 | 16 | 32 | 64 => [8, 16, 32, 64].includes(width);

const bytesOf = (value: Value): number => Math.max(value.width / 8, 1);

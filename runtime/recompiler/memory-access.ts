/**
 * Guest loads and stores through the linear run: offset in the run against its length, for stores the page flags as well.
 * What does not pass leaves the function before the instruction.
 */

import type { Width } from '../ir/ops.ts';
import { cpuState } from '../x86/state.ts';
import { loadOps, storeOps } from './carrier.ts';
import type { Expression } from './emitter.ts';
import type { Frame } from './frame.ts';
import { leaveReasons } from './leave-reasons.ts';

/** What an `access` leave's operand says: the kind, and the span in bytes above it. */
export const accessKind = { read: 0, write: 1 } as const;

export type Exit = (cause: { reason: number; operand: number }) => Expression[];

export class MemoryLowering {
  readonly #frame: Frame;
  readonly #exit: Exit;

  constructor(frame: Frame, exit: Exit) {
    this.#frame = frame;
    this.#exit = exit;
  }

  /** Statements that check an access; the local that holds the offset in the run, 32 bits. */
  check(address: Expression, bytes: number, kind: number): number {
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
    this.#frame.statement(e.ifThen(outside, this.#leave(offset, bytes, kind)));
    const pointer = this.#pointer(offset);
    if (kind === accessKind.write) {
      this.#frame.statement(
        e.ifThen(this.#flagged(pointer, bytes), this.#leave(offset, bytes, kind)),
      );
    }
    return pointer;
  }

  load(pointer: number, width: Width): Expression {
    const e = this.#frame.emitter;
    return e.load(loadOps[width], this.#frame.layout.run.host, e.get(pointer, 'i32'));
  }

  store(pointer: number, width: Width, value: Expression): Expression {
    const e = this.#frame.emitter;
    return e.store(storeOps[width], this.#frame.layout.run.host, e.get(pointer, 'i32'), value);
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

  #leave(offset: number, bytes: number, kind: number): Expression[] {
    const e = this.#frame.emitter;
    const wide =
      this.#frame.native === 'i64'
        ? e.get(offset, 'i64')
        : e.op('i64.extend_i32_u', e.get(offset, 'i32'));
    return [
      this.#frame.storeState('i64', cpuState.leaveAddress, wide),
      ...this.#exit({ reason: leaveReasons.access, operand: kind | (bytes << 1) }),
    ];
  }
}

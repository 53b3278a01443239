/**
 * The one module that knows the function table: `run` goes from function to function until one leaves for the host; `call`
 * serves indirect calls and calls between modules. Both find code through the code map.
 */

import { RSP } from '../x86/registers.ts';
import { cpuState, registerOffset } from '../x86/state.ts';
import type { Emitter, Expression, WasmType } from './emit/emitter.ts';
import { codeMapEntries, type Layout, stackBudget } from './layout.ts';
import { leaveReasons } from './leave-reasons.ts';

/** The leave reason while nothing has left: a pc of all ones then is the guest's own, not `left` (layout.ts). */
const noReason = -1;

/** Bytes of host stack that a frame of `call` takes. */
const callCost = 160;

export function buildDispatcher(e: Emitter, layout: Layout): Uint8Array {
  const native: WasmType = layout.mode === 64 ? 'i64' : 'i32';
  e.importTable('table');
  const writer = new DispatcherWriter(e, layout, native);
  e.addFunction('run', [], [], [native, native, 'i32'], writer.run());
  e.addFunction(
    'call',
    [native, native, 'i32'],
    [native, native],
    [native, native, 'i32'],
    writer.call(),
  );
  e.exportFunction('run');
  e.exportFunction('call');
  return e.finish();
}

/** Offset in the code map of the entry of an address, of which `low` writes the lower 32 bits (codeMapIndex in layout.ts). */
export function codeMapEntry(e: Emitter, low: () => Expression): Expression {
  const mixed = e.op('i32.xor', low(), e.op('i32.shr_u', low(), e.i32(16)));
  return e.op('i32.shl', e.op('i32.and', mixed, e.i32(codeMapEntries - 1)), e.i32(4));
}

class DispatcherWriter {
  readonly #e: Emitter;
  readonly #layout: Layout;
  readonly #native: 'i32' | 'i64';

  constructor(e: Emitter, layout: Layout, native: 'i32' | 'i64') {
    this.#e = e;
    this.#layout = layout;
    this.#native = native;
  }

  /** Locals: 0 pc, 1 rsp, 2 the entry in the code map. */
  run(): Expression {
    const e = this.#e;
    const polls = e.op('i32.sub', this.#load('i32', cpuState.polls), e.i32(1));
    const leave = (reason: number): Expression[] => [
      this.#store('i64', cpuState.rip, this.#wide(0)),
      this.#store('i64', cpuState.leaveReason, e.i64(BigInt(reason))),
      ...this.#keepRsp(),
      e.return(),
    ];
    return e.block(undefined, [
      e.set(0, this.#load(this.#native, cpuState.rip)),
      e.set(1, this.#load(this.#native, registerOffset(RSP))),
      this.#store('i32', cpuState.leaveReason, e.i32(noReason)),
      e.loop('next', [
        this.#store('i32', cpuState.polls, polls),
        e.ifThen(
          e.op('i32.lt_s', this.#load('i32', cpuState.polls), e.i32(0)),
          leave(leaveReasons.poll),
        ),
        this.#find(0, 2),
        e.ifThen(this.#misses(0, 2), leave(leaveReasons.jump)),
        this.#enter(2, 1, e.i32(stackBudget), [0, 1]),
        e.ifThen(this.#hasLeft(0), [
          e.ifThen(
            e.op('i32.eq', this.#load('i32', cpuState.leaveReason), e.i32(noReason)),
            leave(leaveReasons.jump),
          ),
          ...this.#keepRsp(),
          e.return(),
        ]),
        e.branch('next'),
      ]),
    ]);
  }

  /** Parameters: 0 pc, 1 rsp, 2 depth; locals: 3 and 4 results, 5 the entry. What cannot be called is given back to jump to. */
  call(): Expression {
    const e = this.#e;
    const back = e.return(e.get(0, this.#native), e.get(1, this.#native));
    const depth = e.op('i32.sub', e.get(2, 'i32'), e.i32(callCost));
    return e.block(undefined, [
      e.set(2, depth),
      this.#find(0, 5),
      e.ifThen(e.op('i32.or', e.op('i32.lt_s', e.get(2, 'i32'), e.i32(0)), this.#misses(0, 5)), [
        back,
      ]),
      this.#enter(5, 1, e.get(2, 'i32'), [3, 4]),
      e.return(e.get(3, this.#native), e.get(4, this.#native)),
    ]);
  }

  #load(type: WasmType, offset: number): Expression {
    return this.#e.load(`${type}.load`, this.#layout.state + offset, this.#e.i32(0));
  }

  #store(type: WasmType, offset: number, value: Expression): Expression {
    return this.#e.store(`${type}.store`, this.#layout.state + offset, this.#e.i32(0), value);
  }

  #keepRsp(): Expression[] {
    return [this.#store(this.#native, registerOffset(RSP), this.#e.get(1, this.#native))];
  }

  #wide(local: number): Expression {
    const e = this.#e;
    const value = e.get(local, this.#native);
    return this.#native === 'i64' ? value : e.op('i64.extend_i32_u', value);
  }

  #low(local: number): Expression {
    const e = this.#e;
    const value = e.get(local, this.#native);
    return this.#native === 'i64' ? e.op('i32.wrap_i64', value) : value;
  }

  /** The place of the entry that an address has in the code map (codeMapIndex in layout.ts). */
  #find(pc: number, entry: number): Expression {
    return this.#e.set(
      entry,
      codeMapEntry(this.#e, () => this.#low(pc)),
    );
  }

  #misses(pc: number, entry: number): Expression {
    const e = this.#e;
    return e.op(
      'i64.ne',
      e.load('i64.load', this.#layout.codeMap, e.get(entry, 'i32')),
      this.#wide(pc),
    );
  }

  #enter(
    entry: number,
    rsp: number,
    depth: Expression,
    results: readonly [number, number],
  ): Expression {
    const e = this.#e;
    const word = (offset: number): Expression =>
      e.load('i32.load', this.#layout.codeMap + offset, e.get(entry, 'i32'));
    return e.callIndirectPair(
      word(8),
      [word(12), e.get(rsp, this.#native), depth],
      ['i32', this.#native, 'i32'],
      [this.#native, this.#native],
      results,
    );
  }

  #hasLeft(pc: number): Expression {
    const e = this.#e;
    return e.op(
      `${this.#native}.eq`,
      e.get(pc, this.#native),
      this.#native === 'i64' ? e.i64(-1n) : e.i32(-1),
    );
  }
}

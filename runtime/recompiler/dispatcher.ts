/**
 * The one module that knows the function table: `run` goes from function to function until one leaves for the host; `call`
 * serves indirect calls and calls between modules, `jump` computed jumps. All find code through the code map. What else modules
 * ask for is here, too: V8 compiles a wrapper for every function of the host's that a module imports.
 */
import { RSP } from '../x86/registers.ts';
import { cpuState, registerOffset } from '../x86/state.ts';
import { lookUp, reach, reachFunctions } from './access/paged-reach.ts';
import { type Convention, conventionOf, fromCarrier, toCarrier } from './convention.ts';
import type { Emitter, Expression, WasmType } from './emit/emitter.ts';
import { codeMapEntries, type Layout, stackBudget } from './layout.ts';
import { leaveReasons, noReason } from './leave-reasons.ts';
import { morePolls } from './lower/more-polls.ts';
import type { SupportFunction } from './lower/support.ts';

/** Bytes of host stack that a frame of `call` takes. */
const callCost = 160;

/** Functions of the host's, and by what name modules get them. */
const handedOn = [
  { from: 'flags', as: 'hostFlags' },
  { from: 'answer', as: 'hostAnswer' },
  { from: 'more', as: morePolls },
] as const;

export function buildDispatcher(e: Emitter, layout: Layout): Uint8Array {
  const convention = conventionOf(layout.mode);
  const { native, parameterTypes, resultTypes } = convention;
  e.importTable('table');
  e.importFunction('find', ['i64', 'i32', 'i64'], ['i32']);
  for (const { from } of handedOn) e.importFunction(from, [], ['i32']);
  if (layout.paging !== undefined) e.importFunction('refill', ['i64', 'i32', 'i32'], ['i32']);
  const writer = new DispatcherWriter(e, layout, convention);
  e.addFunction('run', [], [], ['i32', native, ...resultTypes], writer.run());
  const enter = (name: string, body: Expression): void =>
    e.addFunction(name, [native, ...parameterTypes], resultTypes, ['i32', ...resultTypes], body);
  enter('call', writer.enter(true));
  enter('jump', writer.enter(false));
  for (const name of ['run', 'call', 'jump']) e.exportFunction(name);
  for (const { from, as } of handedOn) {
    e.addFunction(as, [], ['i32'], [], e.return(e.call(from, [], 'i32')));
    e.exportFunction(as);
  }
  if (layout.paging !== undefined) addReach(e, layout.paging.tlb);
  return e.finish();
}

function addReach(e: Emitter, tlb: number): void {
  const add = (name: string, { parameters, result, locals = [], body }: SupportFunction): void =>
    e.addFunction(
      name,
      parameters,
      [result],
      locals,
      body(e, (other) => other),
    );
  for (const kind of ['load', 'store'] as const) {
    add(`look_up_${kind}`, lookUp(kind, tlb));
    add(reachFunctions[kind], reach(kind, `look_up_${kind}`));
    e.exportFunction(reachFunctions[kind]);
  }
}

/** Offset in the code map of the entry of an address, of which `low` writes the lower 32 bits (codeMapIndex in layout.ts). */
export function codeMapEntry(e: Emitter, low: () => Expression): Expression {
  const mixed = e.op('i32.xor', low(), e.op('i32.shr_u', low(), e.i32(16)));
  return e.op('i32.shl', e.op('i32.and', mixed, e.i32(codeMapEntries - 1)), e.i32(4));
}

class DispatcherWriter {
  readonly #e: Emitter;
  readonly #layout: Layout;
  readonly #convention: Convention;
  readonly #native: 'i32' | 'i64';

  constructor(e: Emitter, layout: Layout, convention: Convention) {
    this.#e = e;
    this.#layout = layout;
    this.#convention = convention;
    this.#native = convention.native;
  }

  /** Between two functions everything is in the state block. Locals: 0 the entry in the code map, 1 pc, from 2 on results. */
  run(): Expression {
    const e = this.#e;
    const native = this.#native;
    const polls = e.op('i32.sub', this.#load('i32', cpuState.polls), e.i32(1));
    const leave = (reason: number): Expression[] => [
      this.#store('i64', cpuState.leaveReason, e.i64(BigInt(reason))),
      e.return(),
    ];
    const { parameters, results } = this.#convention;
    const args = [
      this.#load(native, registerOffset(RSP)),
      e.i32(stackBudget),
      ...parameters.map(({ register, as }) =>
        toCarrier(e, as, this.#load(native, registerOffset(register))),
      ),
    ];
    const kept = results.map(({ register, as }, i) =>
      this.#store(native, registerOffset(register), fromCarrier(e, as, e.get(3 + i, as))),
    );
    return e.block(undefined, [
      this.#store('i32', cpuState.leaveReason, e.i32(noReason)),
      e.set(1, this.#load(native, cpuState.rip)),
      e.loop('next', [
        this.#store('i32', cpuState.polls, polls),
        e.ifThen(
          e.op('i32.lt_s', this.#load('i32', cpuState.polls), e.i32(0)),
          leave(leaveReasons.poll),
        ),
        this.#find(1, 0),
        e.ifThen(this.#misses(1, 0), leave(leaveReasons.jump)),
        ...this.#enter(0, args, 2),
        e.ifThen(e.op('i32.ne', this.#load('i32', cpuState.leaveReason), e.i32(noReason)), [
          e.return(),
        ]),
        this.#store(native, registerOffset(RSP), e.get(2, native)),
        ...kept,
        e.set(1, this.#load(native, cpuState.returnedTo)),
        this.#store('i64', cpuState.rip, this.#wide(1)),
        e.branch('next'),
      ]),
    ]);
  }

  /**
   * Parameters: 0 pc, then those of all functions; locals: the entry, results. What cannot be called is given back to jump to.
   * The host makes functions at once: what is called is one, what is jumped to may be.
   */
  enter(isCall: boolean): Expression {
    const e = this.#e;
    const { parameters, parameterTypes, results, resultTypes } = this.#convention;
    const [sp, depth, firstRegister] = [1, 2, 3];
    const entry = 1 + parameterTypes.length;
    const given = parameters.map(({ register, as }, i) => ({
      register,
      value: (): Expression => fromCarrier(e, as, e.get(firstRegister + i, as)),
    }));
    const back = (): Expression[] => [
      ...given
        .filter(({ register }) => (this.#convention.returned & (1 << register)) === 0)
        .map(({ register, value }) => this.#store(this.#native, registerOffset(register), value())),
      this.#store(this.#native, cpuState.returnedTo, e.get(0, this.#native)),
      e.return(
        e.get(sp, this.#native),
        ...results.map((result) => {
          const same = given.find(({ register }) => register === result.register);
          if (same === undefined) throw new TypeError('what is returned is passed as well');
          return toCarrier(e, result.as, same.value());
        }),
      ),
    ];
    const args = parameterTypes.map((type, i) => e.get(1 + i, type));
    const found = e.call('find', [this.#wide(0), e.i32(isCall ? 1 : 0), this.#wide(sp)], 'i32');
    return e.block(undefined, [
      e.set(depth, e.op('i32.sub', e.get(depth, 'i32'), e.i32(callCost))),
      e.ifRare(e.op('i32.lt_s', e.get(depth, 'i32'), e.i32(0)), back()),
      this.#find(0, entry),
      e.ifRare(this.#misses(0, entry), [e.ifThen(e.op('i32.eqz', found), back())]),
      ...this.#enter(entry, args, entry + 1),
      e.return(...resultTypes.map((type, i) => e.get(entry + 1 + i, type))),
    ]);
  }

  #load(type: WasmType, offset: number): Expression {
    return this.#e.load(`${type}.load`, this.#layout.state + offset, this.#e.i32(0));
  }

  #store(type: WasmType, offset: number, value: Expression): Expression {
    return this.#e.store(`${type}.store`, this.#layout.state + offset, this.#e.i32(0), value);
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

  /** Calls the function of an entry; results go to locals from `firstResult` on. */
  #enter(entry: number, args: readonly Expression[], firstResult: number): Expression[] {
    const e = this.#e;
    const { parameterTypes, resultTypes } = this.#convention;
    const word = (offset: number): Expression =>
      e.load('i32.load', this.#layout.codeMap + offset, e.get(entry, 'i32'));
    return [
      e.ifRare(word(12), [this.#store('i32', cpuState.selector, word(12))]),
      e.callIndirectInto(
        resultTypes.map((_, i) => firstResult + i),
        word(8),
        args,
        parameterTypes,
        resultTypes,
      ),
    ];
  }
}

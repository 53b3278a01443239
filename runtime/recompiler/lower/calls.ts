/** How a function takes over, calls, and goes back, by the convention (convention.ts): statements that do so. */
import { RSP } from '../../x86/registers.ts';
import { cpuState, registerOffset } from '../../x86/state.ts';
import { type Carried, firstCarried, fromCarrier, spParameter, toCarrier } from '../convention.ts';
import type { Expression } from '../emit/emitter.ts';
import { left } from '../layout.ts';
import type { Frame } from './frame.ts';

export class Calls {
  readonly #frame: Frame;

  constructor(frame: Frame) {
    this.#frame = frame;
  }

  /** What a function does before all else: registers that came as something else go to their locals. */
  receive(): Expression[] {
    const e = this.#frame.emitter;
    return this.#frame.convention.parameters.flatMap(({ register, as }, i) =>
      as === this.#frame.native
        ? []
        : [
            e.set(
              this.#frame.registerLocal(register),
              fromCarrier(e, as, e.get(firstCarried + i, as)),
            ),
          ],
    );
  }

  /** What every callee gets. */
  arguments(): Expression[] {
    return [
      this.#frame.sp(),
      this.#frame.depth(),
      ...this.#carried(this.#frame.convention.parameters),
    ];
  }

  /** Calls a function and hands its results on. */
  tail(name: string, args: readonly Expression[]): Expression[] {
    const e = this.#frame.emitter;
    const { resultTypes } = this.#frame.convention;
    const locals = resultTypes.map((type) => this.#frame.local(type));
    const results = resultTypes.map((type, i) => e.get(locals[i] ?? 0, type));
    return [e.callInto(locals, name, args, resultTypes), e.return(...results)];
  }

  /** Calls a function; where it does not come back to an address, its results are ours. */
  call(name: string, args: readonly Expression[], returnTo: bigint): Expression[] {
    const e = this.#frame.emitter;
    const { native } = this.#frame;
    const { results, resultTypes } = this.#frame.convention;
    const raw = results.map(({ register, as }) =>
      as === native ? this.#frame.registerLocal(register) : this.#frame.local(as),
    );
    const locals = [spParameter, ...raw];
    const same = resultTypes.map((type, i) => e.get(locals[i] ?? 0, type));
    const returnedTo = this.#frame.loadState(native, cpuState.returnedTo);
    const elsewhere = e.op(`${native}.ne`, returnedTo, this.#frame.constant(returnTo));
    const received = results.flatMap(({ register, as }, i) =>
      as === native
        ? []
        : [e.set(this.#frame.registerLocal(register), fromCarrier(e, as, e.get(raw[i] ?? 0, as)))],
    );
    return [
      e.callInto(locals, name, args, resultTypes),
      e.ifRare(elsewhere, [e.return(...same)]),
      ...received,
    ];
  }

  /** Returns to a guest address; registers that do not travel are in the state block. */
  return(to: Expression): Expression[] {
    const results = this.#carried(this.#frame.convention.results);
    return [
      this.#frame.storeState(this.#frame.native, cpuState.returnedTo, to),
      this.#frame.emitter.return(this.#frame.sp(), ...results),
    ];
  }

  #carried(carried: readonly Carried[]): Expression[] {
    const e = this.#frame.emitter;
    return carried.map(({ register, as }) =>
      toCarrier(e, as, e.get(this.#frame.registerLocal(register), this.#frame.native)),
    );
  }

  /** Back to the host: all is in the state block, and what travels back is nothing. */
  left(): Expression[] {
    const e = this.#frame.emitter;
    const nothing = this.#frame.convention.results.map(({ as }) =>
      toCarrier(e, as, this.#frame.constant(0n)),
    );
    return [
      this.#frame.storeState(this.#frame.native, registerOffset(RSP), this.#frame.sp()),
      this.#frame.storeState(this.#frame.native, cpuState.returnedTo, this.#frame.constant(left)),
      e.return(this.#frame.constant(0n), ...nothing),
    ];
  }
}

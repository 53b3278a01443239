/** How a handler of a signal is entered and left: on which stack, with which mask (POSIX XSH sigaction, sigaltstack). */
import type { GuestCpu } from '../../domain/guest-cpu.ts';
import { XenError } from '../../errors.ts';
import type { GuestMemory } from '../../memory/guest-memory.ts';
import { RSP } from '../../x86/registers.ts';
import { bit, SA, signalName, unblockable } from '../abi/signal.ts';
import type { Entry } from './callback.ts';
import { redZone } from './callbacks.ts';
import { type SignalInfo, siginfoBytes } from './pending-signals.ts';
import { type FrameAddresses, placeFrame, readFrame, writeFrame } from './signal-frame.ts';
import { alternateAt, changeAlternate, type ThreadSignals } from './thread-signals.ts';

export interface Action {
  readonly handler: bigint;
  readonly mask: bigint;
  /** SA, as an unsigned word. */
  readonly flags: number;
}

/** Of the handler's own: its return address and, on x86-32, arguments. */
const ownFrame = 64;

export class SignalHandlers {
  readonly #cpu: GuestCpu;
  readonly #memory: GuestMemory;

  constructor(cpu: GuestCpu, memory: GuestMemory) {
    this.#cpu = cpu;
    this.#memory = memory;
  }

  /** `top` is where the thread's stack is free. */
  place(signals: ThreadSignals, { flags }: Action, top: bigint): FrameAddresses {
    const { ss_sp, ss_size, ss_flags } = alternateAt(signals, this.#cpu.register(RSP));
    const switches = (flags & SA.ONSTACK) !== 0 && ss_flags === 0;
    return placeFrame(switches ? ss_sp + ss_size : top, this.#cpu.mode);
  }

  /** Why the handler of what the thread's instruction has raised cannot run. */
  whyNot(signals: ThreadSignals, signal: number, action: Action): string | undefined {
    const sp = this.#cpu.register(RSP);
    const at = this.place(signals, action, this.#cpu.mode === 64 ? sp - redZone : sp);
    try {
      this.#checkRoom(signals, at);
      return undefined;
    } catch (error) {
      if (error instanceof XenError) return noRoom(signal, error).message;
      throw error;
    }
  }

  /** An XenError says that there is no room. */
  enter(
    signals: ThreadSignals,
    { handler, mask, flags }: Action,
    info: SignalInfo,
    at: FrameAddresses,
  ): Entry {
    const { low, high } = rangeOf(signals);
    const isThere = at.context >= low && at.context < high;
    try {
      this.#checkRoom(signals, at);
      writeFrame(this.#cpu, this.#memory, at, {
        info: siginfoBytes(info, this.#cpu.mode),
        mask: signals.suspended ?? signals.mask,
        stack: signals.alternate,
        fault: signals.fault,
      });
    } catch (error) {
      throw error instanceof XenError ? noRoom(info.signal, error) : error;
    }
    signals.suspended = undefined;
    const own = (flags & SA.NODEFER) === 0 ? bit(info.signal) : 0n;
    signals.mask = (signals.mask | mask | own) & ~unblockable;
    return {
      function: handler,
      arguments: [BigInt(info.signal), at.info, at.context],
      top: at.context,
      ...(isThere && { stack: { low, high } }),
    };
  }

  /** The handler has returned, and the vCPU has what it interrupted; whether the thread goes on elsewhere. */
  leave(signals: ThreadSignals, at: FrameAddresses): boolean {
    const { mask, stack, isElsewhere, changesMxcsr } = readFrame(this.#cpu, this.#memory, at);
    signals.mask = mask & ~unblockable;
    try {
      changeAlternate(signals, this.#cpu.register(RSP), stack);
    } catch (error) {
      // As Linux has it: what sigaltstack would refuse changes nothing.
      if (!(error instanceof XenError)) throw error;
    }
    if (changesMxcsr) this.#cpu.guardFloats();
    return isElsewhere;
  }

  /** A frame of a thread that is on the alternate stack, or is to go there, must end there. */
  #checkRoom(signals: ThreadSignals, at: FrameAddresses): void {
    const { low, high } = rangeOf(signals);
    const sp = this.#cpu.register(RSP);
    const isThere = (sp > low && sp <= high) || (at.floats >= low && at.floats < high);
    const lowest = at.context - BigInt(ownFrame);
    if (isThere && lowest < low) throw new XenError('EFAULT', 'its alternate stack is full');
    this.#memory.checkWritable(lowest, Number(at.floats - lowest));
  }
}

const rangeOf = ({ alternate }: ThreadSignals): { low: bigint; high: bigint } => ({
  low: alternate.ss_sp,
  high: alternate.ss_sp + alternate.ss_size,
});

const noRoom = (signal: number, error: XenError): XenError =>
  new XenError(
    'EFAULT',
    `the handler of ${signalName(signal)} has no stack to run on: ${error.message}`,
  );

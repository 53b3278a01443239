/**
 * Signals as far as one process has them (POSIX XSH 2.4, as Linux does it): actions, masks, what is pending, and handlers, which are
 * callbacks on the stack of a thread that does not block the signal.
 */
import type { Leave } from '../../cpu/leave.ts';
import type { GuestCpu } from '../../domain/guest-cpu.ts';
import { XenError } from '../../errors.ts';
import type { GuestMemory } from '../../memory/guest-memory.ts';
import { RSP } from '../../x86/registers.ts';
import {
  allSignals,
  bit,
  ignoredByDefault,
  MINIOS_SA_ASIDE,
  NSIG,
  SA,
  SI,
  SIG,
  SIG_DFL,
  SIG_HOW,
  SIG_IGN,
  sigaction,
  signalName,
  stack_t,
  stopping,
  unblockable,
} from '../abi/signal.ts';
import { failure } from '../errno.ts';
import type { Callback, WakeSource } from './callback.ts';
import type { Callbacks } from './callbacks.ts';
import { signalOf } from './fault-signals.ts';
import { orPark, Park } from './park.ts';
import { PendingSignals, type SignalInfo, siginfoBytes } from './pending-signals.ts';
import type { FrameAddresses } from './signal-frame.ts';
import { type Action, SignalHandlers } from './signal-handlers.ts';
import { alternateAt, changeAlternate } from './thread-signals.ts';
import type { Thread, Threads } from './threads.ts';

/** A domain is one process. */
export const domainPid = 1;

const defaultAction: Action = { handler: SIG_DFL, mask: 0n, flags: 0 };

export interface SignalsParts {
  readonly cpu: GuestCpu;
  readonly memory: GuestMemory;
  readonly threads: Threads;
  readonly callbacks: Callbacks;
  readonly monotonic: () => bigint;
  /** The signal's default action ends the domain. */
  readonly fatal: (signal: number, why?: string) => void;
}

export class Signals implements WakeSource {
  readonly #parts: SignalsParts;
  readonly #actions = new Map<number, Action>();
  /** Sent to the process: for whichever thread does not block them. */
  readonly #shared = new PendingSignals();
  readonly #callbacks = new WeakSet<Callback>();
  readonly #handlers: SignalHandlers;

  constructor(parts: SignalsParts) {
    this.#parts = parts;
    this.#handlers = new SignalHandlers(parts.cpu, parts.memory);
    parts.callbacks.sources.push(this);
    parts.callbacks.onFault = (leave) => this.#fault(leave);
  }

  // A source of wake-ups, so that what a thread had been chosen for before it ended gets to another.

  deadline(): undefined {
    return undefined;
  }

  isHopeful(): boolean {
    return false;
  }

  look(): void {
    if (this.#shared.set !== 0n) this.#direct();
  }

  // The rows of the API.

  setAction(signal: number, action: bigint, old: bigint): number {
    checkSignal(signal);
    const { memory, cpu } = this.#parts;
    const layout = sigaction.layout(cpu.mode);
    const before = this.#actionOf(signal);
    if (action !== 0n) {
      if ((bit(signal) & unblockable) !== 0n) throw failure('EINVAL', signalName(signal));
      const given = layout.at(memory.readBytes(action, layout.size), 0);
      const { sa_handler: handler, sa_mask, sa_flags: flags } = given;
      if (old !== 0n) memory.checkWritable(old, layout.size);
      this.#actions.set(signal, { handler, mask: sa_mask & ~unblockable, flags });
      if (this.#isIgnored(signal)) this.#discard(bit(signal));
    }
    if (old === 0n) return 0;
    const bytes = memory.readBytes(old, layout.size);
    const { handler: sa_handler, mask: sa_mask, flags: sa_flags } = before;
    Object.assign(layout.at(bytes, 0), { sa_handler, sa_mask, sa_flags });
    memory.writeBytes(old, bytes);
    return 0;
  }

  setMask(how: number, set: bigint, old: bigint): number {
    const { signals } = this.#current();
    const { memory } = this.#parts;
    const before = signals.mask;
    const given = set === 0n ? undefined : memory.readU64(set);
    if (old !== 0n) memory.writeU64(old, before);
    if (given === undefined) return 0;
    signals.mask = masked(before, how, given) & ~unblockable;
    this.#direct();
    return 0;
  }

  /** What is pending for the thread and blocked by it. */
  pending(result: bigint): number {
    const { signals } = this.#current();
    const set = (signals.pending.set | this.#shared.set) & signals.mask;
    this.#parts.memory.writeU64(result, set);
    return 0;
  }

  /** Ends with EINTR behind a handler; then the mask is the old one again. */
  suspend(mask: bigint): Park<number> {
    const { signals } = this.#current();
    const given = this.#parts.memory.readU64(mask) & ~unblockable;
    signals.suspended ??= signals.mask;
    signals.mask = given;
    this.#direct();
    return new Park<number>({
      ...{ what: 'a signal', ask: () => undefined, isHopeful: () => false, onSignal: 'end' },
    });
  }

  /** The signal's number; less than 0 nanoseconds never end. */
  wait(set: bigint, result: bigint, nanoseconds: bigint): number | Park<number> {
    const { memory, monotonic, cpu } = this.#parts;
    const { signals } = this.#current();
    const wanted = memory.readU64(set) & ~unblockable;
    const until = nanoseconds < 0n ? undefined : monotonic() + nanoseconds;
    const ask = (): number | undefined => {
      const info = signals.pending.take(wanted) ?? this.#shared.take(wanted);
      const isLate = until !== undefined && monotonic() >= until;
      if (info === undefined && !isLate) return undefined;
      signals.waitsFor = 0n;
      if (info === undefined) throw failure('EAGAIN', 'no signal came');
      if (result !== 0n) memory.writeBytes(result, siginfoBytes(info, cpu.mode));
      return info.signal;
    };
    const answer = orPark({
      ...{ what: 'a signal', ask, until, isHopeful: () => false, onSignal: 'end' },
      interrupted: () => {
        signals.waitsFor = 0n;
        return undefined;
      },
    });
    if (answer instanceof Park) signals.waitsFor = wanted;
    return answer;
  }

  /** To a thread by its struct, or to the process (0); signal 0 only asks whether it could be. */
  send(address: bigint, signal: number, code: number, value: bigint): number {
    const thread = this.#parts.threads.all.find((one) => one.address === address);
    if (address !== 0n && thread === undefined) throw failure('ESRCH', 'no such thread');
    if (signal === 0) return 0;
    checkSignal(signal);
    this.post({ signal, code, source: { by: 'call', pid: domainPid, value } }, thread);
    return 0;
  }

  setAlternateStack(stack: bigint, old: bigint): number {
    const { memory, cpu } = this.#parts;
    const { signals } = this.#current();
    const sp = cpu.register(RSP);
    const layout = stack_t.layout(cpu.mode);
    const wanted = stack === 0n ? undefined : memory.readBytes(stack, layout.size);
    const before = new Uint8Array(layout.size);
    Object.assign(layout.at(before, 0), alternateAt(signals, sp));
    if (old !== 0n) memory.checkWritable(old, layout.size);
    if (wanted !== undefined) changeAlternate(signals, sp, layout.at(wanted, 0));
    if (old !== 0n) memory.writeBytes(old, before);
    return 0;
  }

  // For the kernel.

  /** What a terminal or a timer would send. */
  raise(signal: number): SignalInfo {
    const info: SignalInfo = { signal, code: SI.KERNEL, source: { by: 'call', pid: 0, value: 0n } };
    this.post(info);
    return info;
  }

  /** EAGAIN where too many wait already. */
  post(info: SignalInfo, thread?: Thread): void {
    const set = bit(info.signal);
    if (info.signal === SIG.CONT) this.#discard(stopping);
    if ((set & stopping) !== 0n) this.#discard(bit(SIG.CONT));
    const { all } = this.#parts.threads;
    const asked = (thread ?? all.find(({ isMain }) => isMain) ?? all[0])?.signals;
    const isHeld = asked !== undefined && ((asked.mask | asked.waitsFor) & set) !== 0n;
    if (this.#isIgnored(info.signal) && !isHeld) return;
    (thread?.signals.pending ?? this.#shared).add(info);
    this.#direct();
  }

  isPending(info: SignalInfo): boolean {
    return (
      this.#shared.has(info) ||
      this.#parts.threads.all.some(({ signals }) => signals.pending.has(info))
    );
  }

  /** Whether the program has a use for the signal, so that waiting for it is not for nothing. */
  isHandled(signal: number): boolean {
    const waited = this.#parts.threads.all.some(
      ({ signals }) => (signals.waitsFor & bit(signal)) !== 0n,
    );
    return waited || this.#actionOf(signal).handler > SIG_IGN;
  }

  #current(): Thread {
    const { current } = this.#parts.threads;
    if (current === undefined) throw new TypeError('a host call of no thread');
    return current;
  }

  #actionOf(signal: number): Action {
    return this.#actions.get(signal) ?? defaultAction;
  }

  #isIgnored(signal: number): boolean {
    const { handler } = this.#actionOf(signal);
    return handler === SIG_IGN || (handler === SIG_DFL && (bit(signal) & ignoredByDefault) !== 0n);
  }

  #isDeadly(signal: number): boolean {
    return this.#actionOf(signal).handler === SIG_DFL && !this.#isIgnored(signal);
  }

  #discard(set: bigint): void {
    this.#shared.discard(set);
    for (const { signals } of this.#parts.threads.all) signals.pending.discard(set);
  }

  /** Every signal that somebody would take goes to a thread; what nobody handles has its default action at once. */
  #direct(): void {
    for (const thread of this.#parts.threads.all)
      this.#interruptBy(thread, thread.signals.pending.set);
    const shared = this.#shared.set;
    for (let signal = 1; signal < NSIG && bit(signal) <= shared; signal++) {
      const thread = (shared & bit(signal)) === 0n ? undefined : this.#takerOf(signal);
      if (thread !== undefined) this.#interruptBy(thread, bit(signal));
    }
  }

  #interruptBy(thread: Thread, set: bigint): void {
    const { mask, waitsFor } = thread.signals;
    const deliverable = set & ~mask & ~waitsFor;
    if (deliverable === 0n) return;
    const deadly = this.#firstDeadly(deliverable);
    if (deadly !== undefined) this.#parts.fatal(deadly);
    if (thread.callbacks.some((callback) => this.#callbacks.has(callback))) return;
    const isFault = thread.signals.pending.hasFault;
    this.#parts.callbacks.interrupt(thread, this.#callback(thread, isFault));
  }

  #firstDeadly(set: bigint): number | undefined {
    for (let signal = 1; signal < NSIG && bit(signal) <= set; signal++)
      if ((set & bit(signal)) !== 0n && this.#isDeadly(signal)) return signal;
    return undefined;
  }

  /**
   * The main thread before all others, as on Linux, then the running one; for a timer of timer_create that one first, as on Linux since
   * 6.4: what counts a thread's computing is to interrupt that thread, and not one that waits.
   */
  #takerOf(signal: number): Thread | undefined {
    const { all, current } = this.#parts.threads;
    const takes = ({ signals: { mask, waitsFor } }: Thread): boolean =>
      (mask & ~waitsFor & bit(signal)) === 0n;
    const main = all.find((thread) => thread.isMain && takes(thread));
    const running = current !== undefined && takes(current) ? current : undefined;
    const first = this.#shared.isOfTimer(signal) ? running : undefined;
    return first ?? main ?? running ?? all.find(takes);
  }

  #callback(thread: Thread, isFault: boolean): Callback {
    let at: FrameAddresses | undefined;
    const callback: Callback = {
      what: 'a signal',
      isMaskable: false,
      waitsForMask: !isFault,
      enter: (top, endCall) => {
        const info = this.#take(thread);
        if (info === undefined) return undefined;
        const action = this.#actionOf(info.signal);
        if ((action.flags & MINIOS_SA_ASIDE) === 0) endCall((action.flags & SA.RESTART) !== 0);
        at = this.#handlers.place(thread.signals, action, top);
        const entry = this.#handlers.enter(thread.signals, action, info, at);
        if ((action.flags & SA.RESETHAND) !== 0)
          this.#actions.set(info.signal, { ...action, handler: SIG_DFL });
        this.#direct();
        return entry;
      },
      returned: () => at !== undefined && this.#returned(thread, at),
    };
    this.#callbacks.add(callback);
    return callback;
  }

  /** The next signal that has a handler. */
  #take({ signals }: Thread): SignalInfo | undefined {
    for (;;) {
      const taken = ~signals.mask & ~signals.waitsFor & allSignals;
      const info = signals.pending.take(taken) ?? this.#shared.take(taken);
      if (info === undefined) return undefined;
      const { handler } = this.#actionOf(info.signal);
      if (handler > SIG_IGN) return info;
      if (this.#isIgnored(info.signal)) continue;
      this.#parts.fatal(info.signal);
      return undefined;
    }
  }

  /** Whether the thread goes on elsewhere than where it was interrupted. */
  #returned({ signals }: Thread, at: FrameAddresses): boolean {
    try {
      const isElsewhere = this.#handlers.leave(signals, at);
      this.#direct();
      return isElsewhere;
    } catch (error) {
      if (!(error instanceof XenError)) throw error;
      this.#parts.fatal(SIG.SEGV, `a handler of a signal returned to no frame: ${error.message}`);
      return true;
    }
  }

  /** False where no handler is to be told of it, or why the handler that there is cannot run. */
  #fault(leave: Leave): boolean | string {
    const { cpu, threads } = this.#parts;
    const { current } = threads;
    if (leave.reason !== 'exception' || current === undefined) return false;
    const info = signalOf(leave, cpu);
    if (info === undefined) return false;
    const { signals } = current;
    const action = this.#actionOf(info.signal);
    if (action.handler <= SIG_IGN) return false;
    if ((signals.mask & bit(info.signal)) !== 0n)
      return `${signalName(info.signal)} is blocked, so its handler does not run`;
    const why = this.#handlers.whyNot(signals, info.signal, action);
    if (why !== undefined) return why;
    const { vector, errorCode = 0, address = signals.fault.cr2 } = leave;
    signals.fault = { trapno: vector, err: errorCode, cr2: address };
    this.post(info, current);
    return true;
  }
}

function checkSignal(signal: number): void {
  const isLibrarys = signal === 32 || signal === 33;
  if (signal < 1 || signal >= NSIG || isLibrarys) throw failure('EINVAL', `signal ${signal}`);
}

function masked(before: bigint, how: number, set: bigint): bigint {
  switch (how) {
    case SIG_HOW.BLOCK:
      return before | set;
    case SIG_HOW.UNBLOCK:
      return before & ~set;
    case SIG_HOW.SETMASK:
      return set;
    default:
      throw failure('EINVAL', `how ${how}`);
  }
}

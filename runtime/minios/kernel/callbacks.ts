/**
 * Calls of guest functions by the kernel, which never nest in TypeScript: a frame is pushed on the stack of a thread at a safe
 * point (behind a host call, or a poll), and returns into the trampoline of minios_callback_return. What it interrupted is kept
 * here, by the stack pointer, so a callback may wait, switch threads, or leave by longjmp for good.
 */
import type { Leave } from '../../cpu/leave.ts';
import type { GuestCpu } from '../../domain/guest-cpu.ts';
import { XenError } from '../../errors.ts';
import type { GuestMemory } from '../../memory/guest-memory.ts';
import { RCX, RDI, RDX, RSI, RSP } from '../../x86/registers.ts';
import type { Callback, Entry, Frame, WakeSource } from './callback.ts';
import { setThreadPointer } from './thread-memory.ts';
import type { StackRange, Thread, Threads } from './threads.ts';

/** Below the stack pointer of x86-64 a function may keep what it likes (psABI AMD64, 3.2.2). */
export const redZone = 128n;
const integerRegisters = [RDI, RSI, RDX, RCX, 8, 9];
/** Of one thread, under way; handlers that are left by longjmp on stacks that we do not know are forgotten beyond this. */
const mostFrames = 256;

export interface CallbacksParts {
  readonly cpu: GuestCpu;
  readonly memory: GuestMemory;
  readonly threads: Threads;
  /** The trampoline of minios_callback_return. */
  readonly returnAddress: bigint;
  /** Address of minios_callbacks_masked. */
  readonly maskVariable: bigint;
}

export class Callbacks {
  readonly sources: WakeSource[] = [];
  /** Takes what the running thread's instruction has raised, for a callback to be told of; false where the domain is to end, or why. */
  onFault: ((leave: Leave) => boolean | string) | undefined;
  readonly #parts: CallbacksParts;
  /** Registers of a vCPU that has run nothing. */
  readonly #blank: Uint8Array;
  /** For whichever thread runs. */
  #raised: Callback[] = [];
  /** Threads that are to be interrupted. */
  readonly #interrupted = new Set<Thread>();

  constructor(parts: CallbacksParts) {
    this.#parts = parts;
    this.#blank = parts.cpu.saveContext();
  }

  /** Is to run on whichever thread there is, as an interrupt does. */
  raise(callback: Callback): void {
    this.#raised.push(callback);
  }

  /** Is to run on that thread, whatever it waits for. */
  interrupt(thread: Thread, callback: Callback): void {
    thread.callbacks.push(callback);
    this.#interrupted.add(thread);
  }

  /** Whether something is to be delivered. */
  get areWaiting(): boolean {
    return this.#raised.length > 0 || this.#interrupted.size > 0;
  }

  /** When a source is to be looked at. */
  deadline(): bigint | undefined {
    return this.sources.reduce<bigint | undefined>((first, source) => {
      const time = source.deadline();
      return first === undefined || (time !== undefined && time < first) ? time : first;
    }, undefined);
  }

  get isHopeful(): boolean {
    return this.sources.some((source) => source.isHopeful());
  }

  look(now: bigint): void {
    for (const source of this.sources) source.look(now);
  }

  /**
   * Pushes the frames of what waits; `hasGivenWay` where the current thread does not run on. True where a callback runs now. An
   * XenError says that a stack has no room.
   */
  deliver(hasGivenWay: boolean): boolean {
    const { current } = this.#parts.threads;
    let givesWay = hasGivenWay;
    let runs = false;
    const push = (thread: Thread, callback: Callback): void => {
      if (!this.#push(thread, callback, givesWay)) return;
      givesWay = false;
      runs = true;
    };
    const interrupted = this.#nextInterrupted();
    if (interrupted !== undefined) {
      givesWay = this.#switchTo(interrupted, givesWay);
      for (let next = this.#take(interrupted); next; next = this.#take(interrupted))
        push(interrupted, next);
    }
    while (this.#raised.length > 0 && !this.#isMasked) {
      const thread = this.#interruptible(givesWay);
      const callback = thread && this.#raised.shift();
      if (thread === undefined || callback === undefined) break;
      givesWay = this.#switchTo(thread, givesWay);
      push(thread, callback);
    }
    if (!runs && givesWay && !hasGivenWay) this.#switchBack(current);
    return runs;
  }

  /** What the thread had been left for is nothing. */
  #switchBack(thread: Thread | undefined): void {
    if (thread === undefined) return;
    this.#parts.threads.preempted.pop();
    this.#parts.threads.load(thread);
  }

  /** The function of the newest frame here has returned: what it interrupted goes on. Whether that had given way. */
  end(): boolean {
    const { cpu, threads } = this.#parts;
    const thread = threads.current;
    const at = cpu.register(RSP);
    const index = thread?.frames.findLastIndex((frame) => frame.at === at) ?? -1;
    const frame = thread?.frames[index];
    if (thread === undefined || frame === undefined)
      throw new XenError('EFAULT', `no callback returns at 0x${at.toString(16)}`);
    thread.frames.length = index;
    if (index === 0) threads.framed.delete(thread);
    cpu.restoreContext(frame.context);
    const isElsewhere = frame.callback.returned?.() === true;
    if (!isElsewhere) thread.pending = frame.pending;
    if (!isElsewhere && frame.asleepUntil !== undefined && !frame.isWoken)
      threads.putToSleep(thread, frame.asleepUntil);
    return frame.hadGivenWay;
  }

  /** The current thread before others, and none that waits for what holds callbacks back. */
  #nextInterrupted(): Thread | undefined {
    for (const thread of this.#interrupted)
      if (thread.callbacks.length === 0) this.#interrupted.delete(thread);
    const { current } = this.#parts.threads;
    const all = [...this.#interrupted].filter(({ callbacks }) => callbacks.some(this.#isFree));
    return all.find((thread) => thread === current) ?? all[0];
  }

  readonly #isFree = ({ waitsForMask }: Callback): boolean =>
    waitsForMask !== true || !this.#isMasked;

  #take({ callbacks }: Thread): Callback | undefined {
    const index = callbacks.findIndex(this.#isFree);
    return index < 0 ? undefined : callbacks.splice(index, 1)[0];
  }

  /** Whether the thread has given way, which is current afterwards; one that has not runs on before all others. */
  #switchTo(thread: Thread, hasGivenWay: boolean): boolean {
    const { threads } = this.#parts;
    const { current } = threads;
    if (thread === current) return hasGivenWay;
    if (!hasGivenWay && current !== undefined) threads.preempted.push(current);
    threads.load(thread);
    return true;
  }

  get #isMasked(): boolean {
    const { memory, maskVariable } = this.#parts;
    return maskVariable !== 0n && memory.readU32(maskVariable) !== 0;
  }

  /** A thread that no such callback holds; the current one alone where it runs on. */
  #interruptible(hasGivenWay: boolean): Thread | undefined {
    const { current, all } = this.#parts.threads;
    if (current !== undefined) forgetAbandoned(current, this.#parts.cpu.register(RSP));
    const isFree = (thread: Thread): boolean =>
      !thread.frames.some(({ callback }) => callback.isMaskable);
    if (current !== undefined && (isFree(current) || !hasGivenWay))
      return isFree(current) ? current : undefined;
    return all.find(isFree);
  }

  /** False where there is nothing to call any more. */
  #push(thread: Thread, callback: Callback, hasGivenWay: boolean): boolean {
    const { cpu, threads } = this.#parts;
    const sp = cpu.register(RSP);
    forgetAbandoned(thread, sp);
    let isWoken = false;
    const endCall = (restarts: boolean): void => {
      isWoken = true;
      threads.countInterruption(thread, restarts);
      if (thread.pending?.interrupt(restarts) === true) thread.pending = undefined;
    };
    const entry = callback.enter(cpu.mode === 64 ? sp - redZone : sp, endCall);
    if (entry === undefined) return false;
    const context = cpu.saveContext();
    const frame: Frame = {
      ...{ callback, context, pending: thread.pending, hadGivenWay: hasGivenWay },
      at: this.#enter(entry),
      stack: entry.stack ?? thread.stack,
      asleepUntil: hasGivenWay ? threads.wakeForCallback(thread) : undefined,
      isWoken,
    };
    thread.pending = undefined;
    if (thread.frames.length === mostFrames) thread.frames.shift();
    thread.frames.push(frame);
    threads.framed.add(thread);
    return true;
  }

  /** As a call of the function would leave stack and registers; the stack pointer when it has returned. */
  #enter({ function: address, arguments: values, top }: Entry): bigint {
    const { cpu, memory, returnAddress } = this.#parts;
    const { mode } = cpu;
    const onStack = mode === 64 ? [] : values;
    const above = (top - BigInt(4 * onStack.length)) & ~15n;
    const words = [returnAddress, ...onStack];
    const sp = above - BigInt(mode / 8);
    memory.checkWritable(sp, words.length * (mode / 8));
    for (const [i, word] of words.entries())
      memory.writeWord(sp + BigInt(i * (mode / 8)), word, mode);
    cpu.restoreContext(this.#blank);
    setThreadPointer(cpu, this.#parts.threads.current?.pointer);
    cpu.rip = address;
    cpu.setRegister(RSP, sp);
    if (mode === 64)
      for (const [i, value] of values.entries()) cpu.setRegister(integerRegisters[i] ?? 0, value);
    return above;
  }
}

/** Frames below the stack pointer, or on a stack that the thread has left for its own, were left by longjmp. */
function forgetAbandoned(thread: Thread, sp: bigint): void {
  const lies = ({ low, high }: StackRange): boolean => sp > low && sp <= high;
  for (let frame = thread.frames.at(-1); frame !== undefined; frame = thread.frames.at(-1)) {
    const isGone = lies(frame.stack) ? sp > frame.at : lies(thread.stack);
    if (!isGone) return;
    thread.frames.pop();
  }
}

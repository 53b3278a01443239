/**
 * Threads as Mini-OS's sched.c has them: cooperative, in one list that schedule() goes through in turn. What they are
 * is in guest memory (struct thread, abi/sched.ts); the registers of those that do not run are kept here.
 */
import type { GuestCpu } from '../../domain/guest-cpu.ts';
import type { ThreadVariables } from '../../elf/image.ts';
import { XenError } from '../../errors.ts';
import type { GuestMemory } from '../../memory/guest-memory.ts';
import { RDI, RSP } from '../../x86/registers.ts';
import {
  RUNNABLE_FLAG,
  STACK_SIZE,
  STIME_MAX,
  thread as threadLayout,
  threadSize,
} from '../abi/sched.ts';
import type { Callback, Frame } from './callback.ts';
import type { FreeSpace } from './free-space.ts';
import type { Park } from './park.ts';
import { setThreadPointer, threadPlace, writeVariables } from './thread-memory.ts';
import { type ThreadSignals, threadSignals } from './thread-signals.ts';

export interface StackRange {
  readonly low: bigint;
  readonly high: bigint;
}

/** A call that its thread waits in, and how to end it. */
export interface Pending {
  readonly park: Park<unknown>;
  /** The call as a report shows it. */
  readonly call: string;
  /** Asks the park; true where the call has ended, its result written to the registers of the loaded thread. */
  readonly finish: (load: () => void) => boolean;
  /** Ends the call of the loaded thread, with EINTR or what it has done so far; false where it is none that ends so. */
  readonly interrupt: (restarts: boolean) => boolean;
}

export interface Thread {
  /** Its struct thread. */
  readonly address: bigint;
  readonly stack: StackRange;
  readonly isMain: boolean;
  /** What fs or gs begins at. */
  readonly pointer: bigint | undefined;
  /** What is free when it has ended. */
  readonly block: { readonly start: bigint; readonly size: number } | undefined;
  /** For how long it has run, in nanoseconds. */
  ran: bigint;
  /** The call that it waits in is to end with EINTR. */
  isInterrupted: boolean;
  pending: Pending | undefined;
  /** Undefined while its registers are in the vCPU. */
  context: Uint8Array | undefined;
  /** What is to interrupt it. */
  readonly callbacks: Callback[];
  /** What has interrupted it, innermost last. */
  readonly frames: Frame[];
  readonly signals: ThreadSignals;
}

/** What a new thread is given beside its function. */
export interface ThreadSettings {
  readonly name: bigint;
  readonly entry: bigint;
  readonly data: bigint;
  /** Bytes of its stack; the original's where it is not given. */
  readonly stackSize?: bigint;
  /** The lowest address of a stack that the guest provides. */
  readonly stack?: bigint;
}

const longestName = 64;
const pageBytes = 4096n;

export class Threads {
  readonly #cpu: GuestCpu;
  readonly #memory: GuestMemory;
  readonly #space: FreeSpace;
  readonly #layout: ReturnType<typeof threadLayout.layout>;
  readonly #currentVariable: bigint;
  /** Registers of a vCPU that has run nothing. */
  readonly #blank: Uint8Array;
  readonly #returnAddress: bigint;
  readonly #variables: ThreadVariables | undefined;
  /** Threads that callbacks have interrupted. */
  readonly framed = new Set<Thread>();
  /** Had not given way when another was interrupted: they run on before all others, the last first. */
  readonly preempted: Thread[] = [];
  #list: Thread[] = [];
  #current: Thread | undefined;

  constructor(parts: {
    cpu: GuestCpu;
    memory: GuestMemory;
    space: FreeSpace;
    /** Address of minios_current. */
    currentVariable: bigint;
    /** Where a thread's function returns to: the host call exit_thread. */
    returnAddress: bigint;
    variables?: ThreadVariables | undefined;
  }) {
    this.#cpu = parts.cpu;
    this.#memory = parts.memory;
    this.#space = parts.space;
    this.#currentVariable = parts.currentVariable;
    this.#returnAddress = parts.returnAddress;
    this.#variables = parts.variables;
    this.#layout = threadLayout.layout(parts.cpu.mode);
    this.#blank = parts.cpu.saveContext();
  }

  /** The one whose registers are in the vCPU; undefined after it has ended. */
  get current(): Thread | undefined {
    return this.#current;
  }

  get all(): readonly Thread[] {
    return this.#list;
  }

  /** Makes what the vCPU holds the main thread. */
  begin(
    place: { address: bigint; pointer: bigint | undefined },
    name: bigint,
    stack: StackRange,
  ): void {
    const { address, pointer } = place;
    const main = makeThread({
      ...{ address, pointer, stack, isMain: true, block: undefined, context: undefined },
      signals: threadSignals(),
    });
    setThreadPointer(this.#cpu, pointer);
    this.#write(main, name);
    this.#list.push(main);
    this.#current = main;
    this.#memory.writeWord(this.#currentVariable, address, this.#cpu.mode);
  }

  /** Its struct thread; 0 where there is no memory. */
  create(settings: ThreadSettings): bigint {
    const { mode } = this.#cpu;
    const own = settings.stackSize ?? BigInt(STACK_SIZE);
    const stackSize = settings.stack === undefined ? (own + pageBytes - 1n) & -pageBytes : 0n;
    const { size } = threadPlace(0n, mode, this.#variables);
    if (settings.stack !== undefined) this.#memory.checkWritable(settings.stack, Number(own));
    const all = Number(stackSize) + size;
    const start = this.#space.allocateGuarded(all);
    if (start === undefined) return 0n;
    const low = settings.stack ?? start;
    const high = settings.stack === undefined ? start + stackSize : (low + own) & ~15n;
    const place = threadPlace(start + stackSize, mode, this.#variables);
    writeVariables(this.#memory, place, mode, this.#variables);
    const sp = this.#pushEntry(high, settings.data);
    const { thread: address, pointer } = place;
    const thread = makeThread({
      ...{ address, pointer, stack: { low, high }, isMain: false, block: { start, size: all } },
      context: this.#contextAt(settings, sp, pointer),
      signals: threadSignals(this.#current?.signals),
    });
    this.#write(thread, settings.name, { sp, ip: settings.entry });
    this.#list.push(thread);
    return address;
  }

  /** The current thread ends; its stack and struct are free at once, since nothing of it runs any more. */
  exit(): void {
    const ended = this.#current;
    if (ended === undefined) return;
    this.#list = this.#list.filter((thread) => thread !== ended);
    this.#current = undefined;
    this.framed.delete(ended);
    if (ended.block !== undefined) this.#space.free(ended.block.start, ended.block.size);
  }

  /** The thread of a struct thread; what is none is -ESRCH. */
  at(address: bigint): Thread {
    const found = this.#list.find((thread) => thread.address === address);
    if (found === undefined) throw new XenError('ESRCH', `no thread 0x${address.toString(16)}`);
    return found;
  }

  block(address: bigint): void {
    this.#setState(address, (flags) => flags & ~RUNNABLE_FLAG);
  }

  wake(address: bigint): void {
    for (const { address: framed, frames } of this.framed)
      if (framed === address) for (const frame of frames) frame.isWoken = true;
    this.#wake(address);
  }

  /** A handler of a signal runs: what C's waits look at (mini-os/sched.h). */
  countInterruption({ address }: Thread, restarts: boolean): void {
    const at = address + BigInt(threadSize[this.#cpu.mode] - 4);
    const count = this.#memory.readU32(at) + (restarts ? 0x1_0000 : 1);
    this.#memory.writeU32(at, count >>> 0);
  }

  /** A callback runs on it, whatever it is; its wakeup_time where it was blocked. */
  wakeForCallback(thread: Thread): bigint | undefined {
    if (!this.isBlocked(thread)) return undefined;
    const until = this.#wakeupOf(thread);
    this.#wake(thread.address);
    return until;
  }

  /** Blocks it again as it was. */
  putToSleep(thread: Thread, until: bigint): void {
    this.block(thread.address);
    this.#memory.writeU64(thread.address + BigInt(this.#layout.offsets.wakeup_time), until);
  }

  #wake(address: bigint): void {
    this.#setState(address, (flags) => flags | RUNNABLE_FLAG);
  }

  /** The current thread, as the original's msleep does: another's wake() ends it early. */
  sleep(until: bigint): void {
    const { current } = this;
    if (current === undefined) return;
    this.block(current.address);
    this.#memory.writeU64(current.address + BigInt(this.#layout.offsets.wakeup_time), until);
  }

  /** Loads the next thread that can run, the current one last; false where there is none. */
  schedule(now: bigint): boolean {
    const { current } = this;
    if (current !== undefined)
      this.#list = [...this.#list.filter((other) => other !== current), current];
    const preempted = this.preempted.pop();
    if (preempted !== undefined) {
      this.load(preempted);
      return true;
    }
    for (const thread of this.#list) {
      if (!this.#isReady(thread, now)) continue;
      thread.pending = undefined;
      thread.isInterrupted = false;
      this.load(thread);
      return true;
    }
    return false;
  }

  /** When the first thread is to be asked again; undefined where only an event helps. */
  nextWakeup(): bigint | undefined {
    const times = this.#list.flatMap((thread) => {
      const time =
        thread.pending === undefined ? this.#wakeupOf(thread) : thread.pending.park.until;
      return time === undefined || time === 0n || time === STIME_MAX ? [] : [time];
    });
    return times.reduce<bigint | undefined>(
      (first, time) => (first === undefined || time < first ? time : first),
      undefined,
    );
  }

  nameOf(thread: Thread): string {
    try {
      const name = this.#memory.readWord(thread.address, this.#cpu.mode);
      return this.#memory.readString(name, longestName);
    } catch {
      return `thread 0x${thread.address.toString(16)}`;
    }
  }

  isBlocked(thread: Thread): boolean {
    return (this.#flagsOf(thread) & RUNNABLE_FLAG) === 0;
  }

  #isReady(thread: Thread, now: bigint): boolean {
    if (thread.pending !== undefined)
      return this.#isInterrupted(thread) || thread.pending.finish(() => this.load(thread));
    if (!this.isBlocked(thread)) return true;
    const wakeup = this.#wakeupOf(thread);
    if (wakeup === 0n || wakeup > now) return false;
    this.#wake(thread.address);
    return true;
  }

  /** Whether the call that it waits in has ended with EINTR. */
  #isInterrupted(thread: Thread): boolean {
    if (!thread.isInterrupted || thread.pending === undefined) return false;
    thread.isInterrupted = false;
    this.load(thread);
    return thread.pending.interrupt(false);
  }

  /** Puts its registers into the vCPU. */
  load(thread: Thread): void {
    const leaving = this.#current;
    if (leaving === thread) return;
    if (leaving !== undefined) this.#store(leaving);
    if (thread.context !== undefined) this.#cpu.restoreContext(thread.context);
    thread.context = undefined;
    this.#current = thread;
    this.#memory.writeWord(this.#currentVariable, thread.address, this.#cpu.mode);
  }

  #store(thread: Thread): void {
    thread.context = this.#cpu.saveContext();
    const { sp, ip } = this.#layout.offsets;
    const { mode } = this.#cpu;
    this.#memory.writeWord(thread.address + BigInt(sp), this.#cpu.register(RSP), mode);
    this.#memory.writeWord(thread.address + BigInt(ip), this.#cpu.rip, mode);
  }

  /** As a call of the thread's function would leave the stack; sp + the return address is 16-byte aligned. */
  #pushEntry(high: bigint, data: bigint): bigint {
    const { mode } = this.#cpu;
    if (mode === 64) {
      const sp = high - 24n;
      this.#memory.writeU64(sp, this.#returnAddress);
      return sp;
    }
    const sp = high - 20n;
    this.#memory.writeU32(sp, Number(this.#returnAddress));
    this.#memory.writeU32(sp + 4n, Number(data));
    return sp;
  }

  #contextAt({ entry, data }: ThreadSettings, sp: bigint, pointer: bigint | undefined): Uint8Array {
    const cpu = this.#cpu;
    const running = cpu.saveContext();
    cpu.restoreContext(this.#blank);
    cpu.rip = entry;
    cpu.setRegister(RSP, sp);
    setThreadPointer(cpu, pointer);
    if (cpu.mode === 64) cpu.setRegister(RDI, data);
    const context = cpu.saveContext();
    cpu.restoreContext(running);
    return context;
  }

  #write(thread: Thread, name: bigint, at: { sp: bigint; ip: bigint } = { sp: 0n, ip: 0n }): void {
    const { mode } = this.#cpu;
    this.#memory.fill(thread.address, threadSize[mode], 0);
    const bytes = new Uint8Array(this.#layout.size);
    const fields = { name, stack: thread.stack.low, ...at, flags: RUNNABLE_FLAG };
    Object.assign(this.#layout.at(bytes, 0), fields);
    this.#memory.writeBytes(thread.address, bytes);
  }

  #flagsOf(thread: Thread): number {
    return this.#memory.readU32(thread.address + BigInt(this.#layout.offsets.flags));
  }

  #wakeupOf(thread: Thread): bigint {
    const at = thread.address + BigInt(this.#layout.offsets.wakeup_time);
    return BigInt.asIntN(64, this.#memory.readU64(at));
  }

  #setState(address: bigint, change: (flags: number) => number): void {
    const { flags, wakeup_time } = this.#layout.offsets;
    const at = address + BigInt(flags);
    this.#memory.writeU64(address + BigInt(wakeup_time), 0n);
    this.#memory.writeU32(at, change(this.#memory.readU32(at)));
  }
}

const makeThread = (
  parts: Pick<Thread, 'address' | 'stack' | 'isMain' | 'context' | 'pointer' | 'block' | 'signals'>,
): Thread => ({
  ...parts,
  ran: 0n,
  isInterrupted: false,
  pending: undefined,
  callbacks: [],
  frames: [],
});

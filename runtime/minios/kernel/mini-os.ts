/**
 * Mini-OS in TypeScript: answers the host calls of one application. One thread runs until its call waits, yields or
 * ends; no guest code is ever called from here, a new thread's first frame is written on its stack instead.
 */
import type { FaultReporter } from '../../cpu/fault-report.ts';
import type { Leave } from '../../cpu/leave.ts';
import type { Ending, GuestKernel, Next } from '../../domain/domain.ts';
import type { GuestCpu } from '../../domain/guest-cpu.ts';
import { XenError } from '../../errors.ts';
import { pageFaultCode } from '../../memory/address-space.ts';
import type { GuestMemory } from '../../memory/guest-memory.ts';
import type { Trace } from '../../trace.ts';
import { bit, SIG, signalName, withCore } from '../abi/signal.ts';
import { errno } from '../errno.ts';
import type { Argument } from '../marshal.ts';
import type { Posix } from '../posix/posix.ts';
import { trampolineSize } from './address-map.ts';
import type { Callbacks } from './callbacks.ts';
import type { Events } from './events.ts';
import type { FreeSpace } from './free-space.ts';
import type { Grants } from './grants.ts';
import { answer, callText, type HostCall, hostCalls, start } from './host-calls.ts';
import type { Kernel } from './kernel.ts';
import type { KernelClocks } from './kernel-clocks.ts';
import type { MapArea } from './map-area.ts';
import type { Mappings } from './mappings.ts';
import type { Pages } from './pages.ts';
import { Park } from './park.ts';
import { Signals } from './signals.ts';
import type { StoreTalk } from './store.ts';
import type { Pending, Thread, Threads } from './threads.ts';
import { Timers } from './timers.ts';

export interface MiniOsParts {
  readonly name: string;
  readonly cpu: GuestCpu;
  readonly memory: GuestMemory;
  readonly space: FreeSpace;
  readonly mapArea: MapArea;
  readonly threads: Threads;
  readonly callbacks: Callbacks;
  readonly events: Events;
  readonly grants: Grants;
  readonly pages: Pages;
  readonly store: StoreTalk;
  readonly mappings: Mappings | undefined;
  readonly clocks: KernelClocks;
  readonly trampolines: bigint;
  readonly reporter: FaultReporter;
  readonly trace?: Trace | undefined;
  /** Made last, since terminals and pipes raise signals. */
  readonly posix: (raise: (signal: number) => void) => Posix;
}

export class MiniOs implements GuestKernel, Kernel {
  readonly mode: 64 | 32;
  readonly name: string;
  readonly memory: GuestMemory;
  readonly space: FreeSpace;
  readonly mapArea: MapArea;
  readonly threads: Threads;
  readonly callbacks: Callbacks;
  readonly events: Events;
  readonly grants: Grants;
  readonly pages: Pages;
  readonly store: StoreTalk;
  readonly mappings: Mappings | undefined;
  readonly clocks: KernelClocks;
  readonly posix: Posix;
  readonly signals: Signals;
  readonly timers: Timers;
  readonly #parts: MiniOsParts;
  readonly #calls: readonly HostCall[];
  #ending: Ending | Promise<Ending> | undefined;
  #mustSchedule = false;
  /** Time has passed since the sources of callbacks were looked at. */
  #mustLook = false;

  constructor(parts: MiniOsParts) {
    this.#parts = parts;
    this.mode = parts.cpu.mode;
    this.name = parts.name;
    this.memory = parts.memory;
    this.space = parts.space;
    this.mapArea = parts.mapArea;
    this.threads = parts.threads;
    this.callbacks = parts.callbacks;
    this.events = parts.events;
    this.grants = parts.grants;
    this.pages = parts.pages;
    this.store = parts.store;
    this.mappings = parts.mappings;
    this.clocks = parts.clocks;
    const { cpu, memory, threads, callbacks, clocks } = parts;
    this.signals = new Signals({
      ...{ cpu, memory, threads, callbacks, monotonic: () => clocks.monotonic() },
      fatal: (signal, why) => this.#endBy(signal, why),
    });
    this.timers = new Timers({ memory, clocks, callbacks, signals: this.signals });
    this.posix = parts.posix((signal) => this.signals.raise(signal));
    callbacks.sources.push({
      deadline: () => undefined,
      isHopeful: () => this.signals.isHandled(SIG.INT) && this.posix.lookAtTerminal(),
      look: () => this.posix.lookAtTerminal(),
    });
    this.#calls = hostCalls(parts.cpu.mode);
  }

  next(): Next {
    if (this.#ending === undefined) this.#choose();
    if (this.#ending !== undefined) return { do: 'end', ending: this.#ending };
    if (!this.#mustSchedule) return { do: 'run' };
    const until = earliest(this.threads.nextWakeup(), this.callbacks.deadline());
    const isHopeful =
      until !== undefined ||
      this.callbacks.isHopeful ||
      this.threads.all.some(({ pending }) => pending?.park.isHopeful() ?? false);
    if (!isHopeful) return { do: 'end', ending: this.#stuck() };
    return { do: 'wait', until: until === undefined ? undefined : this.clocks.toMachine(until) };
  }

  handle(leave: Leave, nanoseconds: bigint): void {
    this.clocks.ran(nanoseconds);
    const { current } = this.threads;
    if (current !== undefined) current.ran += nanoseconds;
    if (leave.reason === 'poll') {
      this.#mustLook = true;
      return;
    }
    const call = leave.reason === 'hostCall' ? this.#callAt(leave.address) : undefined;
    if (call === undefined) this.#fault(leave);
    else this.#answer(call);
  }

  reschedule(): void {
    this.#mustSchedule = true;
  }

  end(ending: Ending | Promise<Ending>): void {
    this.#ending ??= ending;
  }

  crash(status: number, what: string): void {
    this.end(this.#crashed(status, what));
  }

  /**
   * With a shell's status, and its silence about SIGINT and SIGPIPE; where Linux would leave a core, the report says where the guest
   * was.
   */
  #endBy(signal: number, why?: string): void {
    const what = why ?? `ended by ${signalName(signal)}`;
    const status = 128 + signal;
    if ((bit(signal) & withCore) !== 0n) this.crash(status, what);
    else if (signal === SIG.INT || signal === SIG.PIPE) this.end({ status, reason: 'stopped' });
    else this.end({ status, reason: 'stopped', report: `${this.#parts.name}: ${what}` });
  }

  async #crashed(status: number, what: string): Promise<Ending> {
    const report = await this.#parts.reporter.report(what, this.#place());
    return { status, reason: 'fault', report };
  }

  async #faulted(leave: Leave, more: string): Promise<Ending> {
    const place = this.#place();
    const { reporter } = this.#parts;
    const { status, what, at } = await reporter.explain(leave, place);
    const report = await reporter.report(`${what}${more}`, { ...place, at });
    return { status, reason: 'fault', report };
  }

  #callAt(address: bigint): HostCall | undefined {
    const offset = Number(address - this.#parts.trampolines);
    return offset % trampolineSize === 0 ? this.#calls[offset / trampolineSize] : undefined;
  }

  #answer(call: HostCall): void {
    const { cpu, trace } = this.#parts;
    try {
      const values = call.read(cpu, this.memory);
      const result = start(call, this, values);
      if (result instanceof Park) this.#park(call, values, result);
      else call.write(cpu, result);
      trace?.({ kind: 'hostCall', text: traceText(callText(call, values), result) });
    } catch (error) {
      if (!(error instanceof XenError)) throw error;
      this.crash(139, `Mini-OS: ${call.name}: ${error.message}`);
    }
  }

  #park(call: HostCall, values: readonly Argument[], park: Park<Argument | undefined>): void {
    const { current } = this.threads;
    if (current === undefined) return;
    const pending: Pending = {
      park,
      call: callText(call, values),
      finish: (load) => {
        const result = answer(call, park.ask);
        if (result === undefined) return false;
        load();
        if (!(result instanceof Park)) call.write(this.#parts.cpu, result);
        return true;
      },
      interrupt: (restarts) => {
        const stays = park.onSignal === 'wait' || (park.onSignal === 'restart' && restarts);
        if (stays || !call.answersErrno) return false;
        call.write(this.#parts.cpu, park.interrupted() ?? -errno.EINTR);
        return true;
      },
    };
    current.pending = pending;
    this.#mustSchedule = true;
  }

  /** What the vCPU is to run: another thread where one is to, and what interrupts it. */
  #choose(): void {
    if (this.#mustLook || this.#mustSchedule) {
      this.#mustLook = false;
      if (this.callbacks.sources.length > 0) this.callbacks.look(this.clocks.monotonic());
    }
    if (this.callbacks.areWaiting) this.#deliver();
    if (!this.#mustSchedule || !this.#schedule()) return;
    this.#mustSchedule = false;
  }

  /** Whether a thread runs now. */
  #schedule(): boolean {
    if (this.threads.schedule(this.clocks.monotonic())) return true;
    // What was asked of a call that waits may have sent a signal.
    if (this.callbacks.areWaiting) this.#deliver();
    return !this.#mustSchedule;
  }

  #deliver(): void {
    try {
      if (this.callbacks.deliver(this.#mustSchedule)) this.#mustSchedule = false;
    } catch (error) {
      if (!(error instanceof XenError)) throw error;
      this.crash(139, `Mini-OS: no stack for a callback: ${error.message}`);
    }
  }

  #fault(leave: Leave): void {
    if (this.#isFirstWrite(leave)) return;
    const taken = leave.reason === 'exception' && (this.callbacks.onFault?.(leave) ?? false);
    if (taken !== true) this.end(this.#faulted(leave, taken === false ? '' : `; ${taken}`));
  }

  /** Of a page that was zeros: the instruction is tried again. */
  #isFirstWrite(leave: Leave): boolean {
    if (leave.reason !== 'exception' || leave.address === undefined) return false;
    const isWrite = ((leave.errorCode ?? 0) & pageFaultCode.write) !== 0;
    return isWrite && this.mappings?.copyOnWrite(leave.address) === true;
  }

  #place(): Parameters<FaultReporter['report']>[1] {
    const { current } = this.threads;
    if (current === undefined) return { thread: 'no thread', stack: undefined };
    return { thread: this.threads.nameOf(current), stack: current.stack };
  }

  /** Nothing that could ever happen would make a thread run. */
  #stuck(): Ending {
    const { name } = this.#parts;
    const threads = this.threads.all.map((thread) => `  ${this.#waitText(thread)}`);
    const what =
      threads.length === 0
        ? 'every thread has ended, and none called exit'
        : 'every thread waits for what can never come';
    return {
      status: 3,
      reason: 'shutdown',
      report: [`${name}: stopped: ${what}`, ...threads].join('\n'),
    };
  }

  #waitText(thread: Thread): string {
    const { pending } = thread;
    const what =
      pending === undefined
        ? 'is blocked, with no time to wake up, and nobody is left to wake it'
        : `waits for ${pending.park.what} in ${pending.call}`;
    return `${this.threads.nameOf(thread)} ${what}`;
  }
}

/** The other where one is undefined. */
const earliest = (a: bigint | undefined, b: bigint | undefined): bigint | undefined =>
  a === undefined || (b !== undefined && b < a) ? b : a;

const traceText = (call: string, result: unknown): string =>
  result instanceof Park ? `${call} waits` : `${call} = ${result ?? 'void'}`;

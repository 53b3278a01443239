/** A domain: one vCPU and the kernel that answers it, run in slices until it ends. */
import type { Leave } from '../cpu/leave.ts';
import type { Clock } from './clock.ts';
import type { GuestCpu } from './guest-cpu.ts';
import type { Signal } from './signal.ts';
import { TimeSlice } from './time-slice.ts';

export interface Ending {
  /** As a shell sees it: the guest's own status, or DESIGN's numbers. */
  readonly status: number;
  readonly reason: 'exit' | 'fault' | 'shutdown' | 'stopped';
  /** For a person, several lines; whatever did not end well has one. */
  readonly report?: string;
}

export type Next =
  | { readonly do: 'run' }
  /** When everybody else has had a turn. */
  | { readonly do: 'yield' }
  /** Until the signal is raised, or that time of the monotonic clock has come. */
  | { readonly do: 'wait'; readonly until: bigint | undefined }
  /** A report may take a moment; the guest runs no more. */
  | { readonly do: 'end'; readonly ending: Ending | Promise<Ending> };

/** What answers a domain's host calls, hypercalls, faults and events. */
export interface GuestKernel {
  /** What the vCPU is to do now; where it is to run, its registers are those of the thread to run. */
  next(): Next;
  /** Why the vCPU came back, and for how long it ran. */
  handle(leave: Leave, nanoseconds: bigint): void;
}

export interface DomainParts {
  readonly name: string;
  readonly cpu: GuestCpu;
  readonly kernel: GuestKernel;
  readonly clock: Clock;
  /** Raised by whatever a waiting kernel may wait for. */
  readonly changed: Signal;
  /** Polls of the vCPU after which the domain is stopped; for tests, which have no time limits. */
  readonly budget?: number;
}

export class Domain {
  readonly name: string;
  readonly #parts: DomainParts;
  #polls: number;
  #stopped: Ending | undefined;
  /** When the guest went on. */
  #resumed = 0n;
  /** What the kernel wanted when it had answered while frames stood, other than to run on. */
  #wanted: Next | undefined;

  constructor(parts: DomainParts) {
    this.name = parts.name;
    this.#parts = parts;
    this.#polls = parts.budget ?? Number.POSITIVE_INFINITY;
  }

  /** The guest sees nothing of it; it just runs no further. */
  stop(ending: Ending = { status: 130, reason: 'stopped' }): void {
    this.#stopped ??= ending;
    this.#parts.changed.raise();
  }

  /** Runs to the end. */
  async run(): Promise<Ending> {
    const { clock } = this.#parts;
    const slice = new TimeSlice(clock.monotonic());
    this.#begin(slice);
    for (;;) {
      const next = this.#stopped === undefined ? this.#next() : stopped(this.#stopped);
      if (next.do === 'end') return next.ending;
      if (next.do === 'run' && !(await this.#runSlice(slice))) continue;
      if (next.do === 'wait') await this.#wait(next.until);
      else await clock.turn();
      this.#begin(slice);
    }
  }

  /** Whether it is the others' turn. */
  async #runSlice(slice: TimeSlice): Promise<boolean> {
    const after = this.#run(slice);
    if (after === 'go on') return false;
    return after === 'turn' || (await this.#translate(slice));
  }

  /** Whether the slice is over: a guest may make us translate for ever, and that alone gives nobody else a turn. */
  async #translate(slice: TimeSlice): Promise<boolean> {
    const { clock, cpu } = this.#parts;
    await cpu.translate();
    return slice.isOver(clock.monotonic());
  }

  /** What is to happen before the vCPU runs again. */
  #run(slice: TimeSlice): 'go on' | 'translate' | 'turn' {
    const { cpu, kernel, clock } = this.#parts;
    this.#resumed = clock.monotonic();
    const leave = cpu.run((asked) => this.#answer(asked, slice));
    const now = clock.monotonic();
    if (leave.reason === 'translate') return 'translate';
    const isSpent = leave.reason === 'poll' && leave.early !== true;
    if (isSpent) slice.spent(now);
    if (leave.reason !== 'answered') kernel.handle(leave, now - this.#resumed);
    return isSpent || slice.isOver(now) ? 'turn' : 'go on';
  }

  /** What is asked while frames of the guest stand; whether it may run on at once. */
  #answer(leave: Leave, slice: TimeSlice): boolean {
    const { cpu, kernel, clock } = this.#parts;
    const asked = clock.monotonic();
    if (leave.reason === 'poll')
      return this.#stopped === undefined && this.#give(slice.more(asked)) > 0;
    if (leave.reason === 'translate') {
      if (this.#stopped !== undefined || slice.mustUnwind(asked)) return false;
      const done = cpu.translateNow();
      slice.extend(clock.monotonic() - asked);
      return done;
    }
    kernel.handle(leave, asked - this.#resumed);
    this.#resumed = clock.monotonic();
    if (this.#stopped !== undefined || slice.mustUnwind(this.#resumed)) return false;
    const next = kernel.next();
    // A kernel says once that it yields.
    if (next.do !== 'run') this.#wanted = next;
    return next.do === 'run';
  }

  #next(): Next {
    const next = this.#wanted ?? this.#parts.kernel.next();
    this.#wanted = undefined;
    return next;
  }

  #begin(slice: TimeSlice): void {
    const polls = this.#give(slice.begin(this.#parts.clock.monotonic()));
    if (polls === 0)
      this.#stopped ??= {
        status: 3,
        reason: 'stopped',
        report: `${this.name}: stopped: its budget of ${this.#parts.budget} polls is spent`,
      };
  }

  /** How many polls there still are, of so many. */
  #give(wanted: number): number {
    const polls = Math.min(wanted, this.#polls);
    this.#polls -= polls;
    if (polls > 0) this.#parts.cpu.setPolls(polls);
    return polls;
  }

  async #wait(until: bigint | undefined): Promise<void> {
    const { clock, changed } = this.#parts;
    const forget =
      until === undefined
        ? () => {}
        : clock.after(max(until - clock.monotonic(), 0n), () => changed.raise());
    await changed.wait();
    forget();
  }
}

const stopped = (ending: Ending): Next => ({ do: 'end', ending });
const max = (a: bigint, b: bigint): bigint => (a > b ? a : b);

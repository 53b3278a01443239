/**
 * What sends signals at a time: setitimer's three timers and those of timer_create (POSIX XSH 2.8.5). Time of the process is the
 * domain's running time; a timer whose signal waits to be taken counts what it misses, as Linux does.
 */
import type { GuestMemory } from '../../memory/guest-memory.ts';
import { ITIMER, SI, SIG, SIGEV, TIMER_ABSTIME } from '../abi/signal.ts';
import { failure } from '../errno.ts';
import type { WakeSource } from './callback.ts';
import type { Callbacks } from './callbacks.ts';
import type { KernelClocks } from './kernel-clocks.ts';
import type { SignalInfo } from './pending-signals.ts';
import type { Signals } from './signals.ts';

/** Times of the clock that it runs by; MINIOS_CLOCK. */
interface Timer {
  readonly clock: number;
  /** The same, but that what is so long from now stays so when the realtime clock is set. */
  runsBy: number;
  readonly send: (timer: Timer) => SignalInfo | undefined;
  due: bigint | undefined;
  interval: bigint;
  /** Sent, and perhaps not taken yet. */
  sent: SignalInfo | undefined;
  overrun: number;
}

export interface TimersParts {
  readonly memory: GuestMemory;
  readonly clocks: KernelClocks;
  readonly callbacks: Callbacks;
  readonly signals: Signals;
}

const clock = { realtime: 0, monotonic: 1, running: 2 } as const;
/** Nanoseconds: what expires more often wakes a waiting domain no more often, since nobody may want the signals. */
const finest = 50_000n;
const mostTimers = 1024;
/** _POSIX_DELAYTIMER_MAX and more: INT_MAX, as Linux has it. */
const mostOverruns = 0x7fff_ffff;
/** Years: beyond it times are as good as never, and sums stay within 64 bits. */
const longest = 2n ** 62n;

export class Timers implements WakeSource {
  readonly #parts: TimersParts;
  readonly #intervals: readonly Timer[];
  readonly #timers = new Map<number, Timer>();
  #made = 0;

  constructor(parts: TimersParts) {
    this.#parts = parts;
    const { signals } = parts;
    const sends = (signal: number, by: number): Timer => timer(by, () => signals.raise(signal));
    this.#intervals = [
      sends(SIG.ALRM, clock.monotonic),
      sends(SIG.VTALRM, clock.running),
      sends(SIG.PROF, clock.running),
    ];
    parts.callbacks.sources.push(this);
  }

  deadline(): bigint | undefined {
    return this.#all().reduce<bigint | undefined>((first, one) => {
      const at = this.#deadlineOf(one);
      return first === undefined || (at !== undefined && at < first) ? at : first;
    }, undefined);
  }

  isHopeful(): boolean {
    return false;
  }

  look(): void {
    for (const one of this.#all()) if (one.due !== undefined) this.#expire(one);
  }

  /** What is left and the interval go to `old`, where it is given; a value less than 0 changes nothing. */
  setInterval(which: number, value: bigint, interval: bigint, old: bigint): number {
    const found = this.#intervals[which];
    if (found === undefined) throw failure('EINVAL', `timer ${which}`);
    this.#report(found, old);
    if (value >= 0n)
      this.#arm(found, value === 0n ? undefined : this.#now(found) + cut(value), interval);
    return 0;
  }

  create(by: number, notify: number, signal: number, value: bigint, withId: number): number {
    const { clocks, signals } = this.#parts;
    clocks.read(by);
    if (notify !== SIGEV.NONE && notify !== SIGEV.SIGNAL)
      throw failure('EINVAL', `sigev_notify ${notify}`);
    if (notify === SIGEV.SIGNAL && (signal < 1 || signal > 64))
      throw failure('EINVAL', `sigev_signo ${signal}`);
    if (this.#timers.size >= mostTimers) throw failure('EAGAIN', `${mostTimers} timers`);
    const id = this.#made++;
    const told = withId !== 0 ? BigInt(id) : value;
    const send = (one: Timer): SignalInfo | undefined => {
      if (notify === SIGEV.NONE) return undefined;
      const source = { by: 'timer', id, value: told, overrun: one.overrun } as const;
      const info: SignalInfo = {
        ...{ signal, code: SI.TIMER, source: { ...source } },
        taken: () => this.#taken(one, info),
      };
      signals.post(info);
      return info;
    };
    this.#timers.set(id, timer(by, send));
    return id;
  }

  set(id: number, flags: number, value: bigint, interval: bigint, old: bigint): number {
    const found = this.#find(id);
    this.#report(found, old);
    const isAbsolute = (flags & TIMER_ABSTIME) !== 0;
    found.overrun = 0;
    found.runsBy = isAbsolute ? found.clock : steady(found.clock);
    const due = isAbsolute ? cut(value) : this.#now(found) + cut(value);
    this.#arm(found, value === 0n ? undefined : due, interval);
    return 0;
  }

  get(id: number, result: bigint): number {
    this.#report(this.#find(id), result);
    return 0;
  }

  overrun(id: number): number {
    return this.#find(id).overrun;
  }

  delete(id: number): number {
    this.#find(id);
    this.#timers.delete(id);
    return 0;
  }

  #all(): Timer[] {
    return [...this.#intervals, ...this.#timers.values()];
  }

  #find(id: number): Timer {
    const found = this.#timers.get(id);
    if (found === undefined) throw failure('EINVAL', `no timer ${id}`);
    return found;
  }

  /** Of the monotonic clock. */
  #deadlineOf({ due, runsBy: by, sent, interval }: Timer): bigint | undefined {
    if (due === undefined || by === clock.running || this.#isHeld(sent)) return undefined;
    const now = this.#parts.clocks.monotonic();
    const at = by === clock.monotonic ? due : due - this.#parts.clocks.realtime() + now;
    const soonest = interval > 0n && interval < finest ? now + finest : at;
    return at > soonest ? at : soonest;
  }

  #now({ runsBy }: Timer): bigint {
    return this.#parts.clocks.read(runsBy);
  }

  #isHeld(sent: SignalInfo | undefined): boolean {
    return sent !== undefined && this.#parts.signals.isPending(sent);
  }

  #arm(one: Timer, due: bigint | undefined, interval: bigint): void {
    one.due = due;
    one.interval = cut(interval);
    this.look();
  }

  #expire(one: Timer): void {
    if (this.#isHeld(one.sent)) return;
    const missed = this.#pass(one);
    if (missed === undefined) return;
    one.overrun = missed;
    one.sent = one.send(one);
  }

  /** Somebody takes the signal: what expired meanwhile is counted with it. */
  #taken(one: Timer, { source }: SignalInfo): void {
    const more = this.#pass(one);
    if (more !== undefined) one.overrun = Math.min(one.overrun + more + 1, mostOverruns);
    if (source.by === 'timer') source.overrun = one.overrun;
  }

  /** Where it is due: how often it was beyond the first time, and it is set to the next. */
  #pass(one: Timer): number | undefined {
    const now = this.#now(one);
    if (one.due === undefined || one.due > now) return undefined;
    const missed = one.interval === 0n ? 0n : (now - one.due) / one.interval;
    one.due = one.interval === 0n ? undefined : one.due + (missed + 1n) * one.interval;
    return missed > BigInt(mostOverruns) ? mostOverruns : Number(missed);
  }

  /** Two 64-bit words: nanoseconds that are left, 0 where it is not armed, and the interval. */
  #report(one: Timer, result: bigint): void {
    if (result === 0n) return;
    const { memory } = this.#parts;
    const left = one.due === undefined ? 0n : one.due - this.#now(one);
    memory.checkWritable(result, 16);
    memory.writeU64(result, one.due !== undefined && left <= 0n ? 1n : left);
    memory.writeU64(result + 8n, one.interval);
  }
}

const timer = (by: number, send: Timer['send']): Timer => ({
  ...{ clock: by, runsBy: by, send, due: undefined, interval: 0n, sent: undefined, overrun: 0 },
});

const steady = (by: number): number => (by === clock.realtime ? clock.monotonic : by);

const cut = (time: bigint): bigint => (time > longest ? longest : time < 0n ? 0n : time);

export const isIntervalTimer = (which: number): boolean =>
  which === ITIMER.REAL || which === ITIMER.VIRTUAL || which === ITIMER.PROF;

/**
 * A vCPU's timers (vcpu.h): the singleshot one, which set_timer_op sets as well, the periodic one, which a PV guest has at 100
 * Hz from the start and which ticks only while it runs, and the domain's two watchdogs (sched.h).
 */
import { SHUTDOWN } from '../../abi/sched.ts';
import { VIRQ } from '../../abi/xen.ts';
import { XenError } from '../../errors.ts';
import type { Timers, VirtualCpu } from '../virtual-cpu.ts';
import type { SystemTime } from './system-time.ts';

const watchdogs = 2;
const firstPeriod = 10_000_000n;
const noSpace = 2 ** 32 - 28;
const second = 1_000_000_000n;

export class VcpuTimers implements Timers {
  readonly #time: SystemTime;
  readonly #vcpu: VirtualCpu;
  readonly #sendVirq: (virq: number) => void;
  #singleshot: bigint | undefined;
  #period: bigint | undefined = firstPeriod;
  #lastTick: bigint;
  /** Deadlines of those in use. */
  readonly #watchdogs = new Map<number, bigint>();

  constructor(time: SystemTime, vcpu: VirtualCpu, sendVirq: (virq: number) => void) {
    this.#time = time;
    this.#vcpu = vcpu;
    this.#sendVirq = sendVirq;
    this.#lastTick = time.now();
  }

  /** By system time. */
  setSingleshot(at: bigint | undefined): void {
    this.#singleshot = at;
  }

  setPeriod(period: bigint | undefined): void {
    this.#period = period;
    this.#lastTick = this.#time.now();
  }

  /** SCHEDOP_watchdog: 0 asks for a new one, of which the number is the answer; a timeout of 0 ends one. */
  watchdog(id: number, timeout: number): number {
    if (id > watchdogs) throw new XenError('EINVAL', `there is no watchdog ${id}`);
    const at = this.#time.now() + BigInt(timeout) * second;
    if (id === 0) {
      const free = [1, 2].find((number) => !this.#watchdogs.has(number));
      // Xen answers -ENOSPC as a number of 32 bits.
      if (free === undefined) return noSpace;
      this.#watchdogs.set(free, at);
      return free;
    }
    if (!this.#watchdogs.has(id)) throw new XenError('EINVAL', `watchdog ${id} is not in use`);
    if (timeout === 0) this.#watchdogs.delete(id);
    else this.#watchdogs.set(id, at);
    return 0;
  }

  deadline(): bigint | undefined {
    const times = [...this.#watchdogs.values()];
    if (this.#singleshot !== undefined) times.push(this.#singleshot);
    const first = times.reduce<bigint | undefined>(
      (least, at) => (least === undefined || at < least ? at : least),
      undefined,
    );
    return first === undefined ? undefined : this.#time.toMonotonic(first);
  }

  expire(monotonic: bigint): void {
    const now = this.#time.fromMonotonic(monotonic);
    if (this.#singleshot !== undefined && this.#singleshot <= now) {
      this.#singleshot = undefined;
      this.#sendVirq(VIRQ.TIMER);
    }
    this.#tick(now);
    for (const at of this.#watchdogs.values())
      if (at <= now) this.#vcpu.shutdown ??= SHUTDOWN.watchdog;
  }

  /** Ticks that a waiting vCPU has missed are one. */
  #tick(now: bigint): void {
    if (this.#period === undefined || this.#vcpu.waiting !== undefined) return;
    if (now - this.#lastTick < this.#period) return;
    this.#lastTick = now;
    this.#sendVirq(VIRQ.TIMER);
  }
}

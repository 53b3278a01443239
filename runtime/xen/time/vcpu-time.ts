/**
 * What a vCPU finds of time in memory: vcpu_time_info in its vcpu_info and where it has asked for a second one, the wall clock
 * in shared_info, and how long it has run and waited (vcpu.h: runstate).
 *
 * A version is odd while its struct is written. No guest runs meanwhile here, but two readings of it must tell an update.
 */
import { RUNSTATE, vcpu_runstate_info, XEN_RUNSTATE_UPDATE } from '../../abi/vcpu.ts';
import {
  HYPERVISOR_VIRT_END,
  HYPERVISOR_VIRT_START,
  shared_info,
  vcpu_info,
  vcpu_time_info,
  XEN_PVCLOCK_TSC_STABLE_BIT,
} from '../../abi/xen.ts';
import { XenError } from '../../errors.ts';
import type { DomainContext } from '../domain-context.ts';
import { type SystemTime, timestampScale } from './system-time.ts';

export type RunState = (typeof RUNSTATE)[keyof typeof RUNSTATE];

export class VcpuTime {
  readonly #domain: DomainContext;
  readonly #time: SystemTime;
  readonly #times = [0n, 0n, 0n, 0n];
  #state: RunState = RUNSTATE.runnable;
  #since: bigint;
  #version = 0;
  #wallVersion = 0;
  /** Where the guest has asked for copies, by its own addresses. */
  #runstateArea: bigint | undefined;
  #timeArea: bigint | undefined;

  constructor(domain: DomainContext, time: SystemTime) {
    this.#domain = domain;
    this.#time = time;
    this.#since = time.now();
  }

  /** The vCPU is about to run again, or has begun to wait. */
  enter(state: RunState): void {
    if (state === this.#state) return;
    const now = this.#time.now();
    this.#times[this.#state] = (this.#times[this.#state] ?? 0n) + now - this.#since;
    this.#state = state;
    this.#since = now;
    if (state !== RUNSTATE.running) return;
    this.update();
    this.#writeRunstateArea();
  }

  /** The pair of counter and system time that the guest goes on from. */
  update(): void {
    const { width, memory, vcpu } = this.#domain;
    const at = vcpu.info + vcpu_info.layout(width).offsets.time;
    const bytes = this.#timeInfo();
    memory.willWrite(at, bytes.length);
    memory.bytes().set(bytes, at);
    if (this.#timeArea !== undefined) this.#copyOut(this.#timeArea, bytes);
  }

  /** At the start, and when the host's clock may have been set: after a resume. */
  updateWallClock(): void {
    const { width, memory, sharedInfo } = this.#domain;
    const start = this.#time.wallClockStart();
    const seconds = start / 1_000_000_000n;
    const low = Number(BigInt.asUintN(32, seconds));
    const high = Number(BigInt.asUintN(32, seconds >> 32n));
    this.#wallVersion = (this.#wallVersion + 2) >>> 0;
    const shared = shared_info.layout(width).at(memory, sharedInfo);
    shared.wc_version = this.#wallVersion;
    shared.wc_sec = low;
    shared.wc_nsec = Number(start % 1_000_000_000n);
    if (width === 64) shared.wc_sec_hi = high;
    else shared.arch.wc_sec_hi = high;
  }

  registerRunstateArea(address: bigint): void {
    this.#refuseXen(address);
    this.#runstateArea = address;
    this.#writeRunstateArea();
  }

  registerTimeArea(address: bigint): void {
    this.#refuseXen(address);
    this.#timeArea = address;
    this.update();
  }

  /** vcpu_runstate_info as it is now. */
  runstate(): Uint8Array {
    const now = this.#time.now();
    const { size, at } = vcpu_runstate_info.layout(this.#domain.width);
    const bytes = new Uint8Array(size);
    const info = at(bytes, 0);
    info.state = this.#state;
    info.state_entry_time = this.#since;
    info.time = this.#times.map((time, state) =>
      state === this.#state ? time + now - this.#since : time,
    );
    return bytes;
  }

  /** Where nothing is mapped now, something may be later. */
  #refuseXen(address: bigint): void {
    const { width } = this.#domain;
    if (address >= HYPERVISOR_VIRT_START[width] && address < HYPERVISOR_VIRT_END[width])
      throw new XenError('EFAULT', `0x${address.toString(16)} is Xen's`);
  }

  #timeInfo(): Uint8Array {
    const { size, at } = vcpu_time_info.layout(this.#domain.width);
    const bytes = new Uint8Array(size);
    const info = at(bytes, 0);
    const timestamp = this.#time.timestamp();
    this.#version = (this.#version + 2) >>> 0;
    info.version = this.#version;
    info.tsc_timestamp = timestamp;
    // The counter counts system time; where it had to run ahead to tell two readings apart, so does this.
    info.system_time = timestamp;
    info.tsc_to_system_mul = timestampScale.tsc_to_system_mul;
    info.tsc_shift = timestampScale.tsc_shift;
    info.flags = XEN_PVCLOCK_TSC_STABLE_BIT;
    return bytes;
  }

  #writeRunstateArea(): void {
    if (this.#runstateArea === undefined) return;
    const bytes = this.runstate();
    const info = vcpu_runstate_info.layout(this.#domain.width).at(bytes, 0);
    info.state_entry_time &= ~XEN_RUNSTATE_UPDATE;
    this.#copyOut(this.#runstateArea, bytes);
  }

  /** Where the guest has unmapped it meanwhile, nothing is written, and it hears nothing of that. */
  #copyOut(address: bigint, bytes: Uint8Array): void {
    try {
      this.#domain.guest.writeBytes(address, bytes);
    } catch (error) {
      if (!(error instanceof XenError)) throw error;
    }
  }
}

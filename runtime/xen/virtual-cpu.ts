/** A PV guest's vCPU as Xen's scheduler sees it: what it waits for, how it ended, where its vcpu_info is. */

import { type vcpu_info as layoutOf, vcpu_info } from '../abi/xen.ts';
import type { Width } from '../memory/layout.ts';
import type { MachineMemory } from '../memory/machine-memory.ts';

/** SCHEDOP_block and SCHEDOP_poll. */
export interface Waiting {
  /** Whether what was waited for has come; time is looked at elsewhere. */
  readonly isOver: () => boolean;
  /** Of the monotonic clock; undefined: no matter how long. */
  readonly until: bigint | undefined;
}

/** What else wakes a vCPU: singleshot and periodic timers. */
export interface Timers {
  /** When the next is due, by the monotonic clock. */
  deadline(): bigint | undefined;
  /** Sends the events of what is due. */
  expire(now: bigint): void;
}

export class VirtualCpu {
  /** Host offset of its vcpu_info: in shared_info, until the guest registers another place. */
  info: number;
  waiting: Waiting | undefined;
  /** Whether it has given the rest of its slice away. */
  hasYielded = false;
  /** Xen's shutdown reason (sched.h), once it has one. */
  shutdown: number | undefined;
  /** What the reason will be, whatever SCHEDOP_shutdown says then (SCHEDOP_shutdown_code). */
  shutdownCode: number | undefined;
  /** Whether the guest has registered a place for vcpu_info. */
  hasMovedInfo = false;
  readonly #memory: MachineMemory;
  readonly #offsets: ReturnType<typeof layoutOf.layout>['offsets'];

  constructor(memory: MachineMemory, width: Width, info: number) {
    this.#memory = memory;
    this.info = info;
    this.#offsets = vcpu_info.layout(width).offsets;
  }

  get isUpcallPending(): boolean {
    return this.#byte(this.#offsets.evtchn_upcall_pending) !== 0;
  }

  get isUpcallMasked(): boolean {
    return this.#byte(this.#offsets.evtchn_upcall_mask) !== 0;
  }

  set isUpcallMasked(masked: boolean) {
    const at = this.info + this.#offsets.evtchn_upcall_mask;
    this.#memory.willWrite(at, 1);
    this.#memory.bytes()[at] = masked ? 1 : 0;
  }

  /** CR2 as a guest's page-fault handler reads it. */
  setFaultAddress(address: bigint): void {
    const at = this.info + this.#offsets.arch;
    this.#memory.willWrite(at, 8);
    if (this.#offsets.evtchn_pending_sel === 8) this.#memory.view().setBigUint64(at, address, true);
    else this.#memory.view().setUint32(at, Number(BigInt.asUintN(32, address)), true);
  }

  #byte(offset: number): number {
    return this.#memory.bytes()[this.info + offset] ?? 0;
  }
}

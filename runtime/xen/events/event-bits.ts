/** Pending and mask bits of the two-level ABI in a guest's shared_info, and the selector in its vcpu_info (xen.h). */
import { shared_info, vcpu_info } from '../../abi/xen.ts';
import type { Width } from '../../memory/layout.ts';

/** Where the bits are. */
export interface EventMemory {
  bytes(): Uint8Array;
  /** To be called before bytes change that a guest may execute. */
  willWrite(host: number, bytes: number): void;
}

export class EventBits {
  readonly width: Width;
  readonly #memory: EventMemory;
  readonly #vcpu: { readonly info: number };
  readonly #pending: number;
  readonly #mask: number;
  readonly #upcallPending: number;
  readonly #upcallMask: number;
  readonly #selector: number;
  #arrivals = 0;

  /** `sharedInfo` and the vCPU's `info` are host offsets; the latter moves when the guest registers another place. */
  constructor(
    memory: EventMemory,
    width: Width,
    sharedInfo: number,
    vcpu: { readonly info: number },
  ) {
    const shared = shared_info.layout(width).offsets;
    const own = vcpu_info.layout(width).offsets;
    this.width = width;
    this.#memory = memory;
    this.#vcpu = vcpu;
    this.#pending = sharedInfo + shared.evtchn_pending;
    this.#mask = sharedInfo + shared.evtchn_mask;
    this.#upcallPending = own.evtchn_upcall_pending;
    this.#upcallMask = own.evtchn_upcall_mask;
    this.#selector = own.evtchn_pending_sel;
  }

  isPending(port: number): boolean {
    return this.#bit(this.#pending, port);
  }

  clearPending(port: number): void {
    this.#exchange(this.#pending, port, false);
  }

  /** An event has come: its bit, and, where that was clear and the port is not masked, the vCPU's. */
  setPending(port: number): void {
    if (this.#exchange(this.#pending, port, true)) return;
    this.#arrivals++;
    if (!this.#bit(this.#mask, port)) this.#select(port);
  }

  /** What EVTCHNOP_unmask does: an event that came while the port was masked is told now. */
  unmask(port: number): void {
    if (this.#exchange(this.#mask, port, false) && this.isPending(port)) this.#select(port);
  }

  /** Whether the vCPU is to be interrupted. */
  get isDeliverable(): boolean {
    const bytes = this.#memory.bytes();
    const { info } = this.#vcpu;
    return bytes[info + this.#upcallPending] !== 0 && bytes[info + this.#upcallMask] === 0;
  }

  /** Counts events that were not pending already, masked ones, too. */
  get arrivals(): number {
    return this.#arrivals;
  }

  get isUpcallPending(): boolean {
    return this.#memory.bytes()[this.#vcpu.info + this.#upcallPending] !== 0;
  }

  /** What SCHEDOP_block and a return to the guest with events enabled do. */
  enableUpcalls(): void {
    this.#write(this.#vcpu.info + this.#upcallMask, 0);
  }

  /** After vcpu_info has moved: whatever came meanwhile is looked at again. */
  selectAll(): void {
    for (let word = 0; word < this.width; word++)
      this.#exchange(this.#vcpu.info + this.#selector, word, true);
    this.#write(this.#vcpu.info + this.#upcallPending, 1);
  }

  #select(port: number): void {
    const word = Math.floor(port / this.width);
    if (this.#exchange(this.#vcpu.info + this.#selector, word, true)) return;
    this.#write(this.#vcpu.info + this.#upcallPending, 1);
  }

  #bit(bits: number, n: number): boolean {
    return (((this.#memory.bytes()[bits + (n >> 3)] ?? 0) >> (n & 7)) & 1) === 1;
  }

  /** What it was before. */
  #exchange(bits: number, n: number, value: boolean): boolean {
    const at = bits + (n >> 3);
    const before = this.#memory.bytes()[at] ?? 0;
    const bit = 1 << (n & 7);
    const after = value ? before | bit : before & ~bit;
    if (after !== before) this.#write(at, after);
    return (before & bit) !== 0;
  }

  #write(at: number, value: number): void {
    this.#memory.willWrite(at, 1);
    this.#memory.bytes()[at] = value;
  }
}

/**
 * A vCPU as a PV guest has it: the processor's registers, and what Xen keeps beside them for its guest, trap table and
 * callbacks, the kernel's stack, descriptor frames, bases and page tables of kernel and user.
 */
import { FLAT_KERNEL } from '../abi/xen.ts';
import type { DebugRegisters } from '../cpu/debug-registers.ts';
import type { StoreThrough } from '../cpu/evaluate-instruction.ts';
import type { GuestCpu } from '../domain/guest-cpu.ts';
import type { Width } from '../memory/layout.ts';
import { segments } from '../x86/descriptor.ts';
import { cpuState } from '../x86/state.ts';

/** What a vCPU lets its kernel do beside what every kernel asks of it. */
export interface SystemCpu extends GuestCpu {
  get eflags(): bigint;
  set eflags(value: bigint);
  readState(offset: number, bytes: number): Uint8Array;
  writeState(offset: number, bytes: Uint8Array): void;
  readonly supervisor: {
    set isTaskSwitched(isSet: boolean);
    readonly debug: DebugRegisters;
    storeThrough(other: StoreThrough): boolean;
  };
}

export interface Trap {
  readonly cs: number;
  readonly address: bigint;
  /** The least privileged level from which INT n may raise it. */
  readonly privilege: number;
  /** Events are masked on the way in. */
  readonly masksEvents: boolean;
}

export interface Callback {
  readonly cs: number;
  readonly address: bigint;
  readonly masksEvents: boolean;
}

export type CallbackName = 'event' | 'failsafe' | 'syscall' | 'sysenter' | 'syscall32';

const taskSwitched = 8n;
/** CR0 as a guest finds it: PE MP ET NE WP AM PG. */
const initialControl = 0x8005_0033n;

export class PvCpu {
  readonly cpu: SystemCpu;
  readonly width: Width;
  readonly traps: (Trap | undefined)[] = new Array(256).fill(undefined);
  readonly callbacks: { [Name in CallbackName]: Callback | undefined } = {
    event: undefined,
    failsafe: undefined,
    syscall: undefined,
    sysenter: undefined,
    syscall32: undefined,
  };
  /** Sent by the guest to itself; masked from its delivery to the next HYPERVISOR_iret. */
  readonly nmi = { isPending: false, isMasked: false };
  /** Of a 64-bit guest, both of whose levels are the processor's level 3. */
  isKernel = true;
  kernelStack: { ss: number; sp: bigint };
  /** Machine frames of the guest's descriptors, and how many it has. */
  gdt: { frames: readonly number[]; entries: number } = { frames: [], entries: 0 };
  ldt: { base: bigint; entries: number } = { base: 0n, entries: 0 };
  /** Of the other level: what GS.base will be there. */
  otherGsBase = 0n;
  /** Topmost tables of the two levels; 0: none. */
  roots = { kernel: 0, user: 0 };
  ioPrivilege = 0;
  #control0 = initialControl;
  /** CR2. */
  faultAddress = 0n;
  /** VMASST_TYPE_… that the guest has switched on. */
  readonly assists = new Set<number>();

  constructor(cpu: SystemCpu) {
    this.cpu = cpu;
    this.width = cpu.mode;
    this.kernelStack = { ss: FLAT_KERNEL[cpu.mode].ss, sp: 0n };
  }

  get debug(): DebugRegisters {
    return this.cpu.supervisor.debug;
  }

  /** CR0; of it the guest may change TS. */
  get control0(): bigint {
    return this.#control0;
  }

  set isTaskSwitched(isSet: boolean) {
    this.#control0 = isSet ? initialControl | taskSwitched : initialControl;
    this.cpu.supervisor.isTaskSwitched = isSet;
  }

  /** Whether the guest's kernel runs, not a program of its own. */
  get inKernel(): boolean {
    return this.width === 64 ? this.isKernel : (this.selector('cs') & 3) !== 3;
  }

  selector(name: keyof typeof segments): number {
    const [low = 0, high = 0] = this.cpu.readState(cpuState.selectors + 2 * segments[name], 2);
    return low | (high << 8);
  }

  setSelector(name: keyof typeof segments, value: number): void {
    const bytes = Uint8Array.of(value & 0xff, (value >> 8) & 0xff);
    this.cpu.writeState(cpuState.selectors + 2 * segments[name], bytes);
  }

  get fsBase(): bigint {
    return this.#base(cpuState.fsBase);
  }

  set fsBase(base: bigint) {
    this.#setBase(cpuState.fsBase, base);
  }

  get gsBase(): bigint {
    return this.#base(cpuState.gsBase);
  }

  set gsBase(base: bigint) {
    this.#setBase(cpuState.gsBase, base);
  }

  #base(offset: number): bigint {
    const bytes = this.cpu.readState(offset, 8);
    return new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  }

  #setBase(offset: number, base: bigint): void {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, BigInt.asUintN(64, base), true);
    this.cpu.writeState(offset, bytes);
  }
}

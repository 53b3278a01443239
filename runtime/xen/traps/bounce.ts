/**
 * Puts a frame on a guest's stack and sends it to its handler, as Xen does for exceptions and events. The frame is a
 * processor's, but for three things: a 64-bit one has rcx and r11 on top, the byte above CS says whether events were masked,
 * and IF of its flags is the reverse of that. The failsafe callback's has data segments, too.
 */
import { FLAT_KERNEL, HYPERVISOR_VIRT_END, HYPERVISOR_VIRT_START } from '../../abi/xen.ts';
import { XenError } from '../../errors.ts';
import type { GuestMemory } from '../../memory/guest-memory.ts';
import { R11, RCX, RSP } from '../../x86/registers.ts';
import { GuestError } from '../guest-error.ts';
import type { PvCpu } from '../pv-cpu.ts';
import type { VirtualCpu } from '../virtual-cpu.ts';

export const interruptFlag = 0x200n;
const ioPrivilegeFlags = 0x3000n;
const resumeFlag = 0x1_0000n;
/** AC VM RF NT TF: a handler runs without them. */
const clearedFlags = { 64: 0x7_4100n, 32: 0x3_4100n } as const;

export interface Target {
  readonly cs: number;
  readonly address: bigint;
  readonly masksEvents: boolean;
}

/** What a frame says beside where the guest was. */
export interface Cause {
  readonly errorCode?: number | undefined;
  /** A fault: RF of the frame keeps debug traps from coming again when the instruction is tried anew (SDM vol. 3, 17.3.1.1). */
  readonly isFault?: boolean;
  /** Selectors of DS, ES, FS and GS, for the failsafe callback, which is called even where there is none. */
  readonly data?: readonly number[];
}

export interface BounceParts {
  readonly pv: PvCpu;
  readonly vcpu: VirtualCpu;
  readonly guest: GuestMemory;
  /** Changes between the kernel and its programs: page tables, or what of them may be used. */
  readonly toggleMode: () => void;
}

/** A 64-bit guest's is one by its address, a 32-bit one's by its selector. */
export const isHandler = ({ cs, address }: Target, width: 64 | 32): boolean =>
  width === 64 ? address !== 0n : (cs & ~3) !== 0;

export function bounce(parts: BounceParts, target: Target, cause: Cause = {}): void {
  const { pv } = parts;
  if (cause.data === undefined && !isHandler(target, pv.width))
    throw new GuestError('it has no handler');
  if (pv.width === 64) bounce64(parts, target, cause);
  else bounce32(parts, target, cause);
}

/** The flags of a frame, and whether events were masked when it was made; masks them where the handler wants that. */
function savedState({ pv, vcpu }: BounceParts, { masksEvents }: Target, { isFault }: Cause) {
  const wasMasked = vcpu.isUpcallMasked;
  if (masksEvents) vcpu.isUpcallMasked = true;
  const own = pv.cpu.eflags & ~(interruptFlag | ioPrivilegeFlags | resumeFlag);
  const flags = own | (wasMasked ? 0n : interruptFlag) | (isFault === true ? resumeFlag : 0n);
  return { wasMasked, flags };
}

function bounce64(parts: BounceParts, target: Target, cause: Cause): void {
  const { pv, guest, toggleMode } = parts;
  const { cpu } = pv;
  const stackPointer = cpu.register(RSP);
  const wasKernel = pv.isKernel;
  if (!wasKernel) toggleMode();
  const top = (wasKernel ? stackPointer : pv.kernelStack.sp) & ~0xfn;
  const { wasMasked, flags } = savedState(parts, target, cause);
  // A kernel in ring 3 is shown as ring 0.
  const cs = BigInt(wasKernel ? pv.selector('cs') & ~3 : pv.selector('cs'));
  const { errorCode, data = [] } = cause;
  const words = [
    ...[cpu.register(RCX), cpu.register(R11), ...data.map(BigInt)],
    ...(errorCode === undefined ? [] : [BigInt(errorCode >>> 0)]),
    ...[cpu.rip, cs | (wasMasked ? 1n << 32n : 0n), flags, stackPointer],
    BigInt(pv.selector('ss')),
  ];
  cpu.setRegister(RSP, push(guest, 64, top, words));
  cpu.eflags = (cpu.eflags & ~clearedFlags[64]) | interruptFlag;
  pv.setSelector('cs', FLAT_KERNEL[64].cs);
  pv.setSelector('ss', FLAT_KERNEL[64].ss);
  cpu.rip = target.address;
}

function bounce32(parts: BounceParts, target: Target, cause: Cause): void {
  const { pv, guest, toggleMode } = parts;
  const { cpu } = pv;
  const stackPointer = cpu.register(RSP);
  const wasKernel = pv.inKernel;
  if (!wasKernel) toggleMode();
  const { wasMasked, flags } = savedState(parts, target, cause);
  const { errorCode, data = [] } = cause;
  const words = [
    ...data.map(BigInt),
    ...(errorCode === undefined ? [] : [BigInt(errorCode >>> 0)]),
    ...[cpu.rip, BigInt(pv.selector('cs')) | (wasMasked ? 1n << 16n : 0n), flags],
    ...(wasKernel ? [] : [stackPointer, BigInt(pv.selector('ss'))]),
  ];
  const top = wasKernel ? stackPointer : pv.kernelStack.sp;
  cpu.setRegister(RSP, push(guest, 32, top, words));
  if (!wasKernel) pv.setSelector('ss', pv.kernelStack.ss);
  cpu.eflags = (cpu.eflags & ~clearedFlags[32]) | interruptFlag;
  pv.setSelector('cs', target.cs);
  cpu.rip = target.address;
}

/** Words below an address, the first one lowest; the address of that. */
function push(guest: GuestMemory, width: 64 | 32, top: bigint, words: readonly bigint[]): bigint {
  const bytes = new Uint8Array((words.length * width) / 8);
  const view = new DataView(bytes.buffer);
  words.forEach((word, i) => {
    if (width === 64) view.setBigUint64(8 * i, word, true);
    else view.setUint32(4 * i, Number(BigInt.asUintN(32, word)), true);
  });
  const address = BigInt.asUintN(width, top - BigInt(bytes.length));
  if (address < HYPERVISOR_VIRT_END[width] && top > HYPERVISOR_VIRT_START[width])
    throw new GuestError(`its stack at 0x${top.toString(16)} lies in Xen's own addresses`);
  try {
    guest.writeBytes(address, bytes);
  } catch (cause) {
    if (!(cause instanceof XenError)) throw cause;
    throw new GuestError(`its stack at 0x${address.toString(16)} cannot be written`, { cause });
  }
  return address;
}

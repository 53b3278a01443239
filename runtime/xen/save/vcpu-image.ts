/**
 * A PV guest's vCPU as Xen's tools save it (struct vcpu_guest_context): what a guest finds again behind its suspend call.
 * Frame numbers in it are pseudo-physical in a file; `frames` changes them.
 */
import { cpu_user_regs, VGCF, vcpu_guest_context } from '../../abi/vcpu-context.ts';
import { FIRST_RESERVED_GDT_ENTRY, type trap_info, VMASST } from '../../abi/xen.ts';
import type { Width } from '../../memory/layout.ts';
import { RAX, RBP, RBX, RCX, RDI, RDX, RSI, RSP } from '../../x86/registers.ts';
import { guestSelector } from '../mmu/descriptors.ts';
import type { Callback, CallbackName, PvCpu, Trap } from '../pv-cpu.ts';
import { fxrstor, fxsave, fxsaveBytes } from './fxsave.ts';

export const vcpuImageBytes = (width: Width): number => vcpu_guest_context.size(width);

/** What of a vCPU is not the processor's own, nor in its registers. */
export interface VcpuFrames {
  readonly kernelRoot: number;
  /** 0: none. */
  readonly userRoot: number;
  readonly gdt: readonly number[];
  /** In edx: the page of the start info. */
  readonly startInfo: number;
}

const general64 = {
  ...{ rax: RAX, rcx: RCX, rdx: RDX, rbx: RBX, rsp: RSP, rbp: RBP, rsi: RSI, rdi: RDI },
  ...{ r8: 8, r9: 9, r10: 10, r11: 11, r12: 12, r13: 13, r14: 14, r15: 15 },
} as const;
const general32 = {
  ...{ eax: RAX, ecx: RCX, edx: RDX, ebx: RBX, esp: RSP, ebp: RBP, esi: RSI, edi: RDI },
} as const;
const selectors = ['cs', 'ss', 'ds', 'es', 'fs', 'gs'] as const;
const namesOf = <K extends string>(table: Readonly<Record<K, number>>): K[] =>
  Object.keys(table) as K[];
const views = {
  64: (bytes: Uint8Array) =>
    cpu_user_regs[64].layout(64).at(bytes, vcpu_guest_context.layout(64).offsets.user_regs),
  32: (bytes: Uint8Array) =>
    cpu_user_regs[32].layout(32).at(bytes, vcpu_guest_context.layout(32).offsets.user_regs),
} as const;
const masksEvents = 4;
const ioPrivilegeShift = 12n;
/** ID AC RF, OF DF TF, SF ZF AF PF CF. */
const allowedFlags = 0x25_0dd5n;

/** CR3 as it shows a frame: PAE has the upper bits of it below. */
const control3Of = (frame: number, width: Width): bigint =>
  width === 64
    ? BigInt(frame) << 12n
    : BigInt(((frame << 12) >>> 0) | Math.floor(frame / 0x10_0000));
const frameOfControl3 = (value: bigint, width: Width): number =>
  width === 64
    ? Number(value >> 12n)
    : Number(((value >> 12n) & 0xf_ffffn) | ((value & 0xfffn) << 20n));

export function saveVcpu(pv: PvCpu, frames: VcpuFrames): Uint8Array {
  const { width, cpu, traps, callbacks, ldt, gdt, kernelStack } = pv;
  const bytes = new Uint8Array(vcpuImageBytes(width));
  const context = vcpu_guest_context.layout(width).at(bytes, 0);
  bytes.set(fxsave(cpu, width));
  saveRegisters(pv, bytes, frames.startInfo);
  const disables = (name: CallbackName, flag: number): number =>
    callbacks[name]?.masksEvents === true ? flag : 0;
  context.flags = BigInt(
    VGCF.i387_valid |
      VGCF.in_kernel |
      VGCF.online |
      disables('failsafe', VGCF.failsafe_disables_events) |
      disables('syscall', VGCF.syscall_disables_events),
  );
  context.trap_ctxt = traps.map((trap, vector) => trapInfo(trap, vector));
  [context.ldt_base, context.ldt_ents] = [ldt.base, BigInt(ldt.entries)];
  context.gdt_frames = frames.gdt.map(BigInt);
  context.gdt_ents = BigInt(gdt.entries);
  [context.kernel_ss, context.kernel_sp] = [BigInt(kernelStack.ss), kernelStack.sp];
  const user = frames.userRoot === 0 ? 0n : (BigInt(frames.userRoot) << 12n) | 1n;
  context.ctrlreg = [pv.control0, user, pv.faultAddress, control3Of(frames.kernelRoot, width)];
  context.debugreg = [...pv.debug.all];
  context.callbacks = callbackWords(pv);
  context.vm_assist = [...pv.assists].reduce((mask, type) => mask | (1n << BigInt(type)), 0n);
  if (width === 64) context.bases = [pv.fsBase, pv.gsBase, pv.otherGsBase];
  return bytes;
}

function saveRegisters(pv: PvCpu, bytes: Uint8Array, startInfo: number): void {
  const { cpu, width, ioPrivilege } = pv;
  const flags = cpu.eflags | (BigInt(ioPrivilege) << ioPrivilegeShift);
  if (width === 64) {
    const registers = views[64](bytes);
    for (const name of namesOf(general64)) registers[name] = cpu.register(general64[name]);
    [registers.rip, registers.rflags, registers.rdx] = [cpu.rip, flags, BigInt(startInfo)];
    for (const name of selectors) registers[name] = pv.selector(name);
    return;
  }
  const registers = views[32](bytes);
  for (const name of namesOf(general32)) registers[name] = cpu.register(general32[name]);
  [registers.eip, registers.eflags, registers.edx] = [cpu.rip, flags, BigInt(startInfo)];
  for (const name of selectors) registers[name] = pv.selector(name);
}

const trapInfo = (trap: Trap | undefined, vector: number) => ({
  vector,
  flags: trap === undefined ? 0 : trap.privilege | (trap.masksEvents ? masksEvents : 0),
  cs: trap?.cs ?? 0,
  address: trap?.address ?? 0n,
});

function callbackWords({ width, callbacks }: PvCpu): bigint[] {
  const { event, failsafe, syscall } = callbacks;
  if (width === 64) return [event, failsafe, syscall].map((one) => one?.address ?? 0n);
  return [event, failsafe].flatMap((one) => [BigInt(one?.cs ?? 0), one?.address ?? 0n]);
}

export function readFrames(
  bytes: Uint8Array,
  width: Width,
): VcpuFrames & { readonly gdtEntries: number } {
  const context = vcpu_guest_context.layout(width).at(bytes, 0);
  const [, user = 0n, , control3 = 0n] = context.ctrlreg;
  const gdtEntries = Math.min(Number(context.gdt_ents), FIRST_RESERVED_GDT_ENTRY);
  const registers = width === 64 ? views[64](bytes).rdx : views[32](bytes).edx;
  return {
    kernelRoot: frameOfControl3(control3, width),
    userRoot: width === 64 && (user & 1n) === 1n ? Number(user >> 12n) : 0,
    gdt: context.gdt_frames.slice(0, Math.ceil(gdtEntries / 512)).map(Number),
    gdtEntries,
    startInfo: Number(registers),
  };
}

/** Registers, handlers and the rest; page tables and descriptor frames are the MMU's. What a guest may not have is left out. */
export function restoreVcpu(pv: PvCpu, bytes: Uint8Array, startInfo: number): void {
  const { width, cpu } = pv;
  const context = vcpu_guest_context.layout(width).at(bytes, 0);
  const flags = Number(context.flags);
  fxrstor(cpu, width, bytes.subarray(0, fxsaveBytes));
  restoreRegisters(pv, bytes, startInfo);
  for (const info of context.trap_ctxt) pv.traps[info.vector] = trapOf(info, width);
  pv.ldt = { base: context.ldt_base, entries: Math.min(Number(context.ldt_ents), 8192) };
  pv.kernelStack = { ss: Number(context.kernel_ss & 0xffffn), sp: context.kernel_sp };
  const [control0 = 0n, , faultAddress = 0n] = context.ctrlreg;
  pv.isTaskSwitched = (control0 & 8n) !== 0n;
  pv.faultAddress = faultAddress;
  context.debugreg.forEach((value, i) => {
    pv.debug.set(i, value);
  });
  restoreCallbacks(pv, context.callbacks, flags);
  for (const type of Object.values(VMASST))
    if (((context.vm_assist >> BigInt(type)) & 1n) === 1n) pv.assists.add(type);
  if (width === 64) [pv.fsBase = 0n, pv.gsBase = 0n, pv.otherGsBase = 0n] = context.bases;
}

function restoreRegisters(pv: PvCpu, bytes: Uint8Array, startInfo: number): void {
  const { cpu, width } = pv;
  const setRest = (rip: bigint, flags: bigint): void => {
    cpu.rip = rip;
    cpu.eflags = (flags & allowedFlags) | 0x200n;
    pv.ioPrivilege = Number((flags >> ioPrivilegeShift) & 3n);
    cpu.setRegister(RDX, BigInt(startInfo));
  };
  if (width === 64) {
    const registers = views[64](bytes);
    for (const name of namesOf(general64)) cpu.setRegister(general64[name], registers[name]);
    for (const name of selectors) pv.setSelector(name, ownSelector(name, registers[name], 64));
    setRest(registers.rip, registers.rflags);
    return;
  }
  const registers = views[32](bytes);
  for (const name of namesOf(general32)) cpu.setRegister(general32[name], registers[name]);
  for (const name of selectors) pv.setSelector(name, ownSelector(name, registers[name], 32));
  setRest(registers.eip, registers.eflags);
}

/** Nobody comes back at Xen's own level. */
const ownSelector = (name: string, selector: number, width: Width): number =>
  name === 'cs' || name === 'ss' ? guestSelector(selector, width) : selector;

type TrapInfo = ReturnType<ReturnType<typeof trap_info.layout>['at']>;

function trapOf({ cs, address, flags }: TrapInfo, width: Width): Trap | undefined {
  const isSet = width === 64 ? address !== 0n : (cs & ~3) !== 0;
  return isSet
    ? {
        cs: guestSelector(cs, width),
        address,
        privilege: flags & 3,
        masksEvents: (flags & masksEvents) !== 0,
      }
    : undefined;
}

function restoreCallbacks(
  { width, callbacks }: PvCpu,
  words: readonly bigint[],
  flags: number,
): void {
  const [a = 0n, b = 0n, c = 0n, d = 0n] = words;
  const one = (cs: bigint, address: bigint, masks: boolean): Callback | undefined =>
    address === 0n && cs === 0n
      ? undefined
      : { cs: guestSelector(Number(cs & 0xffffn), width), address, masksEvents: masks };
  const failsafeMasks = (flags & VGCF.failsafe_disables_events) !== 0;
  if (width === 32) {
    callbacks.event = one(a, b, true);
    callbacks.failsafe = one(c, d, failsafeMasks);
    return;
  }
  callbacks.event = one(0n, a, true);
  callbacks.failsafe = one(0n, b, failsafeMasks);
  callbacks.syscall = one(0n, c, (flags & VGCF.syscall_disables_events) !== 0);
}

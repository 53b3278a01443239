/**
 * What a handler of a signal finds on its stack: siginfo_t, ucontext_t and behind them the floats, as Linux writes them for x86
 * (arch/x86: struct rt_sigframe), and what becomes of registers when it returns.
 */
import {
  applyFnsaveImage,
  applyFxsaveImage,
  fnsaveImage,
  fnsaveSize,
  fxsaveImage,
  fxsaveSize,
} from '../../cpu/float-image.ts';
import type { GuestCpu } from '../../domain/guest-cpu.ts';
import type { GuestMemory } from '../../memory/guest-memory.ts';
import { RAX, RBP, RBX, RCX, RDI, RDX, RSI, RSP } from '../../x86/registers.ts';
import { cpuState } from '../../x86/state.ts';
import { REG, siginfoSize, ucFlags, ucontext } from '../abi/signal.ts';
import type { AlternateStack } from './thread-signals.ts';

/** Of the last fault of a thread, whatever the signal. */
export interface FaultRegisters {
  readonly trapno: number;
  readonly err: number;
  readonly cr2: bigint;
}

export interface FrameContents {
  readonly info: Uint8Array;
  readonly mask: bigint;
  readonly stack: AlternateStack;
  readonly fault: FaultRegisters;
}

export interface FrameAddresses {
  readonly info: bigint;
  readonly context: bigint;
  readonly floats: bigint;
}

/** What a handler's return asks for, beside registers. */
export interface Returned {
  readonly mask: bigint;
  readonly stack: AlternateStack;
  /** The thread does not go on where it was interrupted. */
  readonly isElsewhere: boolean;
  readonly changesMxcsr: boolean;
}

type Names<W extends 64 | 32> = keyof (typeof REG)[W];

// biome-ignore format: a table
const registers64: readonly (readonly [Names<64>, number])[] = [
  ['R8', 8], ['R9', 9], ['R10', 10], ['R11', 11], ['R12', 12], ['R13', 13], ['R14', 14], ['R15', 15], ['RDI', RDI], ['RSI', RSI],
  ['RBP', RBP], ['RBX', RBX], ['RDX', RDX], ['RAX', RAX], ['RCX', RCX], ['RSP', RSP],
];
// biome-ignore format: a table
const registers32: readonly (readonly [Names<32>, number])[] = [
  ['EDI', RDI], ['ESI', RSI], ['EBP', RBP], ['ESP', RSP], ['EBX', RBX], ['EDX', RDX], ['ECX', RCX], ['EAX', RAX],
];
const places = {
  64: registers64.map(([name, register]) => [REG[64][name], register] as const),
  32: registers32.map(([name, register]) => [REG[32][name], register] as const),
} as const;

/** Selectors of a Linux process: cs and ss, and of x86-32 also ds and es. */
const selectors = { cs64: 0x33, cs32: 0x23, data: 0x2b } as const;

/** CF PF AF ZF SF DF OF and AC: what a return sets (FIX_EFLAGS), but for TF and RF. */
const settableFlags = 0x40cd5n;

/** x86-32 has FNSAVE's image first, a status word and 0, which says that FXSAVE's follows. */
const floatsSize = { 64: fxsaveSize, 32: fnsaveSize + 4 + fxsaveSize } as const;
const fxsaveAt = { 64: 0, 32: fnsaveSize + 4 } as const;

/** Bytes below `top`; all or nothing. */
export function placeFrame(top: bigint, mode: 64 | 32): FrameAddresses {
  const align = (address: bigint): bigint => address & ~15n;
  const floats = align(top - BigInt(floatsSize[mode]));
  const info = align(floats - BigInt(siginfoSize));
  const context = align(info - BigInt(ucontext.layout(mode).size));
  return { floats, info, context };
}

/** Writes the frame of the thread whose registers the vCPU has. */
export function writeFrame(
  cpu: GuestCpu,
  memory: GuestMemory,
  at: FrameAddresses,
  contents: FrameContents,
): void {
  const { mode } = cpu;
  const layout = ucontext.layout(mode);
  const saved = new Uint8Array(layout.size);
  const { fault, mask, stack } = contents;
  const rest = mode === 32 ? [BigInt.asUintN(32, mask), fault.cr2] : [];
  Object.assign(layout.at(saved, 0), {
    uc_flags: ucFlags[mode],
    gregs: mode === 64 ? gregs64(cpu, contents) : gregs32(cpu, contents),
    fpregs: at.floats,
    rest,
    uc_sigmask: mask,
  });
  Object.assign(layout.at(saved, 0).uc_stack, stack);
  const floats = floatsOf(cpu.saveContext(), mode);
  memory.checkWritable(at.context, Number(at.floats - at.context) + floats.length);
  memory.writeBytes(at.floats, floats);
  memory.writeBytes(at.info, contents.info);
  memory.writeBytes(at.context, saved);
}

function gregs64(cpu: GuestCpu, { fault, mask }: FrameContents): bigint[] {
  const { RIP, EFL, CSGSFS, ERR, TRAPNO, OLDMASK, CR2 } = REG[64];
  const gregs = new Array<bigint>(23).fill(0n);
  for (const [place, register] of places[64]) gregs[place] = cpu.register(register);
  gregs[RIP] = cpu.rip;
  gregs[EFL] = cpu.eflags;
  gregs[CSGSFS] = BigInt(selectors.cs64) | (BigInt(selectors.data) << 48n);
  gregs[ERR] = BigInt(fault.err);
  gregs[TRAPNO] = BigInt(fault.trapno);
  gregs[OLDMASK] = mask;
  gregs[CR2] = fault.cr2;
  return gregs;
}

function gregs32(cpu: GuestCpu, { fault }: FrameContents): bigint[] {
  const { EIP, EFL, ERR, TRAPNO, CS, SS, DS, ES, UESP } = REG[32];
  const gregs = new Array<bigint>(19).fill(0n);
  for (const [place, register] of places[32]) gregs[place] = cpu.register(register);
  gregs[EIP] = cpu.rip;
  gregs[EFL] = cpu.eflags;
  gregs[ERR] = BigInt(fault.err);
  gregs[TRAPNO] = BigInt(fault.trapno);
  gregs[CS] = BigInt(selectors.cs32);
  for (const place of [SS, DS, ES]) gregs[place] = BigInt(selectors.data);
  gregs[UESP] = cpu.register(RSP);
  return gregs;
}

function floatsOf(context: Uint8Array, mode: 64 | 32): Uint8Array {
  const image = fxsaveImage(context, mode);
  if (mode === 64) return image;
  const both = new Uint8Array(floatsSize[32]);
  const legacy = fnsaveImage(context);
  both.set(legacy);
  both.set(legacy.subarray(4, 6), fnsaveSize);
  both.set(image, fxsaveAt[32]);
  return both;
}

/** Sets the vCPU's registers to what the handler has left of them; the vCPU has those that it interrupted. */
export function readFrame(cpu: GuestCpu, memory: GuestMemory, at: FrameAddresses): Returned {
  const { mode } = cpu;
  const layout = ucontext.layout(mode);
  const saved = layout.at(memory.readBytes(at.context, layout.size), 0);
  const changesMxcsr = readFloats(cpu, memory, saved.fpregs);
  const [rip, sp] = [cpu.rip, cpu.register(RSP)];
  const { gregs } = saved;
  for (const [place, register] of places[mode]) cpu.setRegister(register, gregs[place] ?? 0n);
  cpu.rip = gregs[mode === 64 ? REG[64].RIP : REG[32].EIP] ?? 0n;
  const flags = gregs[mode === 64 ? REG[64].EFL : REG[32].EFL] ?? 0n;
  cpu.eflags = (cpu.eflags & ~settableFlags) | (flags & settableFlags);
  return {
    mask: saved.uc_sigmask,
    stack: { ...saved.uc_stack },
    isElsewhere: cpu.rip !== rip || cpu.register(RSP) !== sp,
    changesMxcsr,
  };
}

/** Whether MXCSR is another now; no floats at all are those of a fresh process, as Linux has it. */
function readFloats(cpu: GuestCpu, memory: GuestMemory, address: bigint): boolean {
  const context = cpu.saveContext();
  const before = mxcsr(context);
  const bytes =
    address === 0n ? freshFloats(cpu.mode) : memory.readBytes(address, floatsSize[cpu.mode]);
  applyFxsaveImage(bytes.subarray(fxsaveAt[cpu.mode]), context, cpu.mode);
  if (cpu.mode === 32) applyFnsaveImage(bytes, context);
  cpu.restoreContext(context);
  return mxcsr(context) !== before;
}

const mxcsr = (context: Uint8Array): number =>
  (context[cpuState.mxcsr] ?? 0) | ((context[cpuState.mxcsr + 1] ?? 0) << 8);

function freshFloats(mode: 64 | 32): Uint8Array {
  const context = new Uint8Array(cpuState.leaveReason);
  const view = new DataView(context.buffer);
  view.setUint32(cpuState.fpuControl, 0x37f, true);
  view.setUint32(cpuState.mxcsr, 0x1f80, true);
  return floatsOf(context, mode);
}

/**
 * The processor that a PV guest sees around it: Xen's segment descriptors behind its own, a trap table in place of an IDT, and
 * of the privileged instructions those that Xen emulates for its guests.
 */
import { FLAT_KERNEL } from '../abi/xen.ts';
import type { Emulated, Environment } from '../cpu/environment.ts';
import { XenError } from '../errors.ts';
import type { EvaluationState } from '../ir/evaluate.ts';
import type { GuestMemory } from '../memory/guest-memory.ts';
import type { Width } from '../memory/layout.ts';
import type { Instruction } from '../x86/decode.ts';
import { RAX, RCX, RDX } from '../x86/registers.ts';
import { vectors } from '../x86/semantics.ts';
import type { FrameTable } from './frames.ts';
import { descriptorOf } from './mmu/descriptors.ts';
import type { Mmu } from './mmu/mmu.ts';
import type { PvCpu } from './pv-cpu.ts';
import { setDebugRegister } from './traps/set-debugreg.ts';

export interface EnvironmentParts {
  readonly frames: FrameTable;
  readonly guest: () => GuestMemory;
  /** They need the vCPU, which needs this. */
  readonly pv: () => PvCpu;
  readonly mmu: () => Mmu;
  readonly timestamp: () => bigint;
}

/** Where Xen has the tables of its first vCPU, as SGDT and SIDT show them. */
const gdtBase = { 64: 0xffff_8200_0000_0000n, 32: 0xffff_8200_0000_0000n & 0xffff_ffffn } as const;
const idtBase = { 64: 0xffff_8300_0000_0000n, 32: 0n } as const;
const lastDescriptor = 0xefff;
/** PE MP ET NE WP AM PG. */
const control = 0x8005_0033;
/** PSE PAE MCE PGE OSFXSR OSXMMEXCPT. */
const control4 = 0x6e0n;

const MSR = {
  TSC: 0x10,
  APIC_BASE: 0x1b,
  MISC_ENABLE: 0x1a0,
  PAT: 0x277,
  EFER: 0xc000_0080,
  FS_BASE: 0xc000_0100,
  GS_BASE: 0xc000_0101,
  SHADOW_GS_BASE: 0xc000_0102,
} as const;

/** SCE LME LMA NXE. */
const extendedFeatures = 0xd01n;
const pageAttributes = 0x0007_0406_0007_0406n;

export function pvEnvironment(width: Width, parts: EnvironmentParts): Environment {
  const { cs, ss, ds } = FLAT_KERNEL[width];
  return {
    timestamp: parts.timestamp,
    processor: 0,
    descriptor: (selector) => descriptorOf(parts.pv(), parts.frames, parts.guest(), selector),
    gatePrivilege: (vector) => gatePrivilege(parts.pv(), vector),
    gdt: { base: gdtBase[width], limit: lastDescriptor },
    idt: { base: idtBase[width], limit: 0xfff },
    ldt: 0,
    task: 0,
    control,
    selectors: width === 64 ? [ds, cs, ss, ds, ds, ds] : [ds, cs, ss, ds, ds, ds],
    levelChanged: () => {
      if (width === 32) parts.mmu().tables.isUser = !parts.pv().inKernel;
    },
    emulate: (instruction, state) => emulate(instruction, state, parts),
  };
}

/** #BP, #OF and INT 0x80 have gates of their own; for the others the guest's trap table says who may use INT n. */
function gatePrivilege(pv: PvCpu, vector: number): number | undefined {
  if (vector === vectors.BP || vector === vectors.OF) return 3;
  const trap = pv.traps[vector];
  if (vector === systemCall) return trap === undefined ? undefined : 3;
  const least = pv.inKernel ? 1 : 3;
  return trap !== undefined && trap.privilege >= least ? 3 : undefined;
}

/** What programs have asked their kernels by since Linux began. */
const systemCall = 0x80;

type Emulation = (
  instruction: Instruction,
  state: EvaluationState,
  parts: EnvironmentParts,
) => Emulated;

const done: Emulation = () => 'done';

/** What Xen does for its guests' kernels; the rest is refused, as by a processor. */
// biome-ignore format: a table
const emulations: Readonly<Record<string, Emulation>> = {
  HLT: (_, __, { pv }) => (allowsIo(pv()) ? 'halted' : 'refused'),
  CLI: (_, __, { pv }) => (allowsIo(pv()) ? 'done' : 'refused'),
  STI: (_, __, { pv }) => (allowsIo(pv()) ? 'done' : 'refused'),
  IN: (instruction, state, { pv }) => (allowsIo(pv()) ? readPort(instruction, state) : 'refused'),
  OUT: (_, __, { pv }) => (allowsIo(pv()) ? 'done' : 'refused'),
  WBINVD: done, INVD: done,
  CLTS: (_, __, { pv }) => clearTaskSwitched(pv()),
  RDMSR: (_, state, parts) => readMsr(state, parts),
  WRMSR: (_, state, parts) => writeMsr(state, parts),
  MOV: (instruction, state, parts) => moveControl(instruction, state, parts),
};

function emulate(
  instruction: Instruction,
  state: EvaluationState,
  parts: EnvironmentParts,
): Emulated {
  // Whoever executes WBINVD, nothing needs to be done.
  const isForAll = instruction.mnemonic === 'WBINVD' || instruction.mnemonic === 'INVD';
  if (!parts.pv().inKernel && !isForAll) return 'refused';
  return emulations[instruction.mnemonic]?.(instruction, state, parts) ?? 'refused';
}

/** A kernel counts as level 1, as long as it has not asked for another arrangement. */
const allowsIo = ({ ioPrivilege, inKernel }: PvCpu): boolean => ioPrivilege >= (inKernel ? 1 : 3);

/** Nothing is there: all lines are up. */
function readPort({ operands }: Instruction, state: EvaluationState): Emulated {
  const width = operands[0].kind === 'register' ? operands[0].width : 8;
  const ones = (1n << BigInt(width)) - 1n;
  const kept = width === 32 ? 0n : state.register(RAX) & ~ones;
  state.setRegister(RAX, kept | ones);
  return 'done';
}

function clearTaskSwitched(pv: PvCpu): Emulated {
  pv.isTaskSwitched = false;
  return 'done';
}

function readMsr(state: EvaluationState, { pv, timestamp }: EnvironmentParts): Emulated {
  const values: Readonly<Record<number, () => bigint>> = {
    [MSR.TSC]: timestamp,
    [MSR.APIC_BASE]: () => 0xfee0_0900n,
    [MSR.MISC_ENABLE]: () => 1n,
    [MSR.PAT]: () => pageAttributes,
    [MSR.EFER]: () => extendedFeatures,
    [MSR.FS_BASE]: () => pv().fsBase,
    [MSR.GS_BASE]: () => pv().gsBase,
    [MSR.SHADOW_GS_BASE]: () => pv().otherGsBase,
  };
  const value = values[Number(BigInt.asUintN(32, state.register(RCX)))]?.();
  if (value === undefined) return 'refused';
  state.setRegister(RAX, BigInt.asUintN(32, value));
  state.setRegister(RDX, BigInt.asUintN(32, value >> 32n));
  return 'done';
}

function writeMsr(state: EvaluationState, parts: EnvironmentParts): Emulated {
  const pv = parts.pv();
  if (pv.width === 32) return 'refused';
  const low = BigInt.asUintN(32, state.register(RAX));
  const value = (BigInt.asUintN(32, state.register(RDX)) << 32n) | low;
  const top = value >> 47n;
  if (top !== 0n && top !== 0x1_ffffn) return 'refused';
  switch (Number(BigInt.asUintN(32, state.register(RCX)))) {
    case MSR.FS_BASE:
      pv.fsBase = value;
      return 'done';
    case MSR.GS_BASE:
      pv.gsBase = value;
      return 'done';
    case MSR.SHADOW_GS_BASE:
      pv.otherGsBase = value;
      return 'done';
    default:
      return 'refused';
  }
}

function moveControl(
  { operands: [to, from] }: Instruction,
  state: EvaluationState,
  parts: EnvironmentParts,
): Emulated {
  if (from.kind === 'special' && to.kind === 'register') {
    const value = readSpecial(from.file, from.index, parts);
    if (value === undefined) return 'refused';
    state.setRegister(to.register, value);
    return 'done';
  }
  if (to.kind !== 'special' || from.kind !== 'register') return 'refused';
  return writeSpecial(to.file, to.index, state.register(from.register), parts);
}

function readSpecial(
  file: string,
  index: number,
  { pv, mmu }: EnvironmentParts,
): bigint | undefined {
  const { width, debug, control0 } = pv();
  if (file === 'debug') return index === 4 || index === 5 ? undefined : debug.get(index);
  if (file !== 'control') return undefined;
  if (index === 0) return control0;
  if (index === 2) return pv().faultAddress;
  if (index === 4) return control4;
  if (index !== 3) return undefined;
  const frame = BigInt(mmu().tables.root);
  // The frame's upper bits stand where PAE has the lower ones of the table's address.
  return width === 64 ? frame << 12n : BigInt.asUintN(32, (frame << 12n) | (frame >> 20n));
}

function writeSpecial(
  file: string,
  index: number,
  value: bigint,
  { pv, mmu }: EnvironmentParts,
): Emulated {
  const own = pv();
  if (file === 'debug' && index !== 4 && index !== 5) {
    return orRefused(() => setDebugRegister(own, BigInt(index), value));
  }
  if (file !== 'control') return 'refused';
  if (index === 0) {
    // TS alone may change.
    if ((value ^ own.control0) & ~8n) return 'refused';
    own.isTaskSwitched = (value & 8n) !== 0n;
    return 'done';
  }
  if (index === 2) own.faultAddress = value;
  else if (index === 3) return setRoot(own.width, value, mmu());
  else if (index !== 4) return 'refused';
  return 'done';
}

function setRoot(width: Width, value: bigint, mmu: Mmu): Emulated {
  const frame = width === 64 ? value >> 12n : (value >> 12n) | ((value & 0xfffn) << 20n);
  return orRefused(() => mmu.setKernelRoot(Number(frame)));
}

/** What a hypercall answers with an error is #GP to an instruction. */
function orRefused(change: () => void): Emulated {
  try {
    change();
    return 'done';
  } catch (error) {
    if (error instanceof XenError) return 'refused';
    throw error;
  }
}

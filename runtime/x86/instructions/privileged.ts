/**
 * What only the CPU's surroundings can answer: descriptor tables, privilege, ports and time (SDM vol. 1, 5.1.9 and 5.20).
 * The rows leave with the state untouched; cpu/system-instruction.ts executes what stands at rip.
 */
import type { InstructionTable, Semantics } from '../semantics.ts';
import { undefinedInstruction } from './operands.ts';

/** Leaves with rip at the instruction itself. */
export const askHost: Semantics = (b, _, { address }) =>
  b.end({ kind: 'leave', reason: 'privileged', operand: 0, next: address });

/** Leaves behind the instruction: EDX:EAX becomes the time-stamp counter, and of RDTSCP ECX its processor. */
const timestamp =
  (withProcessor: 0 | 1): Semantics =>
  (b, _, { next }) =>
    b.end({ kind: 'leave', reason: 'timestamp', operand: withProcessor, next });

/** SYSRET exists in 64-bit mode alone. */
const sysret: Semantics = (b, operands, facts) =>
  (facts.mode === 64 ? askHost : undefinedInstruction)(b, operands, facts);

export const privileged = {
  CLI: askHost,
  CLTS: askHost,
  HLT: askHost,
  IN: askHost,
  INSB: askHost,
  INSD: askHost,
  INSW: askHost,
  INVD: askHost,
  INVLPG: askHost,
  IRET: askHost,
  IRETD: askHost,
  IRETQ: askHost,
  LAR: askHost,
  LDS: askHost,
  LES: askHost,
  LFS: askHost,
  LGDT: askHost,
  LGS: askHost,
  LIDT: askHost,
  LLDT: askHost,
  LMSW: askHost,
  LSL: askHost,
  LSS: askHost,
  LTR: askHost,
  OUT: askHost,
  OUTSB: askHost,
  OUTSD: askHost,
  OUTSW: askHost,
  RDMSR: askHost,
  RDPMC: askHost,
  RDTSC: timestamp(0),
  RDTSCP: timestamp(1),
  RETF: askHost,
  SGDT: askHost,
  SIDT: askHost,
  SLDT: askHost,
  SMSW: askHost,
  STI: askHost,
  STR: askHost,
  SWAPGS: askHost,
  SYSRET: sysret,
  SYSRETQ: sysret,
  VERR: askHost,
  VERW: askHost,
  WBINVD: askHost,
  WRMSR: askHost,
} as const satisfies InstructionTable;

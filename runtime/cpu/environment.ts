/** What a CPU asks of its world: descriptor tables, time, and whatever only the most privileged level may do. */
import type { EvaluationState } from '../ir/evaluate.ts';
import type { Instruction } from '../x86/decode.ts';
import { RAX, RCX, RDX } from '../x86/registers.ts';

/** A table as SGDT and SIDT store it. */
export interface TableRegister {
  readonly base: bigint;
  readonly limit: number;
}

/** What became of an instruction that level 3 may not execute. */
export type Emulated =
  /** #GP(0), as a processor answers. */
  | 'refused'
  /** Its effects are in the state; the guest goes on behind it. */
  | 'done'
  /** The same, and the vCPU waits for an event: HLT. */
  | 'halted';

export interface Environment {
  /** The time-stamp counter: each reading is larger than the one before. */
  timestamp(): bigint;
  /** IA32_TSC_AUX. */
  readonly processor: number;
  /** The 8 bytes that a selector names, of the GDT or the LDT; undefined beyond the table's limit. */
  descriptor(selector: number): bigint | undefined;
  /** Privilege level from which INT n may use a gate; undefined where there is none. */
  gatePrivilege(vector: number): number | undefined;
  readonly gdt: TableRegister;
  readonly idt: TableRegister;
  /** Selectors of the LDT and of the task. */
  readonly ldt: number;
  readonly task: number;
  /** CR0. */
  readonly control: number;
  /** Selectors at the start: es cs ss ds fs gs. */
  readonly selectors: readonly number[];
  /** A return has left for a less privileged level. */
  readonly levelChanged?: () => void;
  /** Ports, MSRs, control registers and their like. */
  emulate(instruction: Instruction, state: EvaluationState): Emulated;
}

/** RDTSC, and RDTSCP where `withProcessor` is 1 (SDM vol. 2, RDTSCP). */
export function readTimestamp(
  registers: { setRegister(number: number, value: bigint): void },
  environment: Environment,
  withProcessor: number,
): undefined {
  const ticks = environment.timestamp();
  registers.setRegister(RAX, BigInt.asUintN(32, ticks));
  registers.setRegister(RDX, BigInt.asUintN(32, ticks >> 32n));
  if (withProcessor === 1) registers.setRegister(RCX, BigInt(environment.processor));
}

/** Runs one system instruction on a CPU of the tests, in a world that the test describes. */
import type { Environment } from '../../runtime/cpu/environment.ts';
import { flatEnvironment } from '../../runtime/cpu/flat-environment.ts';
import {
  executeSystemInstruction,
  type SystemOutcome,
} from '../../runtime/cpu/system-instruction.ts';
import { CpuException } from '../../runtime/errors.ts';
import { Decoder } from '../../runtime/x86/decode.ts';
import type { Mode } from '../../runtime/x86/registers.ts';
import { cpuState } from '../../runtime/x86/state.ts';
import type { MemoryWindow } from './cpu-oracle.ts';
import { RegionMemory, TestState } from './evaluation-state.ts';
import { baseState, vectorRip } from './vectors/state.ts';

export interface World {
  readonly registers?: Readonly<Record<number, bigint>>;
  readonly memory?: readonly MemoryWindow[];
  /** es cs ss ds fs gs. */
  readonly selectors?: readonly number[];
  readonly flags?: bigint;
  readonly environment?: Partial<Environment>;
}

export interface SystemRun {
  /** Or the exception that was raised. */
  readonly outcome:
    | SystemOutcome
    | { readonly vector: number; readonly errorCode: number | undefined };
  readonly cpu: TestState;
  /** EFLAGS, as a vector has them. */
  readonly flags: bigint;
  readonly selectors: readonly number[];
  readonly fsBase: bigint;
  readonly gsBase: bigint;
}

export function runSystem(mode: Mode, hex: string, world: World = {}): SystemRun {
  const code = Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
  const decoder = new Decoder(mode, vectorRip, code);
  const instruction = decoder.decode(vectorRip);
  decoder.free();
  const memory = new RegionMemory([{ address: vectorRip, bytes: code }, ...(world.memory ?? [])]);
  const base = baseState(mode);
  const cpu = new TestState(mode, { ...base, rflags: world.flags ?? base.rflags }, memory);
  for (const [number, value] of Object.entries(world.registers ?? {}))
    cpu.setRegister(Number(number), value);
  const flat = flatEnvironment(mode, () => 0n);
  const environment = { ...flat, ...world.environment };
  for (const [i, selector] of (world.selectors ?? flat.selectors).entries())
    cpu.storeCpu(cpuState.selectors + 2 * i, 2, BigInt(selector));
  const outcome = outcomeOf(() => executeSystemInstruction(instruction, cpu, environment));
  return {
    outcome,
    cpu,
    flags: cpu.recorded(vectorRip).rflags,
    selectors: flat.selectors.map((_, i) => Number(cpu.loadCpu(cpuState.selectors + 2 * i, 2))),
    fsBase: cpu.loadCpu(cpuState.fsBase, 8),
    gsBase: cpu.loadCpu(cpuState.gsBase, 8),
  };
}

function outcomeOf(execute: () => SystemOutcome): SystemRun['outcome'] {
  try {
    return execute();
  } catch (error) {
    if (!(error instanceof CpuException)) throw error;
    return { vector: error.vector, errorCode: error.errorCode };
  }
}

/** Little-endian words of a width in bytes, one after the other. */
export function words(bytes: number, ...values: readonly (bigint | number)[]): Uint8Array {
  return Uint8Array.from(
    values.flatMap((value) =>
      Array.from({ length: bytes }, (_, i) => Number((BigInt(value) >> BigInt(8 * i)) & 0xffn)),
    ),
  );
}

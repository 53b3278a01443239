/** A vCPU's registers while no recompiled function holds them (x86/state.ts), as the host reads and writes them. */
import { flagBits } from '../ir/builder.ts';
import { evaluateFlagRule } from '../ir/evaluate.ts';
import { flagNames } from '../ir/ops.ts';
import type { MachineMemory } from '../memory/machine-memory.ts';
import type { Recipes } from '../recompiler/recipes.ts';
import type { Mode } from '../x86/registers.ts';
import { cpuState, registerOffset } from '../x86/state.ts';

const directionFlag = 0x400;
/** Bit 1 of EFLAGS is always 1. */
const fixedFlag = 2;

export class StateBlock {
  readonly #mode: Mode;
  readonly #memory: MachineMemory;
  /** Offset in the machine's memory. */
  readonly #at: number;
  readonly #recipes: Recipes;
  /** A quicker way to what `evaluatedFlags` says. */
  computeFlags: (() => number) | undefined;

  constructor(mode: Mode, memory: MachineMemory, at: number, recipes: Recipes) {
    this.#mode = mode;
    this.#memory = memory;
    this.#at = at;
    this.#recipes = recipes;
  }

  register(n: number): bigint {
    const low = this.word64(registerOffset(n));
    return n < 16 ? low : low | (this.word64(registerOffset(n) + 8) << 64n);
  }

  setRegister(n: number, value: bigint): void {
    this.setWord64(registerOffset(n), n < 16 ? BigInt.asUintN(this.#mode, value) : value);
    if (n >= 16) this.setWord64(registerOffset(n) + 8, value >> 64n);
  }

  /** The arithmetic flags as EFLAGS holds them. */
  packedFlags(): number {
    if (this.word32(cpuState.flagRecipe) === 0) return this.word32(cpuState.flagInput0);
    return this.computeFlags?.() ?? this.evaluatedFlags();
  }

  /** The same, by the reference evaluator. */
  evaluatedFlags(): number {
    const recipe = this.#recipes.recipe(this.word32(cpuState.flagRecipe));
    if (recipe === undefined) return this.word32(cpuState.flagInput0);
    const inputs = recipe.widths.map((width, i) => ({
      width,
      value: BigInt.asUintN(width, this.word64(cpuState.flagInput0 + 8 * i)),
    }));
    const flags = evaluateFlagRule(recipe.rule, inputs);
    return flagNames.reduce(
      (packed, name) => packed | (flags[name] === true ? 1 << flagBits[name] : 0),
      0,
    );
  }

  get eflags(): bigint {
    const direction = this.read(cpuState.direction, 1)[0] ?? 0;
    return BigInt(this.packedFlags() | (direction << 10) | this.word32(cpuState.otherFlags));
  }

  set eflags(value: bigint) {
    const flags = Number(BigInt.asUintN(32, value));
    const arithmetic = flagNames.reduce((mask, name) => mask | (1 << flagBits[name]), 0);
    this.setWord32(cpuState.flagRecipe, 0);
    this.setWord32(cpuState.flagInput0, flags & arithmetic);
    this.write(cpuState.direction, Uint8Array.of((flags & directionFlag) === 0 ? 0 : 1));
    this.setWord32(cpuState.otherFlags, (flags & ~(arithmetic | directionFlag)) | fixedFlag);
  }

  read(offset: number, bytes: number): Uint8Array {
    return this.#memory.bytes().slice(this.#at + offset, this.#at + offset + bytes);
  }

  write(offset: number, bytes: Uint8Array): void {
    this.#memory.bytes().set(bytes, this.#at + offset);
  }

  word32(offset: number): number {
    return this.#memory.view().getInt32(this.#at + offset, true);
  }

  setWord32(offset: number, value: number): void {
    this.#memory.view().setInt32(this.#at + offset, value, true);
  }

  word64(offset: number): bigint {
    return this.#memory.view().getBigUint64(this.#at + offset, true);
  }

  setWord64(offset: number, value: bigint): void {
    this.#memory.view().setBigUint64(this.#at + offset, BigInt.asUintN(64, value), true);
  }
}

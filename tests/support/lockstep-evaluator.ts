/** Runs a whole program in the reference evaluator, one instruction a block, up to its int3 or its fault. */
import { CpuException, UnsupportedError } from '../../runtime/errors.ts';
import { Builder } from '../../runtime/ir/builder.ts';
import { evaluateBlock } from '../../runtime/ir/evaluate.ts';
import type { Flag } from '../../runtime/ir/ops.ts';
import type { Block } from '../../runtime/ir/value.ts';
import { Decoder } from '../../runtime/x86/decode.ts';
import { type Mode, XMM0 } from '../../runtime/x86/registers.ts';
import { translateInstruction } from '../../runtime/x86/translate.ts';
import type { CpuState, MemoryWindow } from './cpu-oracle.ts';
import { LockstepState, RegionBytes } from './lockstep-memory.ts';

/** How a program ended: its state, its memory, and the exception that ended it; int3 is one. */
export interface Ended {
  readonly state: CpuState;
  readonly memory: readonly MemoryWindow[];
  readonly vector: number;
  /** CR2, where the vector is 14. */
  readonly address: bigint;
}

export interface Evaluated extends Ended {
  readonly undefinedFlags: bigint;
  readonly steps: number;
}

/** Undefined where the program does not end in `mostSteps`. */
export function evaluateProgram(
  mode: Mode,
  code: Uint8Array,
  state: CpuState,
  memory: readonly MemoryWindow[],
  undefinedReads: ReadonlySet<Flag> = new Set(),
  mostSteps = 20_000,
): Evaluated | undefined {
  const bytes = new RegionBytes([{ address: state.rip, bytes: code }, ...memory]);
  const cpu = new LockstepState(mode, state, bytes, undefinedReads);
  const blocks = new Blocks(mode, code, state.rip);
  const ended = (rip: bigint, vector: number, address: bigint, steps: number): Evaluated => ({
    state: cpu.recorded(rip),
    memory: memory.map((w) => ({
      address: w.address,
      bytes: bytes.bytes(w.address, w.bytes.length),
    })),
    vector,
    address,
    undefinedFlags: cpu.undefinedFlags,
    steps,
  });
  let rip = state.rip;
  try {
    for (let steps = 0; steps < mostSteps; steps++) {
      const outcome = evaluateBlock(blocks.at(rip), cpu);
      if (outcome.kind === 'jump') rip = outcome.target;
      else if (outcome.reason === 'exception')
        return ended(outcome.next, outcome.operand, 0n, steps);
      else throw new UnsupportedError(`a program that leaves for ${outcome.reason}`);
    }
    return undefined;
  } catch (error) {
    if (!(error instanceof CpuException)) throw error;
    return ended(rip, error.vector, error.address ?? 0n, 0);
  } finally {
    blocks.free();
  }
}

class Blocks {
  readonly #builder: Builder;
  readonly #decoder: Decoder;
  readonly #known = new Map<bigint, Block>();

  constructor(mode: Mode, code: Uint8Array, rip: bigint) {
    const padded = new Uint8Array(code.length + 32).fill(0xcc);
    padded.set(code);
    this.#builder = new Builder(mode, XMM0);
    this.#decoder = new Decoder(mode, rip, padded);
  }

  at(address: bigint): Block {
    const known = this.#known.get(address);
    if (known !== undefined) return known;
    if (!this.#decoder.contains(address))
      throw new CpuException(14, `no code at 0x${address.toString(16)}`, 0x14, address);
    const instruction = this.#decoder.decode(address);
    this.#builder.begin(address);
    translateInstruction(this.#builder, instruction);
    const block = this.#builder.finish(instruction.next);
    this.#known.set(address, block);
    return block;
  }

  free(): void {
    this.#decoder.free();
  }
}

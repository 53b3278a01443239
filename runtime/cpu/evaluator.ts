/** A vCPU's slow path: one instruction after another through the reference evaluator, exact where recompiled code gave up. */
import type { Outcome } from '../ir/evaluate.ts';
import type { Block } from '../ir/value.ts';
import type { AddressSpace } from '../memory/address-space.ts';
import type { MachineMemory } from '../memory/machine-memory.ts';
import type { Decoder } from '../x86/decode.ts';
import type { Mode } from '../x86/registers.ts';
import { blockOf, GuestState } from './evaluate-instruction.ts';

/** An instruction met this often is worth a translation that begins there. */
const hotCount = 64;
/** Instructions that are remembered decoded. */
const mostKnown = 20_000;

interface Known {
  readonly block: Block;
  met: number;
}

export interface EvaluatorOptions {
  readonly mode: Mode;
  readonly memory: MachineMemory;
  readonly addressSpace: AddressSpace;
  /** Offset of the state block. */
  readonly state: number;
  readonly decoderAt: (address: bigint) => Decoder | undefined;
}

export class Evaluator {
  readonly #options: EvaluatorOptions;
  readonly #known = new Map<bigint, Known>();

  constructor(options: EvaluatorOptions) {
    this.#options = options;
  }

  /** Executes the instruction at an address, which is code; throws CpuException with nothing changed. */
  step(address: bigint, flags: number): Outcome {
    const known = this.#at(address);
    known.met++;
    return new GuestState({ ...this.#options, flags }).run(known.block);
  }

  /** Whether the instruction has been evaluated so often that it should be translated. */
  isHot(address: bigint): boolean {
    return (this.#known.get(address)?.met ?? 0) >= hotCount;
  }

  #at(address: bigint): Known {
    const found = this.#known.get(address);
    if (found !== undefined) return found;
    const decoder = this.#options.decoderAt(address);
    if (decoder === undefined) throw new TypeError(`no code at 0x${address.toString(16)}`);
    if (this.#known.size >= mostKnown) this.#known.clear();
    const known = { block: blockOf(this.#options.mode, decoder.decode(address)), met: 0 };
    this.#known.set(address, known);
    return known;
  }
}

/** A vCPU's slow path: one instruction after another through the reference evaluator, exact where recompiled code gave up. */
import type { Outcome } from '../ir/evaluate.ts';
import type { Block } from '../ir/value.ts';
import type { AddressSpace } from '../memory/address-space.ts';
import type { MachineMemory } from '../memory/machine-memory.ts';
import type { Decoder, Instruction } from '../x86/decode.ts';
import type { Mode } from '../x86/registers.ts';
import { heldOff } from '../x86/task-switched.ts';
import { rowName } from '../x86/translate.ts';
import type { Environment } from './environment.ts';
import {
  type Accessed,
  AccessFault,
  blockOf,
  GuestState,
  type StoreThrough,
} from './evaluate-instruction.ts';
import { executeSystemInstruction, type SystemOutcome } from './system-instruction.ts';

/** An instruction met this often is worth a translation that begins there. */
const hotCount = 64;
/** Instructions that are remembered decoded. */
const mostKnown = 20_000;

interface Known {
  readonly instruction: Instruction;
  readonly block: Block;
  /** What the block was made from, where that may change. */
  readonly bytes: Uint8Array | undefined;
  met: number;
}

export interface EvaluatorOptions {
  readonly mode: Mode;
  readonly memory: MachineMemory;
  readonly addressSpace: AddressSpace;
  /** Offset of the state block. */
  readonly state: number;
  readonly environment: Environment;
  /** The arithmetic flags as EFLAGS holds them. */
  readonly packedFlags: () => number;
  readonly decoderAt: (address: bigint) => Decoder | undefined;
  /** Bytes of code as they are now, where the guest can write them. */
  readonly changing: (address: bigint, length: number) => Uint8Array | undefined;
  readonly accessed?: Accessed;
}

export class Evaluator {
  readonly #options: EvaluatorOptions;
  readonly #known = new Map<bigint, Known>();
  readonly #guest: GuestState;

  constructor(options: EvaluatorOptions) {
    this.#options = options;
    this.#guest = new GuestState(options);
  }

  /** Executes the instruction at an address, which is code; throws CpuException with nothing changed. */
  step(address: bigint): Outcome {
    const known = this.#at(address);
    known.met++;
    return this.#guest.run(known.block);
  }

  /** The same, with stores to one page done by somebody else, who knows general registers alone. */
  storeThrough(address: bigint, through: StoreThrough): Outcome {
    const { block, instruction } = this.#at(address);
    if (heldOff.has(rowName(instruction)))
      throw new AccessFault({ errorCode: 0, address: through.page });
    return new GuestState({ ...this.#options, through }).run(block);
  }

  /** The same of one that asks the environment. */
  system(address: bigint): SystemOutcome {
    const { instruction } = this.#at(address);
    return this.#guest.execute(() =>
      executeSystemInstruction(instruction, this.#guest, this.#options.environment),
    );
  }

  instruction(address: bigint): Instruction {
    return this.#at(address).instruction;
  }

  /** Whether the instruction has been evaluated so often that it should be translated. */
  isHot(address: bigint): boolean {
    return (this.#known.get(address)?.met ?? 0) >= hotCount;
  }

  #at(address: bigint): Known {
    const found = this.#known.get(address);
    if (found !== undefined && this.#isCurrent(address, found.bytes)) return found;
    const instruction = this.#decode(address);
    if (this.#known.size >= mostKnown) this.#known.clear();
    const { mode, changing } = this.#options;
    const bytes = changing(address, instruction.length);
    const known = { instruction, block: blockOf(mode, instruction), bytes, met: 0 };
    this.#known.set(address, known);
    return known;
  }

  #decode(address: bigint): Instruction {
    const decoder = this.#options.decoderAt(address);
    if (decoder === undefined) throw new TypeError(`no code at 0x${address.toString(16)}`);
    return decoder.decode(address);
  }

  #isCurrent(address: bigint, bytes: Uint8Array | undefined): boolean {
    if (bytes === undefined) return true;
    const now = this.#options.changing(address, bytes.length);
    return now !== undefined && bytes.every((byte, i) => byte === now[i]);
  }
}

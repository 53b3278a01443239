/** Finds the blocks of the guest function around an address, by following its control flow. */

import { Builder } from '../ir/builder.ts';
import type { Block, Terminator, Value } from '../ir/value.ts';
import type { Decoder, Instruction } from '../x86/decode.ts';
import { computesFloats, touchesMxcsr } from '../x86/mxcsr.ts';
import { type Mode, XMM0 } from '../x86/registers.ts';
import { asksHost, standsAlone, translateInstruction } from '../x86/translate.ts';
import { tableAt } from './jump-table.ts';
import type { Chunk } from './lower/chunk-loops.ts';
import { translateExactly } from './lower/guarded-floats.ts';

/** Where code comes from. */
export interface CodeSource {
  readonly mode: Mode;
  /** Whether SSE floats must be exact to the sticky flag and follow MXCSR (guarded-floats.ts). */
  readonly exactFloats: boolean;
  /** Whether CR0.TS may be set (x86/task-switched.ts). */
  readonly checksTaskSwitched: boolean;
  /** The decoder of the executable stretch around an address, if it is executable. */
  decoderAt(address: bigint): Decoder | undefined;
  /** So many bits of read-only data: an entry of a jump table; undefined where there is none. */
  readConstant(address: bigint, width: Mode): bigint | undefined;
  /** Whether a function is known to begin here (a symbol, a target of calls): flow into it leaves this function. */
  isEntry(address: bigint): boolean;
  /** The first such address above another. */
  entryAfter(address: bigint): bigint | undefined;
}

/** A table of code addresses, or of distances, that a computed jump goes by: constants. */
export interface JumpTable {
  readonly index: Value;
  /** By index; not all need be blocks of the function. */
  readonly targets: readonly bigint[];
}

export interface GuestFunction {
  readonly entry: bigint;
  /** In order of address; the entry is one of them. */
  readonly blocks: readonly Block[];
  /** Where code outside may come in: the entry, continuations of calls, targets of computed jumps. */
  readonly resumable: ReadonlySet<bigint>;
  /** Direct targets of calls and of jumps out of the function. */
  readonly callees: ReadonlySet<bigint>;
  /** Blocks that jump tables lead to. */
  readonly tableTargets: ReadonlySet<bigint>;
  /** Jump tables, by the block that ends in the jump. */
  readonly tables: ReadonlyMap<bigint, JumpTable>;
  /** Whether it reads or writes MXCSR. */
  readonly touchesMxcsr: boolean;
  /** Whether it reads or writes XMM registers. */
  readonly usesVectors: boolean;
  readonly instructions: number;
  /** What blocks of loops that are written in chunks do beside what they say, by address (lower/chunk-loops.ts). */
  readonly chunks?: ReadonlyMap<bigint, Chunk>;
}

/** What one Wasm function should hold at the most: V8 compiles it at once, and its br_table is bounded. */
const maximumInstructions = 30_000;
/** Instructions that leave for the host and usually come back to the next one. */
const returning: ReadonlySet<string> = new Set(['VMCALL', 'SYSCALL', 'INT', 'HLT']);

/** So many zeros in a row, two of which are an instruction, are memory that nobody has written: it is no part of anything. */
const mostZeros = 16;

/** Farther blocks are no part of a function; their offsets are exact numbers up to here. */
const farthest = 2 ** 40;

const maximumTableEntries = 1024;

/** SDM vol. 2, 2.3.11. */
const longestInstruction = 15;

export function discover(source: CodeSource, entry: bigint): GuestFunction {
  return new Discovery(source, entry).run();
}

/** A block with the offset behind its last instruction. */
interface Built {
  readonly block: Block;
  readonly end: number;
}

/** Addresses are offsets from the entry, in numbers: as keys they cost a tenth of bigints. */
class Discovery {
  readonly #source: CodeSource;
  readonly #entry: bigint;
  readonly #builder: Builder;
  readonly #instructions = new Map<number, Instruction>();
  readonly #leaders = new Set<number>();
  readonly #built = new Map<number, Built>();
  readonly #pending: number[] = [];
  readonly #resumable = new Set<number>();
  readonly #callees = new Set<bigint>();
  readonly #tableTargets = new Set<number>();
  readonly #tables = new Map<bigint, JumpTable>();
  /** Where zeros go on: translated when something gets there. */
  readonly #barren = new Set<bigint>();
  #last = 0;
  #touchesMxcsr = false;

  constructor(source: CodeSource, entry: bigint) {
    this.#source = source;
    this.#entry = entry;
    this.#builder = new Builder(source.mode, XMM0);
    this.#builder.checksTaskSwitched = source.checksTaskSwitched;
  }

  run(): GuestFunction {
    this.#lead(this.#entry);
    this.#resumable.add(0);
    let built: readonly Built[];
    let known: number;
    do {
      this.#follow();
      built = this.#build();
      known = this.#leaders.size;
      this.#tables.clear();
      for (const { block } of built) this.#followTable(block);
    } while (this.#leaders.size > known);
    const blocks = built.map(({ block }) => block);
    for (const { terminator } of blocks) this.#outward(terminator);
    return {
      entry: this.#entry,
      blocks,
      resumable: this.#addresses(this.#resumable),
      callees: this.#callees,
      tableTargets: this.#addresses(this.#tableTargets),
      tables: this.#tables,
      touchesMxcsr: this.#touchesMxcsr,
      usesVectors: this.#builder.usesVectors,
      instructions: this.#instructions.size,
    };
  }

  #offset(address: bigint): number {
    return Number(BigInt.asIntN(64, address - this.#entry));
  }

  #address(offset: number): bigint {
    return this.#entry + BigInt(offset);
  }

  #addresses(offsets: Iterable<number>): Set<bigint> {
    const addresses = new Set<bigint>();
    for (const offset of offsets) addresses.add(this.#address(offset));
    return addresses;
  }

  get #isFull(): boolean {
    return this.#instructions.size > maximumInstructions;
  }

  #lead(address: bigint): void {
    const offset = this.#offset(address);
    if (this.#leaders.has(offset) || Math.abs(offset) > farthest) return;
    if (offset !== 0 && this.#source.isEntry(address)) return;
    if (this.#isFull || this.#source.decoderAt(address) === undefined) return;
    this.#leaders.add(offset);
    this.#pending.push(offset);
  }

  /** Decodes from every pending leader until the flow ends. */
  #follow(): void {
    for (let at = this.#pending.pop(); at !== undefined; at = this.#pending.pop())
      this.#followFrom(at);
  }

  #followFrom(leader: number): void {
    let address: bigint | undefined = this.#address(leader);
    let decoder = this.#source.decoderAt(address);
    const entry = this.#source.entryAfter(address);
    const end = entry === undefined ? Number.POSITIVE_INFINITY : this.#offset(entry);
    let zeros = 0;
    for (let at = leader; address !== undefined && at < end && !this.#instructions.has(at); ) {
      // Code that may change is decoded page by page.
      if (decoder?.contains(address) !== true) decoder = this.#source.decoderAt(address);
      if (decoder === undefined) break;
      const instruction: Instruction = decoder.decode(address);
      this.#instructions.set(at, instruction);
      if (at > this.#last) this.#last = at;
      this.#touchesMxcsr ||= touchesMxcsr(instruction.mnemonic);
      address = this.#successors(instruction);
      at += instruction.length;
      zeros = isZeros(instruction) ? zeros + instruction.length : 0;
      if (zeros < mostZeros) continue;
      this.#barren.add(instruction.next);
      break;
    }
  }

  /** Makes leaders of an instruction's targets; the address that follows it in the same block, if one does. */
  #successors(instruction: Instruction): bigint | undefined {
    const { flow, next, target } = instruction;
    if (this.#isEvaluated(instruction) || asksHost(instruction)) {
      this.#resume(next);
      return undefined;
    }
    if (standsAlone(instruction)) {
      this.#lead(instruction.address);
      this.#lead(next);
      return undefined;
    }
    switch (flow) {
      case 'next':
        return this.#isFull ? undefined : next;
      case 'branch':
        if (target !== undefined) this.#lead(target);
        this.#lead(next);
        return undefined;
      case 'jump':
        if (target !== undefined) this.#lead(target);
        return undefined;
      case 'call':
        this.#resume(next);
        return undefined;
      case 'stop':
        if (returning.has(instruction.mnemonic)) this.#resume(next);
        return undefined;
      default:
        return undefined;
    }
  }

  #isEvaluated(instruction: Instruction): boolean {
    return this.#source.exactFloats && computesFloats(instruction);
  }

  #resume(address: bigint): void {
    this.#lead(address);
    const offset = this.#offset(address);
    if (this.#leaders.has(offset)) this.#resumable.add(offset);
  }

  /** Blocks that no leader has split since they were built stay. */
  #build(): Built[] {
    const leaders = Float64Array.from(this.#leaders).sort();
    const all: Built[] = [];
    leaders.forEach((start, i) => {
      if (!this.#instructions.has(start)) return;
      const known = this.#built.get(start);
      const next = leaders[i + 1] ?? Number.POSITIVE_INFINITY;
      const built = known !== undefined && known.end <= next ? known : this.#block(start);
      this.#built.set(start, built);
      all.push(built);
    });
    return all;
  }

  #block(start: number): Built {
    const b = this.#builder;
    let address = this.#address(start);
    b.begin(address);
    let at = start;
    for (;;) {
      const instruction = this.#instructions.get(at);
      if (instruction === undefined) break;
      if (this.#isEvaluated(instruction)) translateExactly(b, instruction);
      else translateInstruction(b, instruction);
      address = instruction.next;
      at += instruction.length;
      if (b.ended || this.#leaders.has(at)) break;
    }
    return { block: b.finish(address), end: at };
  }

  /** The entries that lie in code, up to the first that does not. */
  #followTable({ address, terminator }: Block): void {
    if (terminator.kind !== 'jumpIndirect') return;
    const table = tableAt(terminator.target, this.#source.mode);
    if (table === undefined) return;
    const limit = this.#limit();
    const targets: bigint[] = [];
    for (let i = 0; i < maximumTableEntries; i++) {
      const target = table.target(this.#source, i);
      if (target === undefined || target < this.#entry || target >= limit) break;
      if (this.#isAmidInstruction(this.#offset(target))) break;
      targets.push(target);
      this.#resume(target);
      // What follows may be another table, whose distances lead into the midst of what this one has led to.
      this.#follow();
      const offset = this.#offset(target);
      if (this.#leaders.has(offset)) this.#tableTargets.add(offset);
    }
    if (targets.length > 0) this.#tables.set(address, { index: table.index, targets });
  }

  #isAmidInstruction(offset: number): boolean {
    if (this.#instructions.has(offset)) return false;
    for (let before = 1; before < longestInstruction; before++) {
      const instruction = this.#instructions.get(offset - before);
      if (instruction !== undefined) return instruction.length > before;
    }
    return false;
  }

  /** Jump tables lead no further than the next function. */
  #limit(): bigint {
    const last = this.#address(this.#last);
    return this.#source.entryAfter(last) ?? last + 0x1_0000n;
  }

  #outward(terminator: Terminator): void {
    if (terminator.kind === 'call') this.#callees.add(terminator.target);
    if (terminator.kind === 'jump') this.#jumpOut(terminator.target);
    if (terminator.kind === 'branch') {
      this.#jumpOut(terminator.taken);
      this.#jumpOut(terminator.otherwise);
    }
  }

  #jumpOut(target: bigint): void {
    const isInside = this.#leaders.has(this.#offset(target));
    if (!isInside && !this.#barren.has(target)) this.#callees.add(target);
  }
}

/** `add %al, (%rax)`, which is 00 00. */
function isZeros({ mnemonic, length, operands: [target, source] }: Instruction): boolean {
  return (
    mnemonic === 'ADD' && length === 2 && target?.kind === 'memory' && source?.kind === 'register'
  );
}

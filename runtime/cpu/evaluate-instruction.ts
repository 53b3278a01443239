/** One instruction of a guest through the reference evaluator: exact where recompiled code is only fast, and slow. */
import { CpuException } from '../errors.ts';
import { Builder, flagBits } from '../ir/builder.ts';
import { type EvaluationState, evaluateBlock, type Outcome } from '../ir/evaluate.ts';
import type { Flag } from '../ir/ops.ts';
import type { Block } from '../ir/value.ts';
import type { AddressSpace, PageFault } from '../memory/address-space.ts';
import type { MachineMemory } from '../memory/machine-memory.ts';
import type { Instruction } from '../x86/decode.ts';
import { isVector, type Mode, registerWidth, XMM0 } from '../x86/registers.ts';
import { vectors } from '../x86/semantics.ts';
import { cpuState, registerOffset } from '../x86/state.ts';
import { translateInstruction } from '../x86/translate.ts';

const pageMask = 0xfffn;
/** General and XMM registers: what an instruction may have written before it faults (POP to memory, by ESP). */
const registerBytes = cpuState.fpu;

/** An access that the address space refuses; which exception it is depends on the instruction (access-exception.ts). */
export class AccessFault extends CpuException {
  readonly fault: PageFault;

  constructor(fault: PageFault) {
    const { errorCode, address } = fault;
    super(vectors.PF, `no access at 0x${address.toString(16)}`, errorCode, address);
    this.fault = fault;
  }
}

/** Who does the stores to a page that the guest may only read. */
export interface StoreThrough {
  /** Any address of the page. */
  readonly page: bigint;
  /** False where it is not to be done. */
  readonly store: (address: bigint, bytes: number, value: bigint) => boolean;
}

/** Hears of each access that is allowed, before it is made; may throw CpuException. */
export type Accessed = (address: bigint, bytes: number, writes: boolean) => void;

/** The instruction as a block of its own. */
export function blockOf(mode: Mode, instruction: Instruction): Block {
  const builder = new Builder(mode, XMM0);
  builder.checksTaskSwitched = true;
  builder.begin(instruction.address);
  translateInstruction(builder, instruction);
  return builder.finish(instruction.next);
}

/** A vCPU's registers and memory as the evaluator wants them; flags are gathered and written at once. */
export class GuestState implements EvaluationState {
  readonly mxcsrOffset = cpuState.mxcsr;
  readonly #mode: Mode;
  readonly #memory: Pick<MachineMemory, 'view' | 'bytes' | 'willWrite'>;
  readonly #space: AddressSpace;
  readonly #state: number;
  readonly #packedFlags: () => number;
  /** The arithmetic flags as EFLAGS holds them, once the instruction at hand has asked for one or set one. */
  #flags: number | undefined;
  /** The registers as they were before it. */
  readonly #before = new Uint8Array(registerBytes);
  readonly #through: StoreThrough | undefined;
  readonly #accessed: Accessed | undefined;

  constructor(options: {
    mode: Mode;
    memory: Pick<MachineMemory, 'view' | 'bytes' | 'willWrite'>;
    addressSpace: AddressSpace;
    /** Offset of the state block. */
    state: number;
    /** The arithmetic flags as EFLAGS holds them. */
    packedFlags: () => number;
    through?: StoreThrough;
    accessed?: Accessed;
  }) {
    this.#mode = options.mode;
    this.#memory = options.memory;
    this.#space = options.addressSpace;
    this.#state = options.state;
    this.#packedFlags = options.packedFlags;
    this.#through = options.through;
    this.#accessed = options.accessed;
  }

  /** Executes an instruction; a fault leaves the registers as they were. */
  run(block: Block): Outcome {
    return this.execute(() => evaluateBlock(block, this));
  }

  /** What reads and writes this state for one instruction; flags that it set are plain EFLAGS then. */
  execute<T>(instruction: () => T): T {
    const from = this.#state;
    this.#before.set(this.#memory.bytes().subarray(from, from + registerBytes));
    this.#flags = undefined;
    try {
      const outcome = instruction();
      if (this.#flags === undefined) return outcome;
      const view = this.#memory.view();
      view.setUint32(this.#state + cpuState.flagRecipe, 0, true);
      view.setUint32(this.#state + cpuState.flagInput0, this.#flags, true);
      return outcome;
    } catch (error) {
      if (error instanceof CpuException) this.#memory.bytes().set(this.#before, this.#state);
      throw error;
    }
  }

  register(n: number): bigint {
    return this.loadCpu(registerOffset(n), registerWidth(n, this.#mode) / 8);
  }

  setRegister(n: number, value: bigint): void {
    this.storeCpu(registerOffset(n), isVector(n) ? 16 : 8, value);
  }

  flag(flag: Flag): boolean {
    this.#flags ??= this.#packedFlags();
    return (this.#flags & (1 << flagBits[flag])) !== 0;
  }

  setFlag(flag: Flag, value: boolean | undefined): void {
    const bit = 1 << flagBits[flag];
    const flags = this.#flags ?? this.#packedFlags();
    this.#flags = value === true ? flags | bit : flags & ~bit;
  }

  load(address: bigint, bytes: number, forWrite: boolean): bigint {
    const access = forWrite && !this.#goesThrough(address) ? 'write' : 'read';
    if (this.#isOnePage(address, bytes)) {
      const at = this.#placeOf(address, access);
      this.#accessed?.(address, bytes, false);
      return this.#read(at, bytes);
    }
    const places = this.#places(address, bytes, access);
    this.#accessed?.(address, bytes, false);
    const memory = this.#memory.bytes();
    return places.reduceRight((value, at) => (value << 8n) | BigInt(memory[at] ?? 0), 0n);
  }

  store(address: bigint, bytes: number, value: bigint): void {
    if (this.#goesThrough(address)) {
      if (this.#through?.store(address, bytes, value) === true) return;
      throw new AccessFault({ errorCode: 0, address });
    }
    if (this.#isOnePage(address, bytes)) {
      const at = this.#placeOf(address, 'write');
      this.#accessed?.(address, bytes, true);
      this.#memory.willWrite(at, bytes);
      this.#write(at, bytes, value);
      return;
    }
    const places = this.#places(address, bytes, 'write');
    this.#accessed?.(address, bytes, true);
    const memory = this.#memory.bytes();
    this.#willWrite(places);
    places.forEach((at, i) => {
      memory[at] = Number((value >> BigInt(8 * i)) & 0xffn);
    });
  }

  #isOnePage(address: bigint, bytes: number): boolean {
    return bytes <= 8 && Number(address & pageMask) + bytes <= 4096;
  }

  #placeOf(address: bigint, access: 'read' | 'write'): number {
    return this.#place(BigInt.asUintN(this.#mode, address), access);
  }

  #read(at: number, bytes: number): bigint {
    const view = this.#memory.view();
    if (bytes === 8) return view.getBigUint64(at, true);
    if (bytes === 4) return BigInt(view.getUint32(at, true));
    let value = 0;
    for (let i = bytes - 1; i >= 0; i--) value = value * 256 + view.getUint8(at + i);
    return BigInt(value);
  }

  #write(at: number, bytes: number, value: bigint): void {
    const view = this.#memory.view();
    if (bytes === 8) view.setBigUint64(at, BigInt.asUintN(64, value), true);
    else if (bytes === 4) view.setUint32(at, Number(BigInt.asUintN(32, value)), true);
    else
      for (let i = 0; i < bytes; i++)
        view.setUint8(at + i, Number((value >> BigInt(8 * i)) & 0xffn));
  }

  loadCpu(offset: number, bytes: number): bigint {
    const at = this.#state + offset;
    if (bytes <= 8) return this.#read(at, bytes);
    return this.#read(at, 8) | (this.#read(at + 8, bytes - 8) << 64n);
  }

  storeCpu(offset: number, bytes: number, value: bigint): void {
    const at = this.#state + offset;
    this.#write(at, Math.min(bytes, 8), value);
    if (bytes > 8) this.#write(at + 8, bytes - 8, value >> 64n);
  }

  #goesThrough(address: bigint): boolean {
    return this.#through !== undefined && (address ^ this.#through.page) >> 12n === 0n;
  }

  /** All at once where they lie side by side, as they do but for two pages. */
  #willWrite(places: readonly number[]): void {
    const first = places[0] ?? 0;
    if (places.at(-1) === first + places.length - 1) this.#memory.willWrite(first, places.length);
    else for (const at of places) this.#memory.willWrite(at, 1);
  }

  /** Host offset of every byte; nothing is touched where one of them faults. */
  #places(address: bigint, bytes: number, access: 'read' | 'write'): number[] {
    const places: number[] = [];
    let host = 0;
    for (let i = 0; i < bytes; i++) {
      const at = BigInt.asUintN(this.#mode, address + BigInt(i));
      if (i === 0 || (at & pageMask) === 0n) host = this.#place(at, access) - i;
      places.push(host + i);
    }
    return places;
  }

  #place(address: bigint, access: 'read' | 'write'): number {
    const place = this.#space.translate(address, access);
    if (typeof place === 'number') return place;
    throw new AccessFault(place);
  }
}

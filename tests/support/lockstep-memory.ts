/** The oracle's regions as bytes, for the evaluator's side of lockstep runs. */
import { CpuException } from '../../runtime/errors.ts';
import { flagBits } from '../../runtime/ir/builder.ts';
import type { EvaluationState } from '../../runtime/ir/evaluate.ts';
import { type Flag, flagNames } from '../../runtime/ir/ops.ts';
import { isVector, type Mode } from '../../runtime/x86/registers.ts';
import { cpuState, registerOffset } from '../../runtime/x86/state.ts';
import { type CpuState, type MemoryWindow, regions } from './cpu-oracle.ts';
import { recordedState, stateBlock } from './evaluation-state.ts';

const userFault = 4;
const writeFault = 6;

export class RegionBytes {
  readonly #regions = regions.map(({ address, length }) => ({
    from: address,
    to: address + length,
    bytes: new Uint8Array(Number(length)).fill(address === regions[0].address ? 0xcc : 0),
  }));

  constructor(windows: readonly MemoryWindow[]) {
    for (const { address, bytes } of windows) this.#at(address, bytes.length, 0).set(bytes);
  }

  load(address: bigint, length: number, forWrite: boolean): bigint {
    const bytes = this.#at(address, length, forWrite ? writeFault : userFault);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i] ?? 0);
    return value;
  }

  store(address: bigint, length: number, value: bigint): void {
    const bytes = this.#at(address, length, writeFault);
    for (let i = 0; i < length; i++) bytes[i] = Number((value >> BigInt(8 * i)) & 0xffn);
  }

  bytes(address: bigint, length: number): Uint8Array {
    return this.#at(address, length, userFault);
  }

  #at(address: bigint, length: number, errorCode: number): Uint8Array {
    const region = this.#regions.find(({ from, to }) => address >= from && address < to);
    const outside = region === undefined ? address : region.to;
    if (region === undefined || address + BigInt(length) > region.to)
      throw new CpuException(14, `no memory at 0x${outside.toString(16)}`, errorCode, outside);
    const start = Number(address - region.from);
    return region.bytes.subarray(start, start + length);
  }
}

/** `undefinedReads` are flags that read as 1 where the manual leaves them undefined; the others read as 0. */
export class LockstepState implements EvaluationState {
  readonly mxcsrOffset = cpuState.mxcsr;
  readonly #mode: Mode;
  readonly #block: Uint8Array;
  readonly #view: DataView;
  readonly #memory: RegionBytes;
  readonly #undefinedReads: ReadonlySet<Flag>;
  readonly #flags = new Map<Flag, boolean>();
  readonly #undefined = new Set<Flag>();

  constructor(mode: Mode, state: CpuState, memory: RegionBytes, undefinedReads: ReadonlySet<Flag>) {
    this.#mode = mode;
    this.#block = stateBlock(state, mode);
    this.#view = new DataView(this.#block.buffer);
    this.#memory = memory;
    this.#undefinedReads = undefinedReads;
    for (const name of flagNames)
      this.#flags.set(name, ((state.rflags >> BigInt(flagBits[name])) & 1n) === 1n);
  }

  get undefinedFlags(): bigint {
    return packed((name) => this.#undefined.has(name));
  }

  recorded(rip: bigint): CpuState {
    const flags = packed((name) => this.flag(name));
    return recordedState(this.#block, this.#mode, rip, flags);
  }

  register(n: number): bigint {
    const at = registerOffset(n);
    const low = this.#view.getBigUint64(at, true);
    if (isVector(n)) return low | (this.#view.getBigUint64(at + 8, true) << 64n);
    return BigInt.asUintN(this.#mode, low);
  }

  setRegister(n: number, value: bigint): void {
    const at = registerOffset(n);
    this.#view.setBigUint64(at, BigInt.asUintN(64, value), true);
    if (isVector(n)) this.#view.setBigUint64(at + 8, value >> 64n, true);
  }

  flag(flag: Flag): boolean {
    return this.#flags.get(flag) ?? false;
  }

  setFlag(flag: Flag, value: boolean | undefined): void {
    this.#flags.set(flag, value ?? this.#undefinedReads.has(flag));
    if (value === undefined) this.#undefined.add(flag);
    else this.#undefined.delete(flag);
  }

  load(address: bigint, bytes: number, forWrite: boolean): bigint {
    return this.#memory.load(address, bytes, forWrite);
  }

  store(address: bigint, bytes: number, value: bigint): void {
    this.#memory.store(address, bytes, value);
  }

  loadCpu(offset: number, bytes: number): bigint {
    let value = 0n;
    for (let i = bytes - 1; i >= 0; i--)
      value = (value << 8n) | BigInt(this.#block[offset + i] ?? 0);
    return value;
  }

  storeCpu(offset: number, bytes: number, value: bigint): void {
    for (let i = 0; i < bytes; i++)
      this.#block[offset + i] = Number((value >> BigInt(8 * i)) & 0xffn);
  }
}

const packed = (isSet: (name: Flag) => boolean): bigint =>
  flagNames.reduce((all, name) => all | (BigInt(isSet(name)) << BigInt(flagBits[name])), 0n);

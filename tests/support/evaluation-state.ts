/**
 * A CPU in a test: the state block, the flags and the regions of the oracle (tests/support/cpu-oracle.ts) as the
 * reference evaluator wants them, made from a recorded state and turned back into one.
 */
import { CpuException } from '../../runtime/errors.ts';
import { flagBits } from '../../runtime/ir/builder.ts';
import type { EvaluationState } from '../../runtime/ir/evaluate.ts';
import { type Flag, flagNames } from '../../runtime/ir/ops.ts';
import {
  generalRegisters,
  isVector,
  type Mode,
  registerWidth,
  XMM0,
} from '../../runtime/x86/registers.ts';
import { cpuState, cpuStateSize, registerOffset } from '../../runtime/x86/state.ts';
import { type CpuState, type MemoryWindow, regions, segmentBase } from './cpu-oracle.ts';

const TOP_SHIFT = 11;
const TOP_MASK = 7 << TOP_SHIFT;
const DIRECTION = 0x400n;
const arithmeticFlags = flagNames.reduce((all, name) => all | (1n << BigInt(flagBits[name])), 0n);

const read = (bytes: Uint8Array, offset: number, length: number): bigint => {
  let value = 0n;
  for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[offset + i] ?? 0);
  return value;
};

const write = (bytes: Uint8Array, offset: number, length: number, value: bigint): void => {
  let rest = value;
  for (let i = 0; i < length; i++) {
    bytes[offset + i] = Number(rest & 0xffn);
    rest >>= 8n;
  }
};

/** The state block (runtime/x86/state.ts) of a recorded state, without its arithmetic flags. */
export function stateBlock(state: CpuState, mode: Mode): Uint8Array {
  const block = new Uint8Array(cpuStateSize);
  const put = (offset: number, length: number, value: bigint | number): void =>
    write(block, offset, length, BigInt(value));
  for (const [i, value] of state.regs.entries()) put(registerOffset(i), 8, value);
  for (const [i, value] of state.xmm.entries()) put(registerOffset(XMM0 + i), 16, value);
  const { control, status, tag, registers } = state.fpu;
  const top = (status & TOP_MASK) >> TOP_SHIFT;
  for (const [i, value] of registers.entries()) put(cpuState.fpu + ((top + i) & 7) * 16, 16, value);
  put(cpuState.fpuControl, 4, control);
  put(cpuState.fpuStatus, 4, status & ~TOP_MASK);
  put(cpuState.fpuTop, 4, top);
  put(cpuState.fpuTags, 4, tag);
  put(cpuState.mxcsr, 4, state.mxcsr);
  put(cpuState.otherFlags, 4, state.rflags & ~arithmeticFlags & ~DIRECTION);
  put(cpuState.direction, 1, state.rflags & DIRECTION ? 1 : 0);
  put(cpuState.rip, 8, state.rip);
  put(mode === 64 ? cpuState.gsBase : cpuState.fsBase, 8, segmentBase);
  put(cpuState.stackBudget, 4, 0x100000);
  for (const [i, selector] of selectors[mode].entries())
    put(cpuState.selectors + i * 2, 2, selector);
  return block;
}

/** es cs ss ds fs gs of a Linux process, which the oracle is. */
const selectors = {
  64: [0, 0x33, 0x2b, 0, 0, 0],
  32: [0x2b, 0x23, 0x2b, 0x2b, 0x6b, 0x63],
} as const;

/** The other way; `flags` are the six arithmetic ones as EFLAGS holds them. */
export function recordedState(block: Uint8Array, mode: Mode, rip: bigint, flags: bigint): CpuState {
  const get = (offset: number, length: number): bigint => read(block, offset, length);
  const top = Number(get(cpuState.fpuTop, 4));
  const general = Array.from({ length: generalRegisters(mode) }, (_, i) => i);
  return {
    regs: general.map((i) => get(registerOffset(i), mode / 8)),
    rip,
    rflags: get(cpuState.otherFlags, 4) | flags | (get(cpuState.direction, 1) ? DIRECTION : 0n),
    xmm: general.map((i) => get(registerOffset(XMM0 + i), 16)),
    mxcsr: Number(get(cpuState.mxcsr, 4)),
    fpu: {
      control: Number(get(cpuState.fpuControl, 4)),
      status: Number(get(cpuState.fpuStatus, 4)) | (top << TOP_SHIFT),
      tag: Number(get(cpuState.fpuTags, 4)),
      registers: Array.from({ length: 8 }, (_, i) => get(cpuState.fpu + ((top + i) & 7) * 16, 10)),
    },
  };
}

const WRITE = 2;
const USER = 4;

/** The oracle's three regions: what a case does not spell out is int3 in code, else 0. */
export class RegionMemory {
  readonly #bytes = new Map<number, number>();

  constructor(windows: readonly MemoryWindow[]) {
    for (const { address, bytes } of windows)
      for (const [i, byte] of bytes.entries()) this.#bytes.set(Number(address) + i, byte);
  }

  load(address: bigint, length: number, forWrite = false): bigint {
    this.#check(address, length, forWrite ? USER | WRITE : USER);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) {
      const at = Number(address) + i;
      value = (value << 8n) | BigInt(this.#bytes.get(at) ?? (at < 0x20000000 ? 0xcc : 0));
    }
    return value;
  }

  store(address: bigint, length: number, value: bigint): void {
    this.#check(address, length, USER | WRITE);
    let rest = value;
    for (let i = 0; i < length; i++) {
      this.#bytes.set(Number(address) + i, Number(rest & 0xffn));
      rest >>= 8n;
    }
  }

  /** The same windows, as they are now. */
  windows(like: readonly MemoryWindow[]): MemoryWindow[] {
    return like.map(({ address, bytes }) => ({
      address,
      bytes: bytes.map((byte, i) => this.#bytes.get(Number(address) + i) ?? byte),
    }));
  }

  #check(address: bigint, length: number, errorCode: number): void {
    if (BigInt.asUintN(64, BigInt.asIntN(48, address)) !== address)
      throw new CpuException(13, `0x${address.toString(16)} is not canonical`, 0);
    for (let at = address; at < address + BigInt(length); at++)
      if (!regions.some((region) => at >= region.address && at < region.address + region.length))
        throw new CpuException(14, `no memory at 0x${at.toString(16)}`, errorCode, at);
  }
}

export class TestState implements EvaluationState {
  readonly mxcsrOffset = cpuState.mxcsr;
  readonly mode: Mode;
  readonly memory: RegionMemory;
  readonly block: Uint8Array;
  readonly #flags = new Map<Flag, boolean>();
  readonly #undefined = new Set<Flag>();

  constructor(mode: Mode, state: CpuState, memory: RegionMemory) {
    this.mode = mode;
    this.memory = memory;
    this.block = stateBlock(state, mode);
    for (const name of flagNames)
      this.#flags.set(name, ((state.rflags >> BigInt(flagBits[name])) & 1n) === 1n);
  }

  /** Bits of EFLAGS that the manual left undefined. */
  get undefinedFlags(): bigint {
    return this.#packed((name) => this.#undefined.has(name));
  }

  recorded(rip: bigint): CpuState {
    const flags = this.#packed((name) => this.flag(name));
    return recordedState(this.block, this.mode, rip, flags);
  }

  #packed(isSet: (name: Flag) => boolean): bigint {
    return flagNames.reduce(
      (all, name) => all | (BigInt(isSet(name)) << BigInt(flagBits[name])),
      0n,
    );
  }

  register(n: number): bigint {
    return read(this.block, registerOffset(n), registerWidth(n, this.mode) / 8);
  }

  setRegister(n: number, value: bigint): void {
    write(this.block, registerOffset(n), isVector(n) ? 16 : 8, value);
  }

  flag(flag: Flag): boolean {
    return this.#flags.get(flag) ?? false;
  }

  setFlag(flag: Flag, value: boolean | undefined): void {
    this.#flags.set(flag, value ?? false);
    if (value === undefined) this.#undefined.add(flag);
    else this.#undefined.delete(flag);
  }

  load(address: bigint, bytes: number, forWrite: boolean): bigint {
    return this.memory.load(address, bytes, forWrite);
  }

  store(address: bigint, bytes: number, value: bigint): void {
    this.memory.store(address, bytes, value);
  }

  loadCpu(offset: number, bytes: number): bigint {
    return read(this.block, offset, bytes);
  }

  storeCpu(offset: number, bytes: number, value: bigint): void {
    write(this.block, offset, bytes, value);
  }
}

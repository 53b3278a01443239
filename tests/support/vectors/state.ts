/**
 * What recorded vectors are told in: the base state that every input starts from, places by name, operands in memory, and
 * where a form's code lies.
 */
import { type CpuState, type CpuWidth, type MemoryWindow, regions } from '../cpu-oracle.ts';

/** Bytes in hex, or how many bytes of the filler. */
export type StoredMemory = readonly [address: string, content: string | number];

export interface MemoryRange {
  readonly address: bigint;
  readonly length: number;
}

export const vectorRip = 0x10001000n;

/** Bytes of code that a form has for itself, so that many forms can lie side by side; the rest of them is int3. */
const slotBytes = 64;
const slotCount = 768;

/** Where the form of that number within its group lies. */
export const slotAddress = (index: number): bigint =>
  vectorRip + BigInt((index % slotCount) * slotBytes);

/** Bytes around an operand that must stay as they are. */
const MARGIN = 16n;

export const registerNames = {
  64: 'rax rcx rdx rbx rsp rbp rsi rdi r8 r9 r10 r11 r12 r13 r14 r15'.split(' '),
  32: 'eax ecx edx ebx esp ebp esi edi'.split(' '),
} as const;

// biome-ignore format: one row of four
const baseRegisters = [
  0x8182838485868788n, 0x9192939495969798n, 0xa1a2a3a4a5a6a7a8n, 0x20000400n,
  0x30001000n,         0x30001800n,         0x20000800n,         0x20000c00n,
  0xb1b2b3b4b5b6b7b8n, 0xc1c2c3c4c5c6c7c8n, 0xd1d2d3d4d5d6d7d8n, 0xe1e2e3e4e5e6e7e8n,
  0x20001400n,         0x20001800n,         0xf1f2f3f4f5f6f7f8n, 0x7172737475767778n,
] as const;

/** rbx, rsi, rdi, r12 and r13 point to data, rsp and rbp to the stack; the x87 is empty. */
export function baseState(width: CpuWidth, rip = vectorRip): CpuState {
  const count = width === 64 ? 16 : 8;
  return {
    regs: baseRegisters.slice(0, count).map((value) => BigInt.asUintN(width, value)),
    rip,
    rflags: 0x202n,
    xmm: Array.from({ length: count }, (_, i) =>
      BigInt(`0x${'0123456789abcdef'[i]}`.padEnd(34, '5')),
    ),
    mxcsr: 0x1f80,
    fpu: { control: 0x37f, status: 0, tag: 0, registers: Array.from({ length: 8 }, () => 0n) },
  };
}

/** Memory that a case does not spell out. */
const filler = (address: bigint): number => Number((address * 0x9dn + 0x5an) & 0xffn);

const top = (state: CpuState): number => (state.fpu.status >> 11) & 7;

/** The state as names and values; the x87's empty registers are left out, since their content says nothing. */
export function flatten(state: CpuState, width: CpuWidth): Map<string, bigint> {
  const flat = new Map<string, bigint>();
  for (const [i, name] of registerNames[width].entries()) flat.set(name, state.regs[i] ?? 0n);
  flat.set('flags', state.rflags);
  for (const [i, value] of state.xmm.entries()) flat.set(`xmm${i}`, value);
  flat.set('mxcsr', BigInt(state.mxcsr));
  flat.set('fcw', BigInt(state.fpu.control));
  flat.set('fsw', BigInt(state.fpu.status));
  flat.set('ftw', BigInt(state.fpu.tag));
  for (const [i, value] of state.fpu.registers.entries()) {
    const physical = (top(state) + i) & 7;
    if ((state.fpu.tag >> physical) & 1) flat.set(`R${physical}`, value);
  }
  return flat;
}

/** The state that the names and values tell of. */
export function unflatten(
  flat: ReadonlyMap<string, bigint>,
  rip: bigint,
  width: CpuWidth,
): CpuState {
  const names = registerNames[width];
  const value = (name: string): bigint => flat.get(name) ?? 0n;
  const status = Number(value('fsw'));
  const tag = Number(value('ftw'));
  const inStackOrder = Array.from({ length: 8 }, (_, i) => ((status >> 11) + i) & 7);
  return {
    regs: names.map(value),
    rip,
    rflags: value('flags'),
    xmm: names.map((_, i) => value(`xmm${i}`)),
    mxcsr: Number(value('mxcsr')),
    fpu: {
      control: Number(value('fcw')),
      status,
      tag,
      registers: inStackOrder.map((i) => ((tag >> i) & 1 ? value(`R${i}`) : 0n)),
    },
  };
}

/** Joins operands, each with a margin, into windows that do not touch; what lies in no region is left out. */
export function expandMemory(stored: readonly StoredMemory[]): MemoryWindow[] {
  const bytes = new Map<bigint, number>();
  for (const [hex, content] of stored) {
    const address = BigInt(`0x${hex}`);
    const length = typeof content === 'number' ? content : content.length / 2;
    for (const at of inRegions(address - MARGIN, address + BigInt(length) + MARGIN))
      if (!bytes.has(at)) bytes.set(at, filler(at));
    if (typeof content === 'number') continue;
    const spelled = Buffer.from(content, 'hex');
    for (const at of inRegions(address, address + BigInt(length)))
      bytes.set(at, spelled[Number(at - address)] ?? 0);
  }
  return windowsOf(bytes);
}

function* inRegions(from: bigint, to: bigint): Generator<bigint> {
  for (let at = from; at < to; at++)
    if (regions.some(({ address, length }) => at >= address && at < address + length)) yield at;
}

function windowsOf(bytes: ReadonlyMap<bigint, number>): MemoryWindow[] {
  const windows: { address: bigint; bytes: number[] }[] = [];
  for (const [at, byte] of [...bytes].sort(([a], [b]) => Number(a - b))) {
    const last = windows.at(-1);
    if (last && last.address + BigInt(last.bytes.length) === at) last.bytes.push(byte);
    else windows.push({ address: at, bytes: [byte] });
  }
  return windows.map((window) => ({
    address: window.address,
    bytes: Uint8Array.from(window.bytes),
  }));
}

/** [offset, length] of what FNSTENV, FNSAVE and FXSAVE store of the last x87 instruction, and of reserved bytes. */
const ignoredBytes: Readonly<Record<string, readonly (readonly [number, number])[]>> = {
  // biome-ignore format: a table
  Fnstenv_m14byte: [[6, 8]],
  Fnstenv_m28byte: [
    [12, 16],
    [2, 2],
    [6, 2],
    [10, 2],
  ],
  Fnsave_m94byte: [[6, 8]],
  Fnsave_m108byte: [
    [12, 16],
    [2, 2],
    [6, 2],
    [10, 2],
  ],
  Fxsave_m512byte: [
    [5, 19],
    [28, 4],
    [416, 96],
  ],
  Fxsave64_m512byte: [
    [5, 19],
    [28, 4],
    [416, 96],
  ],
};

/** In which order the CPU reads or writes such an image, and so where it faults and what it has written, is its own affair. */
const imageBytes = /^F\w*_m(14|28|94|108|512)byte$/;

export function ignoredRanges(
  code: string,
  mem: readonly StoredMemory[] = [],
  vector?: number,
): MemoryRange[] {
  const image = Number(imageBytes.exec(code)?.[1] ?? 0);
  const parts = vector === 14 && image > 0 ? [[0, image] as const] : (ignoredBytes[code] ?? []);
  return mem.slice(0, 1).flatMap(([hex]) =>
    parts.map(([offset, length]) => ({
      address: BigInt(`0x${hex}`) + BigInt(offset),
      length,
    })),
  );
}

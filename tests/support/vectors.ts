/**
 * The recorded vectors of tests/golden/x86: what one instruction did, on a real CPU, to a given state.
 * A file stores what differs: a case's input from the base state below, its output from its input.
 * `npm run golden` records them (tests/golden/record/vectors.ts).
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type CpuState,
  type CpuWidth,
  type Exception,
  type MemoryWindow,
  projectRoot,
  regions,
} from './cpu-oracle.ts';

/** Deltas name registers as the manual does, and the x87's by their physical place: R0 to R7. */
export type StateDelta = { readonly [register: string]: string };

/** Bytes in hex, or how many bytes of the filler. */
export type StoredMemory = readonly [address: string, content: string | number];

export interface StoredInput {
  readonly state?: StateDelta;
  readonly mem?: readonly StoredMemory[];
}

export interface StoredOutput {
  readonly state?: StateDelta;
  /** Runs of bytes that changed. */
  readonly mem?: readonly (readonly [address: string, bytes: string])[];
  /** Where it is not the next instruction or, with an exception, the instruction itself. */
  readonly rip?: string;
  readonly exception?: readonly [vector: number, errorCode: number, address?: string];
}

export type StoredCase = readonly [StoredInput, StoredOutput];

export interface StoredForm {
  readonly asm: string;
  readonly mnemonic: string;
  readonly code: string;
  readonly bytes: string;
  readonly cases: readonly StoredCase[];
}

export interface VectorFile {
  readonly cpu: string;
  readonly seed: number;
  readonly width: CpuWidth;
  readonly forms: readonly StoredForm[];
}

export interface MemoryRange {
  readonly address: bigint;
  readonly length: number;
}

export interface VectorCase {
  readonly input: { readonly state: CpuState; readonly memory: readonly MemoryWindow[] };
  readonly expected: {
    readonly state: CpuState;
    /** The input's windows, after. */
    readonly memory: readonly MemoryWindow[];
    readonly exception?: Exception;
    /** Bytes of memory that say nothing: the x87's last instruction and operand, reserved bytes. */
    readonly ignored: readonly MemoryRange[];
  };
}

/** One instruction: these bytes, at `vectorRip`. */
export interface VectorForm {
  /** The file's name without its ending, such as `arithmetic` or `sse2`. */
  readonly group: string;
  /** The CPU that recorded it, as /proc/cpuinfo names it. */
  readonly cpu: string;
  readonly width: CpuWidth;
  readonly asm: string;
  /** iced-x86's names, such as `Adc` and `Adc_rm32_r32`. */
  readonly mnemonic: string;
  readonly code: string;
  readonly bytes: Uint8Array;
  cases(): readonly VectorCase[];
}

export const vectorRip = 0x10001000n;

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
export function baseState(width: CpuWidth): CpuState {
  const count = width === 64 ? 16 : 8;
  return {
    regs: baseRegisters.slice(0, count).map((value) => BigInt.asUintN(width, value)),
    rip: vectorRip,
    rflags: 0x202n,
    xmm: Array.from({ length: count }, (_, i) =>
      BigInt(`0x${'0123456789abcdef'[i]}`.padEnd(34, '5')),
    ),
    mxcsr: 0x1f80,
    fpu: { control: 0x37f, status: 0, tag: 0, registers: Array.from({ length: 8 }, () => 0n) },
  };
}

/** Memory that a case does not spell out. */
export const filler = (address: bigint): number => Number((address * 0x9dn + 0x5an) & 0xffn);

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

function unflatten(flat: ReadonlyMap<string, bigint>, rip: bigint, width: CpuWidth): CpuState {
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

/** What `to` has that `from` has not, in hex. */
export function difference(
  from: ReadonlyMap<string, bigint>,
  to: ReadonlyMap<string, bigint>,
): StateDelta {
  const delta: Record<string, string> = {};
  for (const [name, value] of to)
    if ((from.get(name) ?? 0n) !== value) delta[name] = value.toString(16);
  return delta;
}

function changed(from: ReadonlyMap<string, bigint>, delta: StateDelta = {}): Map<string, bigint> {
  const to = new Map(from);
  for (const [name, hex] of Object.entries(delta)) to.set(name, BigInt(`0x${hex}`));
  return to;
}

const unhex = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'));

/** Joins operands, each with a margin, into windows that do not touch; what lies in no region is left out. */
export function expandMemory(stored: readonly StoredMemory[]): MemoryWindow[] {
  const bytes = new Map<bigint, number>();
  for (const [hex, content] of stored) {
    const address = BigInt(`0x${hex}`);
    const length = typeof content === 'number' ? content : content.length / 2;
    for (const at of inRegions(address - MARGIN, address + BigInt(length) + MARGIN))
      if (!bytes.has(at)) bytes.set(at, filler(at));
    if (typeof content === 'number') continue;
    const spelled = unhex(content);
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

function patched(
  windows: readonly MemoryWindow[],
  patches: StoredOutput['mem'] = [],
): MemoryWindow[] {
  const after = windows.map(({ address, bytes }) => ({ address, bytes: bytes.slice() }));
  for (const [hex, content] of patches) {
    const address = BigInt(`0x${hex}`);
    for (const { address: start, bytes } of after)
      if (address >= start && address < start + BigInt(bytes.length))
        bytes.set(unhex(content), Number(address - start));
  }
  return after;
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

export function ignoredRanges(code: string, mem: readonly StoredMemory[] = []): MemoryRange[] {
  return mem.slice(0, 1).flatMap(([hex]) =>
    (ignoredBytes[code] ?? []).map(([offset, length]) => ({
      address: BigInt(`0x${hex}`) + BigInt(offset),
      length,
    })),
  );
}

export function expandInput(input: StoredInput, width: CpuWidth): VectorCase['input'] {
  const flat = changed(flatten(baseState(width), width), input.state);
  return { state: unflatten(flat, vectorRip, width), memory: expandMemory(input.mem ?? []) };
}

function expandCase(form: StoredForm, [stored, output]: StoredCase, width: CpuWidth): VectorCase {
  const input = expandInput(stored, width);
  const next = vectorRip + BigInt(form.bytes.length / 2);
  const usual = output.exception ? vectorRip : next;
  const rip = output.rip === undefined ? usual : BigInt(`0x${output.rip}`);
  const state = unflatten(changed(flatten(input.state, width), output.state), rip, width);
  const memory = patched(input.memory, output.mem);
  const ignored = ignoredRanges(form.code, stored.mem);
  if (!output.exception) return { input, expected: { state, memory, ignored } };
  const [vector, errorCode, address = '0'] = output.exception;
  const exception = { vector, errorCode, address: BigInt(`0x${address}`) };
  return { input, expected: { state, memory, ignored, exception } };
}

export const vectorFolder = (width: CpuWidth): string =>
  join(projectRoot(), 'tests/golden/x86', String(width));

export const groupsOf = (width: CpuWidth): readonly string[] =>
  readdirSync(vectorFolder(width))
    .sort()
    .map((name) => name.replace(/\.json$/, ''));

/** All forms of a width, or those of the groups named, in the order of their files. */
export function* forms(width: CpuWidth, groups?: readonly string[]): Generator<VectorForm> {
  const folder = vectorFolder(width);
  for (const name of readdirSync(folder).sort()) {
    const group = name.replace(/\.json$/, '');
    if (groups && !groups.includes(group)) continue;
    const file = JSON.parse(readFileSync(join(folder, name), 'utf8')) as VectorFile;
    for (const form of file.forms) {
      const { asm, mnemonic, code, bytes, cases } = form;
      yield {
        ...{ group, cpu: file.cpu, width, asm, mnemonic, code },
        bytes: unhex(bytes),
        cases: () => cases.map((each) => expandCase(form, each, width)),
      };
    }
  }
}

/**
 * CPUID (SDM vol. 2, CPUID; AMD's APM vol. 3, appendix E): x86-64-v2 with LZCNT, MOVBE, BMI1, BMI2, AES and PCLMULQDQ.
 * Neither AVX nor OSXSAVE, and a vendor of our own, so that nobody looks for a model's quirks.
 */
import * as v from '../../ir/build.ts';
import type { Subroutine, Value } from '../../ir/value.ts';
import { type Mode, RAX, RBX, RCX, RDX } from '../registers.ts';
import { type InstructionTable, register, type Semantics } from '../semantics.ts';

/** Names of features → their bits in one register, put together. */
const features = (...bits: readonly (readonly [name: string, bit: number])[]): number =>
  bits.reduce((all, [, bit]) => (all | (1 << bit)) >>> 0, 0);

const feature1Ecx = features(
  ['SSE3', 0],
  ['PCLMULQDQ', 1],
  ['SSSE3', 9],
  ['CMPXCHG16B', 13],
  ['SSE4.1', 19],
  ['SSE4.2', 20],
  ['MOVBE', 22],
  ['POPCNT', 23],
  ['AES', 25],
);
const feature1Edx = features(
  ['FPU', 0],
  ['TSC', 4],
  ['MSR', 5],
  ['CX8', 8],
  ['CMOV', 15],
  ['CLFSH', 19],
  ['MMX', 23],
  ['FXSR', 24],
  ['SSE', 25],
  ['SSE2', 26],
);
const feature7Ebx = features(['FSGSBASE', 0], ['BMI1', 3], ['BMI2', 8]);
const extended1Ecx = features(['LAHF', 0], ['LZCNT', 5], ['PREFETCHW', 8]);
/** SYSCALL and FSGSBASE belong to 64-bit mode, where the bit of SYSCALL is seen alone. */
const extended1Edx = {
  64: features(['SYSCALL', 11], ['NX', 20], ['RDTSCP', 27], ['LM', 29]),
  32: features(['NX', 20], ['RDTSCP', 27], ['LM', 29]),
};
/** The time-stamp counter counts alike whatever the processor does. */
const powerEdx = features(['invariant TSC', 8]);

/** Family 6, model 15, stepping 1: the oldest family that a 64-bit operating system knows. */
const signature = 0x000006f1;
/** Bytes of a cache line, in units of 8, as CLFLUSH counts them. */
const lineSize = 8 << 8;
/** 48 bits of virtual and 40 of physical addresses. */
const addressSizes = (48 << 8) | 40;

/** Four letters as a register holds them. */
const letters = (text: string): number =>
  [...text].reduce((word, letter, i) => word + letter.charCodeAt(0) * 2 ** (8 * i), 0);
const words = (text: string): number[] =>
  Array.from({ length: text.length / 4 }, (_, i) => letters(text.slice(4 * i, 4 * i + 4)));

const vendor = 'StubdomStubd';
const brand = words('stubdom, x86 recompiled to WebAssembly'.padEnd(48, '\0'));
const [vendorEbx = 0, vendorEdx = 0, vendorEcx = 0] = words(vendor);

type Registers = readonly number[];

/** Leaf → EAX, EBX, ECX, EDX; other leaves are all 0. */
// biome-ignore format: a table
const leaves = (mode: Mode): readonly (readonly [leaf: number, registers: Registers])[] => [
  [0x0000_0000, [7, vendorEbx, vendorEcx, vendorEdx]],
  [0x0000_0001, [signature, lineSize, feature1Ecx, feature1Edx]],
  [0x0000_0007, [0, feature7Ebx, 0, 0]],
  [0x8000_0000, [0x8000_0008, vendorEbx, vendorEcx, vendorEdx]],
  [0x8000_0001, [signature, 0, extended1Ecx, extended1Edx[mode]]],
  [0x8000_0002, brand.slice(0, 4)],
  [0x8000_0003, brand.slice(4, 8)],
  [0x8000_0004, brand.slice(8, 12)],
  [0x8000_0007, [0, 0, 0, powerEdx]],
  [0x8000_0008, [addressSizes, 0, 0, 0]],
];

/** The only leaf with subleaves, of which it has the first. */
const subdivided = 7;

const leafValue = (mode: Mode): Subroutine => ({
  name: 'cpuid',
  parameters: [32, 32],
  result: 128,
  body: ([leaf = v.zero, subleaf = v.zero]) => {
    const nothing = v.constant(64, 0);
    let [low, high] = [nothing, nothing];
    for (const [number, [eax = 0, ebx = 0, ecx = 0, edx = 0]] of leaves(mode)) {
      const asked = v.equal(leaf, v.constant(32, number));
      const found = number === subdivided ? v.and(asked, v.isZero(subleaf)) : asked;
      low = v.select(found, pair(eax, ebx), low);
      high = v.select(found, pair(ecx, edx), high);
    }
    return v.pack(low, high);
  },
});

/** A vCPU has one mode. */
const leafValues = { 64: leafValue(64), 32: leafValue(32) } as const;

const pair = (low: number, high: number): Value =>
  v.constant(64, (BigInt(high) << 32n) | BigInt(low));

const cpuidRow: Semantics = (b) => {
  const answer = v.call(leafValues[b.mode], b.read(register(RAX, 32)), b.read(register(RCX, 32)));
  for (const [i, number] of [RAX, RBX, RCX, RDX].entries())
    b.write(register(number, 32), v.slice(answer, 32 * i, 32));
};

export const cpuid = { CPUID: cpuidRow } as const satisfies InstructionTable;

/**
 * The instructions that our CPU has, by iced-x86's names: those of the features that CPUID shows and of every processor
 * before CPUID; and for those without vectors, what tests them.
 */
import { Code, CodeExt, CpuidFeature, Instruction, Mnemonic } from 'iced-x86';
import { privileged } from '../../runtime/x86/instructions/privileged.ts';
import { reservedHints } from '../../runtime/x86/instructions/system.ts';
import { rowName } from '../../runtime/x86/translate.ts';
import type { CpuWidth } from './cpu-oracle.ts';

type Feature = keyof typeof CpuidFeature;

/** Leaf, register of the four, bit (SDM vol. 2, tables 3-10 and 3-11; AMD's APM vol. 3, appendix E). */
// biome-ignore format: a table
export const advertised = {
  FPU: [1n, 3, 0], TSC: [1n, 3, 4], MSR: [1n, 3, 5], CX8: [1n, 3, 8], CMOV: [1n, 3, 15], CLFSH: [1n, 3, 19], MMX: [1n, 3, 23], FXSR: [1n, 3, 24],
  SSE: [1n, 3, 25], SSE2: [1n, 3, 26], SSE3: [1n, 2, 0], PCLMULQDQ: [1n, 2, 1], SSSE3: [1n, 2, 9], CMPXCHG16B: [1n, 2, 13],
  SSE4_1: [1n, 2, 19], SSE4_2: [1n, 2, 20], MOVBE: [1n, 2, 22], POPCNT: [1n, 2, 23], AES: [1n, 2, 25],
  FSGSBASE: [7n, 1, 0], BMI1: [7n, 1, 3], BMI2: [7n, 1, 8], LZCNT: [0x8000_0001n, 2, 5], PREFETCHW: [0x8000_0001n, 2, 8],
  SYSCALL: [0x8000_0001n, 3, 11], RDTSCP: [0x8000_0001n, 3, 27], X64: [0x8000_0001n, 3, 29],
} as const satisfies Partial<Record<Feature, readonly [bigint, number, number]>>;

/** What has no bit of its own: all processors with CPUID have it, RDPMC since the Pentium Pro. */
export const older: ReadonlySet<string> = new Set<Feature>([
  ...(['INTEL8086', 'INTEL186', 'INTEL286', 'INTEL386', 'INTEL486'] as const),
  ...(['FPU287', 'FPU387', 'CPUID', 'PAUSE', 'MULTIBYTENOP', 'RDPMC'] as const),
]);

/** Features that are not advertised: their instructions raise #UD, and why they are not there. */
// biome-ignore format: a table
export const absent: readonly (readonly [features: string, reason: string])[] = [
  ['AVX, AVX2, AVX-512, AMX, FMA, F16C, XOP, XSAVE', 'XGETBV and the VEX forms on vectors raise #UD without OSXSAVE; WebAssembly has vectors of 128 bits'],
  ['SEP', 'SYSENTER needs a kernel\'s MSRs; SYSCALL and INT are there'],
  ['MONITOR, MONITORX, WAITPKG', 'level 0 alone, or a wait that the host would have to know of'],
  ['RDRAND, RDSEED', 'randomness is a parameter of a run'],
  ['RTM, HLE', 'transactions'],
  ['SMAP, INVPCID, SMM, SMX, VMX, SVM, SGX, CET, PKU, FRED', 'privileged surroundings that no guest of ours has; VMCALL is the kernel\'s own call'],
  ['ADX, SHA, GFNI, CLFLUSHOPT, CLWB, CLZERO, MOVDIRI, RDPID, UINTR, SERIALIZE', 'newer than x86-64-v2'],
  ['3DNow!, SSE4a, TBM, LWP, Padlock, and what single models of the 386 and 486 had', 'no longer made'],
];

const featuresOf = (instruction: Instruction, code: Code): string[] => {
  instruction.code = code;
  return [...instruction.cpuidFeatures()].map((feature) => CpuidFeature[feature] ?? '');
};

/** Names that stand for FWAIT and another instruction, and for data. */
const notDecoded =
  /^(Fstenv|Fstcw|Fclex|Finit|Fsave|Fstsw|Feni|Fdisi|Fsetpm|D[bwdq]|Zero_bytes|INVALID)$/;

export interface InstructionForm {
  /** Of its row in the instruction tables. */
  readonly row: string;
  readonly mnemonic: string;
  readonly code: string;
  readonly features: readonly string[];
  readonly widths: readonly CpuWidth[];
}

/** Every form that iced-x86 knows, whatever CPU has it. */
export function allForms(): InstructionForm[] {
  const instruction = new Instruction();
  const forms = Object.values(Code).flatMap((code) => {
    if (typeof code !== 'number') return [];
    const { mode32, mode64, mnemonic: number } = CodeExt.opCode(code);
    const mnemonic = Mnemonic[number] ?? '';
    if (notDecoded.test(mnemonic)) return [];
    const name = Code[code] ?? '';
    const widths = [...(mode64 ? [64 as const] : []), ...(mode32 ? [32 as const] : [])];
    const row = rowName({ mnemonic: mnemonic.toUpperCase(), code: name });
    return [{ row, mnemonic, code: name, features: featuresOf(instruction, code), widths }];
  });
  instruction.free();
  return forms;
}

const isOurs = (feature: string): boolean => feature in advertised || older.has(feature);

/** The forms that our CPU has. */
export const ourForms = (): InstructionForm[] =>
  allForms().filter(({ features, widths }) => features.every(isOurs) && widths.length > 0);

const here = 'tests/runtime/x86/instructions';
const byHand = (test: string, names: readonly string[]): Record<string, string> =>
  Object.fromEntries(names.map((name) => [name, test]));

/** Rows without vectors, and the test that holds each against the manual instead. */
export const handTested: Readonly<Record<string, string>> = {
  ...byHand('tests/runtime/cpu/system-instruction.test.ts', Object.keys(privileged)),
  ...byHand(
    'tests/runtime/cpu/segments.test.ts',
    'LAR LSL VERR VERW LDS LES LFS LGS LSS'.split(' '),
  ),
  ...byHand('tests/runtime/cpu/far-transfer.test.ts', 'IRET IRETD IRETQ RETF'.split(' ')),
  ...byHand('tests/runtime/cpu/vcpu-system.test.ts', ['RDTSC', 'RDTSCP']),
  ...byHand('tests/runtime/cpu/system-instruction.test.ts', ['INT']),
  ...byHand(`${here}/control-transfer.test.ts`, ['INT1']),
  ...byHand(`${here}/cpuid.test.ts`, ['CPUID']),
  ...byHand(`${here}/mmx.test.ts`, ['FNDISI', 'FNENI', 'FNSETPM']),
  ...byHand(`${here}/system.test.ts`, [
    ...Object.keys(reservedHints),
    ...'ARPL PREFETCH RDFSBASE RDGSBASE WRFSBASE WRGSBASE SYSCALL VMCALL'.split(' '),
  ]),
};

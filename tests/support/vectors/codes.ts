/**
 * The instructions that get vectors: each opcode of iced-x86 that a user program may execute, and how many cases it
 * gets, so that each mnemonic has 200 of each operand width in each mode. Left out are privileged, far, segment and I/O
 * instructions, those whose result is not the CPU's alone (CPUID, RDTSC …), and 16-bit branches.
 */
import { Code, CodeExt, CpuidFeature, Instruction, Mnemonic } from 'iced-x86';
import type { CpuWidth } from '../cpu-oracle.ts';
import { groupOf, operandKinds } from './groups.ts';

// biome-ignore format: a table
const features: ReadonlySet<CpuidFeature> = new Set([
  CpuidFeature.INTEL8086, CpuidFeature.INTEL186, CpuidFeature.INTEL286, CpuidFeature.INTEL386, CpuidFeature.INTEL486,
  CpuidFeature.X64, CpuidFeature.CMOV, CpuidFeature.CX8, CpuidFeature.CMPXCHG16B, CpuidFeature.MULTIBYTENOP,
  CpuidFeature.PAUSE, CpuidFeature.CLFSH, CpuidFeature.FXSR, CpuidFeature.POPCNT, CpuidFeature.LZCNT, CpuidFeature.MOVBE,
  CpuidFeature.BMI1, CpuidFeature.BMI2, CpuidFeature.FPU, CpuidFeature.FPU287, CpuidFeature.FPU387, CpuidFeature.MMX,
  CpuidFeature.SSE, CpuidFeature.SSE2, CpuidFeature.SSE3, CpuidFeature.SSSE3, CpuidFeature.SSE4_1, CpuidFeature.SSE4_2,
  CpuidFeature.AES, CpuidFeature.PCLMULQDQ, CpuidFeature.PREFETCHW, CpuidFeature.CET_IBT,
]);

// biome-ignore format: a table
const leftOut: ReadonlySet<string> = new Set([
  'Syscall', 'Sysenter', 'Sysexit', 'Sysret', 'Cpuid', 'Int', 'Int1', 'Iret', 'Iretd', 'Iretq', 'Cli', 'Sti', 'Hlt',
  'Arpl', 'Lar', 'Lsl', 'Verr', 'Verw', 'Sldt', 'Str', 'Sgdt', 'Sidt', 'Smsw', 'Lds', 'Les', 'Lfs', 'Lgs', 'Lss',
  'Retf', 'Popw', 'Fnsetpm', 'Frstpm', 'Feni', 'Fdisi', 'Fneni', 'Fndisi', 'Fnstdw', 'Fnstsg',
]);

const segmentForms =
  /_(E?[CDSFG]S|Sreg)\b|^(Mov_\w*Sreg|Push[wdq]_[CDEFGS]S|Pop[wdq]_[DEFGS]S|(Call|Jmp)_(m|ptr)16)/;

const isBranch16 = (code: string): boolean =>
  /^(Jmp|Call|J[a-z]+|Retnw|Loop\w*)_?.*(rel16|rm16|rel8_16)/.test(code) || /^Retnw/.test(code);

function* codes(width: CpuWidth): Generator<{ code: Code; name: string }> {
  for (const [name, code] of Object.entries(Code)) {
    if (typeof code !== 'number' || !isRecorded(code, name, width)) continue;
    yield { code, name };
  }
}

function isRecorded(code: Code, name: string, width: CpuWidth): boolean {
  const info = CodeExt.opCode(code);
  const instruction = new Instruction();
  instruction.code = code;
  const allowed =
    info.isInstruction &&
    info.isAvailableInMode(width) &&
    !info.mustBeCpl0 &&
    !info.isPrivileged &&
    !info.isInputOutput &&
    !info.fwait &&
    !info.isReservedNop &&
    info.operandSize !== undefined &&
    instruction.cpuidFeatures().every((feature) => features.has(feature)) &&
    !leftOut.has(Mnemonic[info.mnemonic] ?? '') &&
    !segmentForms.test(name) &&
    !/^(Ud0|Prefetch_m8|Prefetchreserved\w+)$/.test(name) &&
    !isBranch16(name);
  info.free();
  instruction.free();
  return allowed;
}

/** Which part of the state a series of cases varies beyond what is usual. */
export type Variation = 'usual' | 'mxcsr' | 'unmasked';

/** What is recorded of one opcode: so many instructions, so many cases of each. */
export interface CodePlan {
  readonly group: string;
  readonly variation: Variation;
  readonly mnemonic: string;
  /** In bits, as the opcode's name has it; 0 where it has none. */
  readonly operandWidth: number;
  readonly code: Code;
  readonly name: string;
  readonly width: CpuWidth;
  readonly variants: number;
  readonly cases: number;
}

/** Cases of a mnemonic, an operand width and a mode, and the least of one opcode; some are left over for those that have no defined result. */
const casesOfKey = 252;
const casesOfCode = 50;
const casesOfForm = 6;

const environment = /^Fn?(save|stenv|rstor|ldenv)$/;
const packedOrScalarFloats =
  /^(Add|Sub|Mul|Div|Sqrt|Min|Max|Cmp|U?[Cc]omis|Cvt|Round|Dp|Hadd|Hsub|Addsub).*([ps][sd]|[sp][iq]|dq)$/;

/** The destination's width, which names the opcode first: 32 of Movzx_r32_rm8. */
const operandWidthOf = (name: string): number => Number(/_[a-z]*(\d+)/.exec(name)?.[1] ?? 0);

type Series = Pick<CodePlan, 'group' | 'variation'>;

/** A code's own group, and those that vary what is set up once in a program: masks and MXCSR. */
function seriesOf(group: string, mnemonic: string): Series[] {
  const series: Series[] = [{ group, variation: 'usual' }];
  if (group === 'fpu' && !environment.test(mnemonic))
    series.push({ group: 'fpu-unmasked', variation: 'unmasked' });
  if (/^sse(2|3|4\.[12])?$/.test(group) && packedOrScalarFloats.test(mnemonic))
    series.push({ group: 'sse-mxcsr', variation: 'mxcsr' });
  return series;
}

/** All that is recorded of a mode, in the order of the files. */
export function codePlans(width: CpuWidth): CodePlan[] {
  const all = [...codes(width)].flatMap(({ code, name }) => {
    const mnemonic = Mnemonic[CodeExt.opCode(code).mnemonic] ?? '';
    return seriesOf(groupOf(code, mnemonic), mnemonic).map((series) => ({
      ...series,
      ...{ mnemonic, code, name, width, operandWidth: operandWidthOf(name) },
    }));
  });
  const keyOf = (each: Omit<CodePlan, 'variants' | 'cases'>): string =>
    `${each.group} ${each.mnemonic} ${each.operandWidth}`;
  const sharing = new Map<string, number>();
  for (const each of all) sharing.set(keyOf(each), (sharing.get(keyOf(each)) ?? 0) + 1);
  return all.map((each) => {
    // Double shifts of 16 bits by more than that have no defined result.
    const lost = /^Sh[lr]d_rm16/.test(each.name) ? 60 : 0;
    const goal =
      lost + Math.max(casesOfCode, Math.ceil(casesOfKey / (sharing.get(keyOf(each)) ?? 1)));
    const variants = operandKinds(each.code).length === 0 ? 4 : Math.ceil(goal / casesOfForm);
    return { ...each, variants, cases: Math.ceil(goal / variants) };
  });
}

/** Which file of tests/golden/x86 an instruction's vectors lie in: by section of SDM vol. 1, 5.1, else by CPUID feature. */
import { type Code, CodeExt, CpuidFeature, Instruction, OpCodeOperandKind as Kind } from 'iced-x86';

/** Mnemonics as a pattern, in iced-x86's spelling. */
const sections: readonly (readonly [string, RegExp])[] = [
  [
    'arithmetic',
    /^(Adc|Add|Sub|Sbb|Cmp|Neg|Inc|Dec|Mul|Imul|Div|Idiv|Aa[adms]|Da[as]|Xadd|Cmpxchg(8b|16b)?)$/,
  ],
  ['logic', /^(And|Or|Xor|Not|Test)$/],
  ['shift', /^(Sal|Shl|Sar|Shr|Rol|Ror|Rcl|Rcr|Shld|Shrd)$/],
  ['bit', /^(Bt[crs]?|Bs[fr]|Set[a-z]+)$/],
  ['string', /^(Movs|Cmps|Scas|Lods|Stos)[bwdq]$/],
  ['control-transfer', /^(J[a-z]+|Call|Ret|Loopn?e?|Int3|Into|Bound|Enter|Leave)$/],
  ['flag-control', /^(Clc|Stc|Cmc|Cld|Std|Lahf|Sahf|Pushf[dq]?|Popf[dq]?)$/],
];

/** Results that the manual does not fix to the last bit, or that CPUs of different vendors give differently. */
const transcendental = /^(F2xm1|Fcos|Fsin|Fsincos|Fptan|Fpatan|Fyl2x|Fyl2xp1)$/;
const approximate = /^(Rcp|Rsqrt)[ps]s$/;

const base: ReadonlySet<CpuidFeature> = new Set([
  CpuidFeature.INTEL8086,
  CpuidFeature.INTEL186,
  CpuidFeature.INTEL286,
  CpuidFeature.INTEL386,
  CpuidFeature.INTEL486,
  CpuidFeature.X64,
  CpuidFeature.CX8,
  CpuidFeature.CMPXCHG16B,
]);

function featuresOf(code: Code): CpuidFeature[] {
  const instruction = new Instruction();
  instruction.code = code;
  const features = [...instruction.cpuidFeatures()];
  instruction.free();
  return features;
}

export function operandKinds(code: Code): Kind[] {
  const info = CodeExt.opCode(code);
  return Array.from({ length: info.opCount }, (_, i) => info.opKind(i));
}

const mmxKinds: ReadonlySet<Kind> = new Set([Kind.mm_reg, Kind.mm_rm, Kind.mm_or_mem]);

export function groupOf(code: Code, mnemonic: string): string {
  const features = featuresOf(code);
  const names = features.map((feature) => CpuidFeature[feature] ?? '');
  if (operandKinds(code).some((kind) => mmxKinds.has(kind)) || names.includes('MMX')) return 'mmx';
  if (transcendental.test(mnemonic)) return 'fpu-transcendental';
  if (approximate.test(mnemonic)) return 'sse-approximate';
  if (names.some((name) => name.startsWith('FPU'))) return 'fpu';
  const special = features.find((feature) => !base.has(feature));
  // CMOV on the x87's registers and on the general ones are told apart by the FPU feature above.
  if (special !== undefined) return (CpuidFeature[special] ?? '').toLowerCase().replace('_', '.');
  return sections.find(([, pattern]) => pattern.test(mnemonic))?.[0] ?? 'data-transfer';
}

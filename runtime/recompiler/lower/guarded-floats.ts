/**
 * SSE floats where a program may look at MXCSR (SDM vol. 1, 10.2.3): Wasm's arithmetic where its result is the processor's and
 * sets no sticky flag that is not set already, and before anything else a way out to the evaluator, which is exact.
 */
import * as v from '../../ir/build.ts';
import type { Builder } from '../../ir/builder.ts';
import type { Op } from '../../ir/ops.ts';
import type { Statement, Value } from '../../ir/value.ts';
import type { Instruction } from '../../x86/decode.ts';
import { vectors } from '../../x86/semantics.ts';
import { cpuState } from '../../x86/state.ts';
import { translateInstruction } from '../../x86/translate.ts';
import { operandsOf } from './plan.ts';

/** Those whose rows say all in float ops: no subroutines, no MMX registers. */
const guarded =
  /^(ADD|SUB|MUL|DIV|SQRT|MIN|MAX|CMP)[PS][SD]$|^U?COMIS[SD]$|^CVTT?(S[SD]2SI|SI2S[SD]|SS2SD|SD2SS|PS2PD|PD2PS|DQ2P[SD]|P[SD]2DQ)$/;

/** Rounding to nearest, all exceptions masked, denormals as they are; with PE or whatever it is. */
const control = { mask: 0xffc0, value: 0x1f80 } as const;
const inexact = 0x20;

type FloatWidth = 32 | 64;

/** Bits of the smallest normal number, and of infinity. */
const limits = {
  32: { smallest: 0x0080_0000n, infinity: 0x7f80_0000n },
  64: { smallest: 0x0010_0000_0000_0000n, infinity: 0x7ff0_0000_0000_0000n },
} as const;

/** What is 1, or all ones in a lane, where it holds; and how such answers are joined. */
interface Judge {
  readonly isZero: (a: Value) => Value;
  /** Larger than the smallest normal number, which may have been rounded up to, and finite. */
  readonly isNormal: (a: Value) => Value;
  readonly fails: (answer: Value) => Value;
}

const scalarJudge = (width: FloatWidth): Judge => {
  const { smallest, infinity } = limits[width];
  const magnitude = (a: Value): Value => v.and(a, v.constant(width, v.mask(width) >> 1n));
  return {
    isZero: (a) => v.isZero(magnitude(a)),
    isNormal: (a) =>
      v.lessUnsigned(
        v.sub(magnitude(a), v.constant(width, smallest + 1n)),
        v.constant(width, infinity - smallest - 1n),
      ),
    fails: v.not,
  };
};

const packedJudge = (width: FloatWidth): Judge => {
  const { smallest, infinity } = limits[width];
  const splat = (lane: bigint): Value =>
    v.constant(
      128,
      width === 64 ? lane * 0x1_0000_0000_0000_0001n : lane * 0x1_0000_0001_0000_0001_0000_0001n,
    );
  const greater = v.lane('laneGreaterSigned', width);
  const magnitude = (a: Value): Value => v.and(a, splat(v.mask(width) >> 1n));
  return {
    isZero: (a) => v.lane('laneEqual', width)(magnitude(a), v.constant(128, 0)),
    isNormal: (a) =>
      v.and(greater(magnitude(a), splat(smallest)), greater(splat(infinity), magnitude(a))),
    fails: (answer) =>
      v.notEqual(v.lane('laneBits', width)(answer), v.constant(32, 2 ** (128 / width) - 1)),
  };
};

const judges = {
  scalar: { 32: scalarJudge(32), 64: scalarJudge(64) },
  packed: { 32: packedJudge(32), 64: packedJudge(64) },
} as const;

const judgeOf = (value: Value, laneWidth: FloatWidth): Judge =>
  judges[value.width === 128 ? 'packed' : 'scalar'][laneWidth];

const widthOf = (detail: unknown): FloatWidth => (detail === 32 ? 32 : 64);

/** NaNs, infinities and denormals have exceptions of their own. */
const oddInput = (value: Value, laneWidth: FloatWidth): Value => {
  const judge = judgeOf(value, laneWidth);
  return judge.fails(v.or(judge.isZero(value), judge.isNormal(value)));
};

const oddInputs = (node: Value): Value[] =>
  node.args.map((arg) => oddInput(arg, widthOf(node.detail)));

/** A sum that is 0 is exact. */
const sum = (node: Value): Value[] => [...oddInputs(node), oddInput(node, widthOf(node.detail))];

/** A product or quotient that is 0 is exact where an operand was. */
const product = (node: Value): Value[] => {
  const judge = judgeOf(node, widthOf(node.detail));
  const [a, b] = node.args;
  if (a === undefined || b === undefined) throw new TypeError(`${node.op} of one operand`);
  const exactZero = v.and(judge.isZero(node), v.or(judge.isZero(a), judge.isZero(b)));
  return [...oddInputs(node), judge.fails(v.or(judge.isNormal(node), exactZero))];
};

const floatWidth = (value: Value): FloatWidth => (value.width === 32 ? 32 : 64);

const conversion = (node: Value): Value[] => {
  const [a = node] = node.args;
  const from = judgeOf(a, floatWidth(a));
  const to = judgeOf(node, floatWidth(node));
  return [from.fails(v.or(from.isZero(a), v.and(from.isNormal(a), to.isNormal(node))))];
};

/** The integer indefinite stands for what does not fit. */
const toInteger = (node: Value): Value[] => [
  v.equal(node, v.constant(node.width, 1n << BigInt(node.width - 1))),
];

/** Op → what must not be, and whether its result may be inexact. */
// biome-ignore format: a table
const rules: Partial<Record<Op, { readonly odd: (node: Value) => Value[]; readonly rounds: boolean }>> = {
  floatAdd: { odd: sum, rounds: true }, floatSub: { odd: sum, rounds: true }, floatSqrt: { odd: sum, rounds: true },
  floatMul: { odd: product, rounds: true }, floatDiv: { odd: product, rounds: true },
  floatConvert: { odd: conversion, rounds: true },
  floatFromSigned: { odd: () => [], rounds: true },
  floatToSigned: { odd: toInteger, rounds: true }, floatTruncate: { odd: toInteger, rounds: true },
  floatMin: { odd: oddInputs, rounds: false }, floatMax: { odd: oddInputs, rounds: false },
  floatEqualMask: { odd: oddInputs, rounds: false }, floatLessMask: { odd: oddInputs, rounds: false },
  floatLessEqualMask: { odd: oddInputs, rounds: false }, floatUnorderedMask: { odd: oddInputs, rounds: false },
  floatEqual: { odd: oddInputs, rounds: false }, floatLess: { odd: oddInputs, rounds: false }, floatLessEqual: { odd: oddInputs, rounds: false },
  floatUnordered: { odd: oddInputs, rounds: false }, floatLessQuiet: { odd: oddInputs, rounds: false }, floatLessEqualQuiet: { odd: oddInputs, rounds: false },
};

/** The float ops that statements compute with. */
function floatsOf(statements: readonly Statement[]): Value[] {
  const found = new Set<Value>();
  const seen = new Set<Value>();
  const visit = (value: Value): void => {
    if (seen.has(value)) return;
    seen.add(value);
    if (value.op.startsWith('float')) found.add(value);
    value.args.forEach(visit);
  };
  for (const statement of statements) operandsOf(statement).forEach(visit);
  return [...found];
}

const changes = ({ kind }: Statement): boolean =>
  ['setRegister', 'setFlags', 'store', 'storeCpu'].includes(kind);

/** Writes the instruction, or leaves it to the evaluator. What follows it begins a block: no other float is at hand. */
export function translateExactly(b: Builder, instruction: Instruction): void {
  const { address, length, mnemonic } = instruction;
  if (!guarded.test(mnemonic)) {
    b.instruction(address, length);
    b.end({ kind: 'leave', reason: 'evaluate', operand: 0, next: address });
    return;
  }
  const start = b.position;
  translateInstruction(b, instruction);
  b.before(start, changes, (effects) => guard(b, floatsOf(effects)));
}

/** The exit that `raiseIf` is in recompiled code leads to the evaluator. */
function guard(b: Builder, floats: readonly Value[]): void {
  let rounds = false;
  const odd = floats.flatMap((node) => {
    const rule = rules[node.op];
    if (rule === undefined) throw new TypeError(`no guard for ${node.op}`);
    rounds ||= rule.rounds;
    return rule.odd(node);
  });
  const mxcsr = b.loadCpu(cpuState.mxcsr, 32);
  const flag = rounds ? inexact : 0;
  const plain = v.constant(32, control.value | flag);
  const differs = v.notEqual(v.and(mxcsr, v.constant(32, control.mask | flag)), plain);
  b.raiseIf(
    odd.reduce((all, one) => v.or(all, one), differs),
    vectors.XM,
  );
}

/** x87 arithmetic, evaluated and recompiled, against the machine's own CPU: random operands in all classes, precisions, roundings and masks. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type CpuCase, CpuOracle, type CpuResult } from '../../support/cpu-oracle.ts';
import { evaluate } from '../../support/evaluator.ts';
import { freshSeed, type Random, random } from '../../support/random.ts';
import { differences, type Tolerance } from '../../support/replay.ts';
import { tolerances } from '../../support/tolerances.ts';
import { baseState } from '../../support/vectors/state.ts';
import { WasmExecutor } from '../../support/wasm-executor.ts';

interface Context {
  oracle: CpuOracle;
  recompiler: WasmExecutor;
}

const test = suite<Context>('runtime/x86/float80');

test.before(async (context) => {
  context.oracle = await CpuOracle.start(64);
  context.recompiler = new WasmExecutor(64);
});

test.after(async ({ oracle }) => {
  await oracle.close();
});

const DATA = 0x20000100n;
const CASES = 150;
const top = 1n << 63n;

interface Operands {
  readonly x: bigint;
  readonly y: bigint;
}

const pick = <T>(from: readonly [T, ...T[]], source: Random): T =>
  from[source.below(from.length)] ?? from[0];

const u64 = (source: Random): bigint => BigInt.asUintN(64, source.bigint64());

function significand(source: Random): bigint {
  const run = BigInt.asUintN(64, -1n << BigInt(source.below(64)));
  return pick(
    [u64(source), u64(source), u64(source) >> BigInt(source.below(64)), run, top, top + 1n, 0n],
    source,
  );
}

/** Exponents about `near`, at both ends of the range, and that of infinity. */
function exponent(source: Random, near: number): number {
  const kinds = [
    near + source.below(131) - 65,
    source.below(70),
    0x7fff - source.below(70),
  ] as const;
  const chosen = source.below(16);
  if (chosen === 0) return 0x7fff;
  if (chosen === 1) return 0;
  return (chosen < 4 ? pick(kinds, source) : kinds[0]) & 0x7fff;
}

/** Now and then an unnormal, a pseudo-denormal, a NaN or an infinity. */
function float80(source: Random, near: number): bigint {
  const e = exponent(source, near);
  const odd = source.below(24) === 0;
  const own = significand(source);
  const whole = odd ? own : e === 0 ? own & ~top : own | top;
  const bits = e === 0x7fff && source.below(2) === 0 ? whole & (3n << 62n) : whole;
  return (BigInt(e | (source.below(2) << 15)) << 64n) | bits;
}

function pair(source: Random): Operands {
  const x = float80(source, 0x3fff);
  const other = float80(source, Number((x >> 64n) & 0x7fffn));
  return { x, y: source.below(8) === 0 ? x ^ BigInt(source.below(4)) : other };
}

const exponentOf = (value: bigint): number => Number((value >> 64n) & 0x7fffn);

/**
 * No denormal that stays as it is, times 1 or as the remainder of infinity: where underflow is not masked, CPUs differ, and
 * Intel's do not raise it.
 */
const changing =
  (keeps: (exponent: number) => boolean) =>
  (source: Random): Operands => {
    for (;;) {
      const operands = pair(source);
      if (exponentOf(operands.x) !== 0 || !keeps(exponentOf(operands.y))) return operands;
    }
  };

const remainder = changing((exponent) => exponent === 0x7fff);
const draws: Readonly<Record<string, (source: Random) => Operands>> = {
  fscale: changing((exponent) => exponent < 0x3fff),
  fprem: remainder,
  fprem1: remainder,
};

const bytesOf = (value: bigint): Uint8Array =>
  Uint8Array.from({ length: 16 }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));

/** ST(0) and ST(1) are the operands; RSI points to the first one's bits. */
function arrange(code: readonly number[], { x, y }: Operands, source: Random): CpuCase {
  const state = baseState(64);
  const masks = pick([0x3f, 0x3f, 0x3f & ~(1 << source.below(6)), source.below(64)], source);
  state.fpu.control = 0x40 | masks | (pick([0, 2, 3], source) << 8) | (source.below(4) << 10);
  state.fpu.status = 6 << 11;
  state.fpu.tag = 0xc0;
  state.fpu.registers = [x, y, 0n, 0n, 0n, 0n, 0n, 0n];
  state.regs[6] = DATA;
  const memory = [{ address: DATA, bytes: bytesOf(x ^ (y << 64n)) }];
  return { code: Uint8Array.from(code), state, memory, steps: 1 };
}

const exactly: Tolerance = (_, expected, actual) => expected === actual;

function wrong(
  given: CpuCase,
  { state, memory }: CpuResult,
  recompiler: WasmExecutor,
  tolerance: Tolerance,
): string[] {
  const vector = {
    input: { state: given.state, memory: given.memory },
    expected: { state, memory, ignored: [], undefinedFlags: 0n },
  };
  const { code } = given;
  const evaluated = evaluate(64, code, given.state, given.memory);
  const recompiled = recompiler.execute(code, given.state, given.memory);
  return [
    ...differences(vector, evaluated, 64, tolerance),
    ...differences(vector, recompiled, 64, tolerance).map((found) => `recompiled ${found}`),
  ];
}

const told = ({ state: { fpu } }: CpuCase): string => {
  const [x = 0n, y = 0n] = fpu.registers;
  return `control ${fpu.control.toString(16)}, ST(0) ${x.toString(16)}, ST(1) ${y.toString(16)}`;
};

async function compare(
  { oracle, recompiler }: Context,
  code: readonly number[],
  tolerance: Tolerance,
  draw: (source: Random) => Operands,
): Promise<string | undefined> {
  const seed = freshSeed();
  const source = random(seed);
  const cases = Array.from({ length: CASES }, () => arrange(code, draw(source), source));
  const results = await oracle.run(cases);
  for (const [i, given] of cases.entries()) {
    const result = results[i];
    if (result === undefined) return 'the CPU gave no answer';
    const found = wrong(given, result, recompiler, tolerance);
    if (found.length > 0) return `seed ${seed}: ${told(given)}: ${found.join('; ')}`;
  }
  return undefined;
}

// biome-ignore format: a table
const exact: Readonly<Record<string, readonly number[]>> = {
  'fadd st, st(1)': [0xd8, 0xc1], 'fsub st, st(1)': [0xd8, 0xe1], 'fmul st, st(1)': [0xd8, 0xc9], 'fdiv st, st(1)': [0xd8, 0xf1],
  'fsubrp st(1), st': [0xde, 0xe1], 'fdivrp st(1), st': [0xde, 0xf1], 'fadd qword [rsi]': [0xdc, 0x06], 'fmul dword [rsi]': [0xd8, 0x0e],
  'fidiv word [rsi]': [0xde, 0x36], 'fsqrt': [0xd9, 0xfa], 'frndint': [0xd9, 0xfc], 'fprem': [0xd9, 0xf8], 'fprem1': [0xd9, 0xf5],
  'fscale': [0xd9, 0xfd], 'fxtract': [0xd9, 0xf4], 'fcom st(1)': [0xd8, 0xd1], 'fucomip st, st(1)': [0xdf, 0xe9], 'fxam': [0xd9, 0xe5],
  'fld dword [rsi]': [0xd9, 0x06], 'fld qword [rsi]': [0xdd, 0x06], 'fild qword [rsi]': [0xdf, 0x2e],
  'fst dword [rsi]': [0xd9, 0x16], 'fstp qword [rsi]': [0xdd, 0x1e], 'fist word [rsi]': [0xdf, 0x16], 'fistp qword [rsi]': [0xdf, 0x3e],
  'fisttp dword [rsi]': [0xdb, 0x0e], 'fbstp [rsi]': [0xdf, 0x36],
};

for (const [name, code] of Object.entries(exact))
  test(`${name} is the CPU's to the last bit and flag`, async (context) => {
    assert.is(await compare(context, code, exactly, draws[name] ?? pair), undefined);
  });

/** Finite numbers in an instruction's domain: |ST(0)| below `limit`, as an exponent; or positive. */
const within =
  (limit: number, positive = false) =>
  (source: Random): Operands => {
    const finite = (bound: number, signed: boolean): bigint => {
      const e = Math.max(1, bound - 1 - source.below(source.below(8) === 0 ? bound - 1 : 12));
      const sign = signed ? source.below(2) << 15 : 0;
      return (BigInt(e | sign) << 64n) | significand(source) | top;
    };
    return { x: finite(limit, !positive), y: finite(0x4010, true) };
  };

/** One unit each way between two results that are within one of the truth, whatever power of two they are about. */
const transcendental: Tolerance = (place, expected, actual) => {
  const linear = (value: bigint): bigint => ((value >> 64n) << 63n) | (value & (top - 1n));
  if (!/^R\d$/.test(place))
    return tolerances['fpu-transcendental']?.(place, expected, actual) ?? false;
  const apart = linear(expected) - linear(actual);
  return -2n <= apart && apart <= 2n;
};

// biome-ignore format: a table
const approximate: Readonly<Record<string, readonly [code: readonly number[], draw: (source: Random) => Operands]>> = {
  f2xm1: [[0xd9, 0xf0], within(0x3fff)], fyl2x: [[0xd9, 0xf1], within(0x4010, true)], fyl2xp1: [[0xd9, 0xf9], within(0x3ffd)],
  fpatan: [[0xd9, 0xf3], within(0x4010)], fsin: [[0xd9, 0xfe], within(0x403e)], fcos: [[0xd9, 0xff], within(0x403e)],
  fsincos: [[0xd9, 0xfb], within(0x4004)], fptan: [[0xd9, 0xf2], within(0x4004)],
};

for (const [name, [code, draw]] of Object.entries(approximate))
  test(`${name} is within a unit in the last place, as the CPU is`, async (context) => {
    assert.is(await compare(context, code, transcendental, draw), undefined);
  });

test.run();

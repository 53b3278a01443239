/** Where MXCSR is watched, recompiled floats are the evaluator's to the sticky flag, and mostly without its help. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { evaluate } from '../../../support/evaluator.ts';
import { freshSeed, type Random, random } from '../../../support/random.ts';
import { baseState } from '../../../support/vectors/state.ts';
import { WasmExecutor } from '../../../support/wasm-executor.ts';

const test = suite('runtime/recompiler/lower/guarded-floats');

/** Of xmm0, xmm1 and eax or rax, without the prefix that tells scalars from vectors. */
// biome-ignore format: a table
const opcodes = {
  add: '58', mul: '59', sub: '5c', min: '5d', div: '5e', max: '5f', sqrt: '51',
  'cmp lt': 'c2:01', 'cmp eq': 'c2:00', 'cmp unord': 'c2:03',
} as const;
const prefixes = { ps: '', pd: '66', ss: 'f3', sd: 'f2' } as const;
// biome-ignore format: a table
const others = {
  'comisd xmm0,xmm1': '66 0f 2f c1', 'ucomiss xmm0,xmm1': '0f 2e c1', 'cvtsd2ss xmm0,xmm1': 'f2 0f 5a c1', 'cvtss2sd xmm0,xmm1': 'f3 0f 5a c1',
  'cvtpd2ps xmm0,xmm1': '66 0f 5a c1', 'cvtps2pd xmm0,xmm1': '0f 5a c1', 'cvtsi2sd xmm0,eax': 'f2 0f 2a c0', 'cvtsi2ss xmm0,eax': 'f3 0f 2a c0',
  'cvtsd2si eax,xmm1': 'f2 0f 2d c1', 'cvttss2si eax,xmm1': 'f3 0f 2c c1', 'cvtdq2ps xmm0,xmm1': '0f 5b c1', 'cvttps2dq xmm0,xmm1': 'f3 0f 5b c1', 'cvtpd2dq xmm0,xmm1': 'f2 0f e6 c1',
} as const;

const forms: readonly (readonly [name: string, hex: string])[] = [
  ...Object.entries(opcodes).flatMap(([name, opcode]) =>
    Object.entries(prefixes).map(([suffix, prefix]): [string, string] => {
      const [code, immediate = ''] = opcode.split(':');
      return [`${name}${suffix}`, `${prefix} 0f ${code} c1 ${immediate}`];
    }),
  ),
  ...Object.entries(others),
];

/** Zeros, the ends of every range, NaNs. */
// biome-ignore format: a table
const edges = [
  0n, 1n << 63n, 0x3ff0_0000_0000_0000n, 0x0010_0000_0000_0000n, 0x000f_ffff_ffff_ffffn, 1n, 0x7fef_ffff_ffff_ffffn, 0x7ff0_0000_0000_0000n,
  0x7ff8_0000_0000_0000n, 0x7ff0_0000_0000_0001n, 0x3fef_ffff_ffff_ffffn, 0x1ff0_0000_0000_0000n, 0x2000_0000_0000_0001n, 0xbff0_0000_0000_0000n, 0x41df_ffff_ffc0_0000n,
  0x3f80_0000_3f80_0000n, 0x0080_0000_8080_0000n, 0x007f_ffff_0000_0001n, 0x7f7f_ffff_7f80_0000n, 0x7fc0_0000_7f80_0001n, 0x2000_0000_1fff_ffffn, 0x4f00_0000_ceff_ffffn,
] as const;

/** Half of them usual numbers in both widths. */
function draw(source: Random): bigint {
  const half = (): bigint => {
    if (source.below(2) === 0) return edges[source.below(edges.length)] ?? 0n;
    const exponent = BigInt(0x3f0 + source.below(0x20));
    const bits = BigInt.asUintN(51, source.bigint64());
    return (exponent << 52n) | bits | (BigInt(source.below(2)) << 63n);
  };
  return half() | (half() << 64n);
}

for (const width of [64, 32] as const)
  test(`${width}: results, flags and MXCSR are those of the evaluator`, () => {
    const seed = freshSeed();
    const source = random(seed);
    const wasm = new WasmExecutor(width, { exactFloats: true });
    const base = baseState(width);

    for (const [name, hex] of forms) {
      const code = Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
      for (let i = 0; i < 60; i++) {
        // Masked and to nearest with some sticky flags, or anything.
        const mxcsr = i % 8 === 0 ? source.below(0x1_0000) : 0x1f80 | source.below(0x40);
        const state = { ...base, mxcsr, xmm: [draw(source), draw(source), ...base.xmm.slice(2)] };
        const expected = evaluate(width, code, state, []);
        const actual = wasm.execute(code, state, []);
        const what = `seed ${seed}: ${name}, MXCSR ${mxcsr.toString(16)}, ${state.xmm
          .slice(0, 2)
          .map((x) => x.toString(16))
          .join(' ')}`;
        // What leaves to the evaluator has changed nothing.
        assert.equal(actual.state, actual.left ? state : expected.state, what);
        if (!actual.left) assert.equal(actual.exception, expected.exception, what);
      }
    }
  });

test('what is usual needs no evaluator once a result was rounded', () => {
  const wasm = new WasmExecutor(64, { exactFloats: true });
  const base = baseState(64);
  const numbers = [0x3ff8_0000_0000_0001n, 0x4008_0000_0000_0003n].map((n) => n | (n << 64n));
  const state = { ...base, xmm: [...numbers, ...base.xmm.slice(2)] };

  for (const code of ['f20f58c1', '660f59c1', 'f20f5ec1', '660f51c1', 'f20f5ac1', '660f2fc1']) {
    const bytes = Uint8Array.from(Buffer.from(code, 'hex'));
    assert.not.ok(wasm.execute(bytes, { ...state, mxcsr: 0x1fa0 }, []).left, code);
  }
  assert.ok(wasm.execute(Uint8Array.of(0xf2, 0x0f, 0x58, 0xc1), state, []).left);
});

test.run();

/** FIPS 197, appendix B, and products that can be checked by eye; evaluated, and as Wasm. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { evaluate } from '../../../support/evaluator.ts';
import { baseState } from '../../../support/vectors/state.ts';
import { WasmExecutor } from '../../../support/wasm-executor.ts';

const test = suite('runtime/x86/instructions/aes');

const wasm = new WasmExecutor(64);

/** As FIPS 197 writes a state: its first byte is the lowest. */
const state = (hex: string): bigint =>
  BigInt(`0x${Buffer.from(hex, 'hex').reverse().toString('hex')}`);
const text = (value: bigint): string =>
  Buffer.from(value.toString(16).padStart(32, '0'), 'hex').reverse().toString('hex');

/** XMM0 after an instruction with XMM0 and XMM1. */
function run(hex: string, xmm0: bigint, xmm1: bigint): bigint {
  const code = Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
  const base = baseState(64);
  const input = { ...base, xmm: [xmm0, xmm1, ...base.xmm.slice(2)] };
  const [evaluated] = evaluate(64, code, input, []).state.xmm;
  const [executed] = wasm.execute(code, input, []).state.xmm;
  assert.is(executed, evaluated, `Wasm: ${hex}`);
  return evaluated ?? 0n;
}

const aesenc = '66 0f 38 dc c1';
const aesenclast = '66 0f 38 dd c1';
const aesdec = '66 0f 38 de c1';
const aesdeclast = '66 0f 38 df c1';
const aesimc = '66 0f 38 db c1';
const aeskeygenassist = '66 0f 3a df c1';

test('rounds of the cipher example: AESENC and AESENCLAST', () => {
  const first = run(
    aesenc,
    state('193de3bea0f4e22b9ac68d2ae9f84808'),
    state('a0fafe1788542cb123a339392a6c7605'),
  );
  assert.is(text(first), 'a49c7ff2689f352b6b5bea43026a5049');

  const last = run(
    aesenclast,
    state('eb40f21e592e38848ba113e71bc342d2'),
    state('d014f9a8c9ee2589e13f0cc8b6630ca6'),
  );
  assert.is(text(last), '3925841d02dc09fbdc118597196a0b32');
});

test('AESDEC and AESDECLAST undo them', () => {
  const key = state('a0fafe1788542cb123a339392a6c7605');
  const plain = state('193de3bea0f4e22b9ac68d2ae9f84808');
  // The equivalent inverse cipher (FIPS 197, 5.3.5): a round key passes through AESIMC.
  const encrypted = run(aesenclast, plain, key) ^ key;
  assert.is(run(aesdeclast, encrypted, 0n), plain);

  const mixed = run(aesenc, plain, 0n);
  const unmixed = run(aesimc, 0n, mixed);
  assert.is(run(aesdeclast, unmixed, 0n), plain);
  assert.is(run(aesdec, run(aesenclast, plain, 0n), 0n), run(aesimc, 0n, plain));
});

test('AESKEYGENASSIST begins the expansion of a key (FIPS 197, appendix A.1)', () => {
  const key = state('2b7e151628aed2a6abf7158809cf4f3c');

  // The last doubleword: 8a84eb01, with the round constant 1 8b84eb01.
  const words = text(run(`${aeskeygenassist} 01`, 0n, key));

  assert.is(words.slice(24), '8b84eb01');
});

test('PCLMULQDQ multiplies the chosen halves without carries', () => {
  const ones = (1n << 128n) - 1n;
  const product = (a: bigint, b: bigint): bigint => {
    let sum = 0n;
    for (let i = 0n; i < 64n; i++) if ((b >> i) & 1n) sum ^= a << i;
    return sum;
  };
  const [x, y] = [
    0x8b84_eb01_1234_5678_9abc_def0_0fed_cba9n,
    0xffff_ffff_8000_0001_0123_4567_89ab_cdefn,
  ];
  const half = (value: bigint, which: number): bigint =>
    BigInt.asUintN(64, value >> BigInt(which * 64));

  for (const choice of [0x00, 0x01, 0x10, 0x11])
    for (const [a, b] of [
      [x, y],
      [ones, ones],
      [y, x],
      [1n, ones],
    ] as const) {
      const hex = `66 0f 3a 44 c1 ${choice.toString(16).padStart(2, '0')}`;
      assert.is(run(hex, a, b), product(half(a, choice & 1), half(b, choice >> 4)), hex);
    }
});

test.run();

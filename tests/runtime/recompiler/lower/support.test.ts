/** Wide products and quotients as recompiled code computes them, against BigInt. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RCX, RDI, RSI } from '../../../../runtime/x86/registers.ts';
import { guestOf } from '../../../support/lockstep-guest.ts';
import { random } from '../../../support/random.ts';

const test = suite('runtime/recompiler/lower/support');

const operands = 0x10_0000n;
const results = 0x80_0000n;
const unsigned = (x: bigint): bigint => BigInt.asUintN(64, x);
const signed = (x: bigint): bigint => BigInt.asIntN(64, x);

const edges = [
  ...[0n, 1n, 2n, 3n, 0x7fff_ffffn, 0x8000_0000n, 0xffff_ffffn, 0x1_0000_0000n, 0x1_0000_0001n],
  ...[0x7fff_ffff_ffff_ffffn, 0x8000_0000_0000_0000n, 0x8000_0000_0000_0001n],
  ...[
    0xffff_fffe_ffff_ffffn,
    0xffff_ffff_0000_0000n,
    0xffff_ffff_ffff_fffen,
    0xffff_ffff_ffff_ffffn,
  ],
];

type Triple = readonly [high: bigint, low: bigint, divisor: bigint];

function triples(): Triple[] {
  const all = edges.flatMap((high) =>
    edges.flatMap((low) => edges.map((divisor): Triple => [high, low, divisor])),
  );
  const source = random(3);
  for (let i = 0; i < 3000; i++) {
    const some = (): bigint =>
      unsigned(source.bigint64()) >> BigInt(source.below(3) * source.below(32));
    all.push([some(), some(), some()]);
  }
  return all;
}

/** Runs `instructions` on rdx:rax and rbx for every triple; rax and rdx of each. */
async function compute(
  instructions: string,
  cases: readonly Triple[],
): Promise<(readonly [bigint, bigint])[]> {
  const guest = await guestOf(
    64,
    `start: mov rdx, [rsi]
            mov rax, [rsi + 8]
            mov rbx, [rsi + 16]
            ${instructions}
            mov [rdi], rax
            mov [rdi + 8], rdx
            add rsi, 24
            add rdi, 16
            dec rcx
            jnz start
            int3`,
  );
  const bytes = new Uint8Array(cases.length * 24);
  const view = new DataView(bytes.buffer);
  cases.flat().forEach((value, i) => {
    view.setBigUint64(i * 8, value, true);
  });
  guest.write(operands, bytes);
  guest.cpu.setRegister(RSI, operands);
  guest.cpu.setRegister(RDI, results);
  guest.cpu.setRegister(RCX, BigInt(cases.length));
  const leave = await guest.run();
  assert.is(leave.reason === 'exception' && leave.vector, 3, 'an exception, or polls');
  const found = new DataView(guest.read(results, cases.length * 16).buffer);
  return cases.map((_, i) => [
    found.getBigUint64(i * 16, true),
    found.getBigUint64(i * 16 + 8, true),
  ]);
}

async function assertAll(
  instructions: string,
  cases: readonly Triple[],
  expected: (triple: Triple) => readonly [rax: bigint, rdx: bigint],
): Promise<void> {
  const found = await compute(instructions, cases);
  const wrong = cases.flatMap((triple, i) => {
    const [rax, rdx] = expected(triple);
    const [a, d] = found[i] ?? [];
    const text = triple.map((x) => x.toString(16)).join(' ');
    return a === rax && d === rdx ? [] : [`${text}: ${a?.toString(16)} ${d?.toString(16)}`];
  });
  assert.ok(cases.length > 1000);
  assert.equal(wrong.slice(0, 5), [], `${wrong.length} are wrong`);
}

test('a dividend of 128 bits by 64 unsigned gives quotient and remainder', async () => {
  const cases = triples().filter(([high, , divisor]) => high < divisor);

  await assertAll('div rbx', cases, ([high, low, divisor]) => {
    const dividend = (high << 64n) | low;
    return [dividend / divisor, dividend % divisor];
  });
});

test('a dividend of 128 bits by 64 signed gives quotient and remainder of the right signs', async () => {
  const dividendOf = ([high, low]: Triple): bigint => (signed(high) << 64n) | low;
  const cases = triples().filter((triple) => {
    const divisor = signed(triple[2]);
    if (divisor === 0n) return false;
    const quotient = dividendOf(triple) / divisor;
    return signed(quotient) === quotient;
  });

  await assertAll('idiv rbx', cases, (triple) => {
    const dividend = dividendOf(triple);
    const divisor = signed(triple[2]);
    return [unsigned(dividend / divisor), unsigned(dividend % divisor)];
  });
});

test('products have the right upper half, unsigned and signed', async () => {
  const cases = triples();

  await assertAll('mul rbx', cases, ([, low, y]) => {
    const product = low * y;
    return [unsigned(product), product >> 64n];
  });
  await assertAll('imul rbx', cases, ([, low, y]) => {
    const product = signed(low) * signed(y);
    return [unsigned(product), unsigned(product >> 64n)];
  });
});

test('bytes are swapped', async () => {
  await assertAll('bswap rax\nbswap edx', triples(), ([high, low]) => {
    const swap = (x: bigint, bytes: number): bigint =>
      Array.from({ length: bytes }, (_, i) => (x >> BigInt(8 * i)) & 0xffn).reduce(
        (all, byte) => (all << 8n) | byte,
        0n,
      );
    return [swap(low, 8), swap(high, 4)];
  });
});

test.run();

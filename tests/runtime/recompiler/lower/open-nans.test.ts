/** NaNs in chains of scalar arithmetic: the bits that SSE says, wherever somebody looks (SDM vol. 1, 4.8.3.5). */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RAX, RCX, XMM0 } from '../../../../runtime/x86/registers.ts';
import { dataStart, guestOf } from '../../../support/lockstep-guest.ts';

const test = suite('runtime/recompiler/lower/open-nans');

const numbers = {
  one: 0x3ff0_0000_0000_0000n,
  infinity: 0x7ff0_0000_0000_0000n,
  signaling: 0x7ff0_0000_0000_0123n,
  quiet: 0xfff8_0000_0000_0456n,
} as const;
const quieted = 0x7ff8_0000_0000_0123n;
/** The QNaN floating-point indefinite. */
const indefinite = 0xfff8_0000_0000_0000n;
const two = 0x4000_0000_0000_0000n;

const names = Object.keys(numbers) as (keyof typeof numbers)[];
const result = dataStart + 0x100n;

/** xmm0 to xmm3 have the numbers; what the code leaves in them, and at `result`. */
async function run(
  mode: 64 | 32,
  tier: 'fast' | 'resumable',
  source: string,
): Promise<{ low: bigint[]; stored: bigint[]; rcx: bigint; rax: bigint }> {
  const loads = names.map((_, i) => `movsd xmm${i}, [rbx + ${8 * i}]`).join('\n');
  const guest = await guestOf(
    mode,
    `start: mov rbx, ${dataStart}\n${loads}\nmov rdi, ${result}\njmp 1f\n1: ${source}\nint3`,
    { tier },
  );
  for (const [i, name] of names.entries())
    guest.write(dataStart + BigInt(8 * i), bytesOf(numbers[name]));
  const leave = await guest.run();
  assert.is(leave.reason, 'exception');
  return {
    low: [0, 1, 2, 3].map((i) => BigInt.asUintN(64, guest.cpu.register(XMM0 + i))),
    stored: [0, 1, 2, 3].map((i) => guest.number(result + BigInt(8 * i), 8)),
    rcx: guest.cpu.register(RCX),
    rax: guest.cpu.register(RAX),
  };
}

const bytesOf = (value: bigint): Uint8Array =>
  Uint8Array.from({ length: 8 }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));

for (const mode of [64, 32] as const)
  for (const tier of ['fast', 'resumable'] as const) {
    const title = `${mode}, ${tier}`;

    test(`${title}: the first operand's NaN comes through a chain, quieted`, async () => {
      // signaling + one, times quiet, less infinity, and its root.
      const source = `addsd xmm2, xmm0
        mulsd xmm2, xmm3
        subsd xmm2, xmm1
        sqrtsd xmm2, xmm2
        movsd [rdi], xmm2`;

      const { stored, low } = await run(mode, tier, source);

      assert.equal([stored[0], low[2]], [quieted, quieted]);
    });

    test(`${title}: of two NaNs the destination's is taken, in the order of the instruction`, async () => {
      const source = `movapd xmm4, xmm3
        mulsd xmm4, xmm2
        addsd xmm4, xmm0
        movsd [rdi], xmm4
        movapd xmm5, xmm2
        mulsd xmm5, xmm3
        addsd xmm5, xmm0
        movsd [rdi + 8], xmm5`;

      const { stored } = await run(mode, tier, source);

      assert.equal(stored.slice(0, 2), [numbers.quiet, quieted]);
    });

    test(`${title}: what makes a NaN of numbers makes the indefinite, and a chain keeps it`, async () => {
      const source = `movapd xmm4, xmm1
        subsd xmm4, xmm1
        addsd xmm4, xmm0
        divsd xmm4, xmm0
        movsd [rdi], xmm4`;

      const { stored } = await run(mode, tier, source);

      assert.is(stored[0], indefinite);
    });

    test(`${title}: an exit in a chain shows what has been computed`, async () => {
      const source = `mulsd xmm2, xmm3
        addsd xmm0, xmm0
        mov rsi, 0
        mov rax, [rsi]
        mulsd xmm2, xmm0`;

      const { low } = await run(mode, tier, source);

      assert.equal([low[0], low[2]], [two, quieted]);
    });

    test(`${title}: numbers are seen beside NaNs, in comparisons, integers and copies`, async () => {
      const source = `movapd xmm4, xmm2
        addsd xmm4, xmm0
        movapd xmm5, xmm4
        addsd xmm0, xmm0
        mulsd xmm4, xmm3
        movq [rdi], xmm5
        cvttsd2si ecx, xmm0
        xor eax, eax
        ucomisd xmm4, xmm4
        setp al
        movsd [rdi + 8], xmm4`;

      const { stored, rcx, rax } = await run(mode, tier, source);

      assert.equal(stored.slice(0, 2), [quieted, quieted]);
      assert.equal([rcx, rax], [2n, 1n]);
    });

    test(`${title}: a chain that is longer than what is kept open`, async () => {
      const steps = Array.from({ length: 40 }, () => 'addsd xmm3, xmm0').join('\n');

      const { low } = await run(mode, tier, `addsd xmm2, xmm3\n${steps}\naddsd xmm3, xmm2`);

      assert.equal([low[2], low[3]], [quieted, numbers.quiet]);
    });
  }

test.run();

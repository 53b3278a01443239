/** bzip2, as Debian has it: it writes what it writes natively, and reads what it wrote. */
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fetchDebianSource } from '../../toolchain/index.ts';
import { isFull, type Program, tiers, Workbench } from '../support/program.ts';
import { random } from '../support/random.ts';

const bzip2 = suite<{ bench: Workbench; tree: string }>('guests/bzip2');

bzip2.before(async (context) => {
  context.bench = new Workbench();
  context.tree = await fetchDebianSource('bzip2');
});
bzip2.after(({ bench }) => bench.remove());

const names = 'bzip2 bzlib blocksort compress crctable decompress huffman randtable'.split(' ');

const program = (tree: string): Program => ({
  files: names.map((name) => join(tree, `${name}.c`)),
  options: ['-O2'],
});

const size = isFull ? 2_000_000 : 300_000;

/** Words in which some come often, a run of zeros, a pattern that makes sorting slow, and noise. */
function sample(): Buffer {
  const numbers = random(7);
  const words = Array.from({ length: 400 }, () =>
    Buffer.from(numbers.bytes(1 + numbers.below(9)).map((byte) => 97 + (byte % 26))),
  );
  const text: Buffer[] = [];
  for (let length = 0; length < size; ) {
    const word = words[numbers.below(1 + numbers.below(words.length))] ?? Buffer.from('');
    text.push(word, Buffer.from(numbers.below(12) === 0 ? '\n' : ' '));
    length += word.length + 1;
  }
  const pattern = Buffer.from('ab'.repeat(size / 20));
  return Buffer.concat([...text, Buffer.alloc(size / 10), pattern, numbers.bytes(size / 10)]);
}

const ways = ['-1', '-9'].flatMap((level) => tiers.map((tier) => ({ level, tier })));

for (const width of [64, 32] as const) {
  for (const { level, tier } of ways)
    bzip2(`x86-${width}, ${tier}: ${level} and back is what it was`, async ({ bench, tree }) => {
      const plain = sample();
      const input = { arguments: [level], input: plain };

      const guest = await bench.runGuest(program(tree), width, { ...input, tier });
      const native = await bench.runNative(program(tree), width, input);
      const packed = { arguments: ['-d'], input: guest.output, tier };
      const back = await bench.runGuest(program(tree), width, packed);

      assert.equal([guest.status, native.status, back.status], [0, 0, 0]);
      assert.ok(guest.output.equals(native.output), 'the compressed bytes differ');
      assert.ok(guest.output.length < plain.length / 2);
      assert.ok(back.output.equals(plain), 'what comes back differs');
    });

  bzip2(`x86-${width}: damaged input is refused as natively`, async ({ bench, tree }) => {
    const packed = await bench.runNative(program(tree), width, { input: sample() });
    const damaged = Buffer.from(packed.output);
    damaged.fill(0x55, 40_000, 40_040);
    const input = { arguments: ['-t'], input: damaged };

    const guest = await bench.runGuest(program(tree), width, input);
    const native = await bench.runNative(program(tree), width, input);

    assert.is(guest.status, native.status);
    assert.is(guest.status, 2);
    assert.match(guest.output.toString(), 'data integrity (CRC) error in data');
  });
}

bzip2.run();

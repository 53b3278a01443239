/** zlib, as Debian has it: its own example test, and minigzip against the same program built natively and gzip itself. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fetchDebianSource } from '../../toolchain/index.ts';
import { type Program, tiers, Workbench } from '../support/program.ts';
import { random } from '../support/random.ts';

const zlib = suite<{ bench: Workbench; tree: string }>('guests/zlib');

zlib.before(async (context) => {
  context.bench = new Workbench();
  context.tree = await fetchDebianSource('zlib');
});
zlib.after(({ bench }) => bench.remove());

/** A program of zlib's test directory with the library. */
function program(tree: string, name: string): Program {
  const library = readdirSync(tree).filter((file) => file.endsWith('.c'));
  return {
    files: [join('test', name), ...library].map((file) => join(tree, file)),
    options: ['-O2', '-I', tree, '-DHAVE_UNISTD_H', '-DHAVE_STDARG_H'],
  };
}

/** Some hundred kilobytes of which parts repeat and parts cannot be compressed. */
function sample(tree: string): Buffer {
  const texts = ['deflate.c', 'ChangeLog', 'zlib.h'].map((file) => readFileSync(join(tree, file)));
  return Buffer.concat([...texts, random(1).bytes(100_000), ...texts]);
}

const gzip = (words: readonly string[], input: Buffer): Buffer =>
  execFileSync('gzip', words, { input, maxBuffer: 2 ** 24, timeout: 60_000 });

const ways = ['-1', '-6', '-9'].flatMap((level) => tiers.map((tier) => ({ level, tier })));

for (const width of [64, 32] as const) {
  for (const tier of tiers)
    zlib(`x86-${width}, ${tier}: the example test says what it says natively`, async (context) => {
      const { bench, tree } = context;
      const example = program(tree, 'example.c');

      const guest = await bench.runGuest(example, width, { tier });
      const native = await bench.runNative(example, width);

      assert.is(guest.output.toString(), native.output.toString());
      assert.match(guest.output.toString(), 'large_inflate(): OK');
      assert.equal([guest.status, native.status], [0, 0]);
    });

  for (const { level, tier } of ways)
    zlib(
      `x86-${width}, ${tier}: minigzip ${level} writes what it writes natively`,
      async (context) => {
        const { bench, tree } = context;
        const input = { arguments: [level], input: sample(tree) };

        const guest = await bench.runGuest(program(tree, 'minigzip.c'), width, { ...input, tier });
        const native = await bench.runNative(program(tree, 'minigzip.c'), width, input);

        assert.is(guest.status, 0);
        assert.ok(guest.output.equals(native.output), 'the compressed bytes differ');
        assert.ok(gzip(['-dc'], guest.output).equals(input.input), 'gzip reads something else');
      },
    );

  zlib(`x86-${width}: minigzip reads what gzip wrote`, async ({ bench, tree }) => {
    const plain = sample(tree);
    const input = { arguments: ['-d'], input: gzip(['-c'], plain), tier: 'adaptive' as const };

    const guest = await bench.runGuest(program(tree, 'minigzip.c'), width, input);

    assert.is(guest.status, 0);
    assert.ok(guest.output.equals(plain));
  });

  zlib(`x86-${width}: minigzip refuses damaged input as natively`, async ({ bench, tree }) => {
    const packed = gzip(['-c'], sample(tree));
    packed.fill(0, 5000, 5100);
    const input = { arguments: ['-d'], input: packed };

    const guest = await bench.runGuest(program(tree, 'minigzip.c'), width, input);
    const native = await bench.runNative(program(tree, 'minigzip.c'), width, input);

    assert.is(guest.status, native.status);
    assert.is(guest.status, 1);
  });
}

zlib.run();

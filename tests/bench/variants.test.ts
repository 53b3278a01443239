import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { widths } from '../../toolchain/index.ts';
import { programs } from './programs.ts';
import { buildVariants, readSample, runVariant } from './variants.ts';

const variants = suite('bench/variants');

variants('a sample is a checksum and nanoseconds, and nothing else', () => {
  const good = 'checksum 0123456789abcdef\nfirst 5\nnanoseconds 12\n';

  assert.equal(readSample(good), { checksum: '0123456789abcdef', first: 5, nanoseconds: 12 });
  const wrong = [good.slice(1), `${good}x`, good.replace('12', '-1'), good.slice(0, -1)];
  for (const bad of ['', good.replace('first 5\n', ''), ...wrong])
    assert.ok('failure' in readSample(bad), bad);
});

/** A cold start of each takes seconds. */
const isFull = process.env['STUBDOM_TEST_TIER'] === 'full';
const rounds = 7;

for (const program of isFull ? programs : [])
  for (const width of [64, 32] as const)
    variants(
      `${program.name} computes natively what it computes on ${widths[width].name}`,
      async () => {
        const directory = mkdtempSync(join(tmpdir(), 'stubdom-bench-'));
        try {
          const [native, stubdom] = await buildVariants({ ...program, rounds }, width, directory);
          if (native === undefined || stubdom === undefined) throw new Error('no variants');

          const expected = await runVariant(native, directory);
          const found = await runVariant(stubdom, directory);

          assert.ok('checksum' in expected, JSON.stringify(expected));
          assert.ok('checksum' in found, JSON.stringify(found));
          assert.is(found.checksum, expected.checksum);
        } finally {
          rmSync(directory, { recursive: true, force: true });
        }
      },
    );

variants.run();

/** Translations that are kept: used again, and only where they fit. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type BootOptions, boot } from '../../../../runtime/index.ts';
import { buildGuest } from '../../../support/guest.ts';
import { MapCache } from '../../../support/map-cache.ts';

const cache = suite('runtime/recompiler/store/cache');

const printing = (text: string): string => `int main(void) { print("${text}"); return 0; }`;

async function output(image: Uint8Array, kept: MapCache, more: BootOptions = {}): Promise<string> {
  const domain = await boot(image, { cache: kept, budget: 1_000_000, ...more });
  const { report } = await domain.exited;
  assert.is(report, undefined);
  return domain.console.text;
}

for (const width of [64, 32] as const) {
  cache(
    `x86-${width}: the second run of an image translates nothing and prints the same`,
    async () => {
      const kept = new MapCache();
      const image = buildGuest(printing('same'), width);

      assert.is(await output(image, kept), 'same');
      // Once, at the end.
      assert.equal([kept.entries.size, kept.hits, kept.puts], [1, 0, 1]);
      assert.is(await output(image, kept, { arguments: ['other', 'arguments'] }), 'same');
      assert.equal([kept.entries.size, kept.hits, kept.puts], [1, 1, 1]);
    },
  );
}

cache('an image that differs in one constant has an entry of its own', async () => {
  const kept = new MapCache();

  await output(buildGuest(printing('one'), 64), kept);
  assert.is(await output(buildGuest(printing('two'), 64), kept), 'two');

  assert.equal([kept.entries.size, kept.hits], [2, 0]);
});

cache(
  'another size of memory moves things, and does not run what was made for the first',
  async () => {
    const kept = new MapCache();
    const image = buildGuest(printing('x'), 64);

    for (const memory of [2 ** 20, 2 ** 22, 2 ** 25, 2 ** 26])
      assert.is(await output(image, kept, { memory }), 'x');
  },
);

cache('an entry that cannot be read is made anew', async () => {
  const kept = new MapCache();
  const image = buildGuest(printing('x'), 64);
  await output(image, kept);
  const [key = ''] = kept.entries.keys();

  for (const bad of [new Uint8Array(), new Uint8Array(100), new Uint8Array(100).fill(255)]) {
    kept.entries.set(key, bad);
    assert.is(await output(image, kept), 'x');
  }

  assert.is(kept.puts, 4);
});

cache.run();

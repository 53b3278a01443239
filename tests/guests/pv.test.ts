/**
 * Small PV guests that ask every hypercall of what is here, well and badly, and print what comes of it: the same as on Xen 4.17.
 * `npm run golden pv` records again.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { boot, type ModuleCache } from '../../runtime/index.ts';
import type { Width } from '../../runtime/memory/layout.ts';
import { decode } from '../../runtime/recompiler/store/kept-translation.ts';
import { pvTranscripts } from '../golden/record/pv.ts';
import { buildPvGuest, pvGuests } from '../support/pv-guest.ts';

const pv = suite('guests/pv');

/** How each ends: what it says first by SCHEDOP_shutdown_code counts. */
const statuses: Readonly<Record<string, number>> = { vcpu: 1 };

/**
 * What was recorded in 32 bits is of a Xen of Debian's source package, 4.17.5, that runs such guests without a shim; in 64 bits of its
 * binary package, 4.17.7, which looks at the buffers of dm_op first.
 */
const otherwise: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  'version-32': [['written, then 55: .5', 'written, then 55: .7']],
  'refused-32': [['dm_op: -22 -7 -3 -7', 'dm_op: -61 -7 -61 -7']],
};

const expected = (name: string, width: Width): string =>
  (otherwise[`${name}-${width}`] ?? []).reduce(
    (text, [from, to]) => text.replace(from, to),
    readFileSync(join(pvTranscripts, `${name}-${width}.txt`), 'utf8'),
  );

for (const width of [64, 32] as const)
  for (const name of pvGuests)
    pv(`${width}: ${name} is answered as by Xen`, async () => {
      const image = await buildPvGuest(name, width);

      const domain = await boot(image, { name, memory: 64 * 2 ** 20, budget: 2 ** 30 });
      const ending = await domain.exited;

      const text = domain.console.text.replaceAll('\r\n', '\n');
      assert.is(text, expected(name, width), ending.report);
      assert.is(ending.status, statuses[name] ?? 0, ending.report);
    });

pv('a guest that is booted again runs what was kept of it, and says the same', async () => {
  const image = await buildPvGuest('version', 64);
  const kept = new Map<string, Uint8Array>();
  const cache: ModuleCache = {
    get: async (key) => kept.get(key),
    put: async (key, bytes) => void kept.set(key, bytes),
  };
  const texts: string[] = [];
  const functions: number[] = [];
  for (let run = 0; run < 2; run++) {
    const domain = await boot(image, { name: 'version', cache, budget: 2 ** 30 });
    await domain.exited;
    texts.push(domain.console.text);
    const modules = [...kept.values()].flatMap((bytes) => decode(bytes)?.modules ?? []);
    assert.ok(modules.every(({ madeFrom }) => madeFrom !== undefined));
    functions.push(modules.flatMap((module) => module.functions).length);
  }

  assert.is(texts[0], texts[1]);
  assert.is(kept.size, 1);
  assert.ok((functions[0] ?? 0) > 5, `${functions}`);
});

pv.run();

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
import { pvTranscripts, recordedIn32 } from '../golden/record/pv.ts';
import { buildPvGuest, pvGuests } from '../support/pv-guest.ts';

const pv = suite('guests/pv');

/** What a 32-bit guest prints otherwise, of those that real Xen runs only in a shim, which answers for itself. */
const otherwise: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  vcpu: [
    ['selector ffffffffffffffff', 'selector ffffffff'],
    ['= 4294967268', '= -28'],
  ],
  // A 32-bit kernel has a ring of its own, and no table of Xen's that could be hidden.
  'page-tables': [
    ['entry 3 105', 'entry 3 5'],
    ['CALL2(vm_assist, 0, 32) = 0', 'CALL2(vm_assist, 0, 32) = -22'],
    ['CALL2(vm_assist, 1, 32) = 0', 'CALL2(vm_assist, 1, 32) = -22'],
  ],
  // The shim does no stores in a guest's place, in either width; and an entry is changed by three stores here.
  'table-writes': [
    ["nobody's: #PF(3) at +0, slot +4, first 7", "nobody's: other 6"],
    ['the user bit: second 7', 'the user bit: second 3'],
    ['no cache: #PF(3) at +0, slot +0, first 7', 'no cache: #PF(3) at +14, slot +0, none 0'],
    ['page: #PF(3) at +0, slot +0, first 7', 'page: #PF(3) at +14, slot +0, none 0'],
    [
      'itself to write: #PF(3) at +0, slot +0, first 7',
      'itself to write: #PF(3) at +14, slot +0, none 0',
    ],
    [
      "a frame that is nobody's: #PF(3) at +0, slot +0, first 7",
      "a frame that is nobody's: #PF(3) at +14, slot +0, other 0",
    ],
    ['table: #PF(3) at +3, slot +0, none 0', 'table: #PF(3) at +2, slot +0, other 7'],
  ],
  memory: [['from ffff800000000000 to ffff804000000000', 'from f5800000 to ffe00000']],
};

/** How each ends: what it says first by SCHEDOP_shutdown_code counts. */
const statuses: Readonly<Record<string, number>> = { vcpu: 1 };

function expected(name: string, width: Width): string {
  const recorded = width === 64 || recordedIn32.has(name);
  const text = readFileSync(join(pvTranscripts, `${name}-${recorded ? width : 64}.txt`), 'utf8');
  if (recorded) return text;
  const lines = text.split('\n').filter((line) => !/bad pointer|^64: /.test(line));
  return (otherwise[name] ?? []).reduce(
    (all, [from, to]) => all.replace(from, to),
    lines.join('\n'),
  );
}

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

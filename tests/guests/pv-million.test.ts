/** A guest as Mini-OS is built takes a million upcalls and a million write faults, each once; some thousands in the short tier. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { boot } from '../../runtime/index.ts';
import { isFull } from '../support/program.ts';
import { buildPvGuest } from '../support/pv-guest.ts';

const test = suite('guests/pv-million');

/** Of two upcalls and one and a half faults. */
const rounds = isFull ? 670_000 : 3000;

const clean = (count: number): readonly string[] => [
  `rounds ${count}, threads 1`,
  'upcalls for each event 1, ticks 1, strays 0, others 0',
  'faults 1, of another kind 0, elsewhere 0',
  'wrong 0',
];

for (const width of [64, 32] as const)
  test(`x86-${width}: ${rounds} rounds of upcalls and faults bring no stray one`, async () => {
    const image = await buildPvGuest('mini', width);

    const domain = await boot(image, { name: 'mini', commandLine: String(rounds) });
    const ending = await domain.exited;

    assert.is(ending.status, 0, ending.report);
    const lines = domain.console.text.replaceAll('\r', '').trimEnd().split('\n').slice(2);
    assert.equal(lines, clean(rounds));
  });

for (const width of [64, 32] as const)
  test(`x86-${width}: an upcall that meets another's return begins it again, and nothing is lost`, async () => {
    const image = await buildPvGuest('mini', width);

    const domain = await boot(image, { name: 'mini', commandLine: '3000 region' });
    const ending = await domain.exited;

    assert.is(ending.status, 0, ending.report);
    const lines = domain.console.text.replaceAll('\r', '').trimEnd().split('\n');
    assert.equal(lines.slice(2, -1), clean(3000));
    const [, again = 'none'] = /^begun again (\d+)$/.exec(lines.at(-1) ?? '') ?? [];
    assert.ok(Number(again) > 0, `begun again ${again}`);
  });

test.run();

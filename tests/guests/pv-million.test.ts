/** A guest as Mini-OS is built takes a million upcalls and a million write faults, each once; some thousands in the short tier. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MemoryDisk } from '../../runtime/backends/block/memory-disk.ts';
import { boot } from '../../runtime/index.ts';
import { LateDisk } from '../support/late-disk.ts';
import { isFull } from '../support/program.ts';
import { buildPvGuest } from '../support/pv-guest.ts';
import { random } from '../support/random.ts';

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

const front = ['../pv-mini/disk.c', '../pv-block/blkfront.c', '../pv-block/store.c'];

for (const width of [64, 32] as const)
  test(`x86-${width}: a thread beside them reads a disk, woken once for each block`, async () => {
    const image = await buildPvGuest('mini', width, front);
    const bytes = random(11).bytes(128 * 4096);
    const disk = new LateDisk(new MemoryDisk(bytes), 5);

    const domain = await boot(image, {
      ...{ name: 'mini', commandLine: '3000 region', disks: [{ vdev: 'xvda', disk }] },
    });
    const ending = await domain.exited;

    assert.is(ending.status, 0, ending.report);
    const lines = domain.console.text.replaceAll('\r', '').trimEnd().split('\n');
    const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
    const sum = words.reduce((all, word) => (Math.imul(all, 31) + word) >>> 0, 0);
    assert.equal(lines.slice(2, -1), [
      ...clean(3000),
      'blocks 128, events for each 1, none too early 1, failures 0',
      `sum ${sum.toString(16)}`,
    ]);
  });

test.run();

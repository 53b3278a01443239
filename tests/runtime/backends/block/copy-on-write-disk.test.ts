import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CopyOnWriteDisk } from '../../../../runtime/backends/block/copy-on-write-disk.ts';
import { MemoryDisk } from '../../../../runtime/backends/block/memory-disk.ts';
import { exerciseDisk } from '../../../support/disk-model.ts';
import { LateDisk } from '../../../support/late-disk.ts';
import { freshSeed, random } from '../../../support/random.ts';

const cow = suite('runtime/backends/block/copy-on-write-disk');

cow('what was written is read, and what is below stays as it was', async () => {
  const seed = freshSeed();
  const below = random(seed).bytes(1000 * 512);
  const before = below.slice();
  const disk = new CopyOnWriteDisk(new MemoryDisk(below, { isReadOnly: true }));

  await exerciseDisk(disk, below.slice(), seed, 500);

  assert.equal(below, before);
});

cow('over a disk that answers later, too', async () => {
  const seed = freshSeed();
  const below = random(seed).bytes(200 * 512);
  const disk = new CopyOnWriteDisk(new LateDisk(new MemoryDisk(below)));

  assert.not(disk.isImmediate);
  await exerciseDisk(disk, below.slice(), seed, 300);
});

cow('whole clusters that were written are given back by discarding', async () => {
  const below = new Uint8Array(128 * 512).fill(1);
  const disk = new CopyOnWriteDisk(new MemoryDisk(below));
  await disk.write(0, [new Uint8Array(128 * 512).fill(2)]);

  await disk.discard(31, 65);

  const found = new Uint8Array(128 * 512);
  await disk.read(0, [found]);
  assert.ok(found.subarray(0, 32 * 512).every((byte) => byte === 2));
  assert.ok(found.subarray(32 * 512, 96 * 512).every((byte) => byte === 0));
  assert.ok(found.subarray(96 * 512).every((byte) => byte === 2));
  await disk.write(40, [new Uint8Array(512).fill(3)]);
  await disk.read(39, [found.subarray(0, 1536)]);
  assert.equal([found[0], found[512], found[1024]], [0, 3, 0]);
});

cow('discarding all of a huge disk keeps nothing', async () => {
  const huge = new MemoryDisk(new Uint8Array(512));
  const disk = new CopyOnWriteDisk(Object.assign(Object.create(huge), { sectors: 2 ** 40 }));
  const before = process.memoryUsage().heapUsed;

  await disk.discard(0, 2 ** 40);

  assert.ok(process.memoryUsage().heapUsed - before < 2 ** 20);
});

cow.run();

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MemoryDisk } from '../../../../runtime/backends/block/memory-disk.ts';
import { assertRefused } from '../../../support/assert-refused.ts';
import { exerciseDisk } from '../../../support/disk-model.ts';
import { freshSeed, random } from '../../../support/random.ts';

const memory = suite('runtime/backends/block/memory-disk');

memory('what was written is read, in pieces of any length', async () => {
  const seed = freshSeed();
  const bytes = random(seed).bytes(300 * 512);
  const model = bytes.slice();

  await exerciseDisk(new MemoryDisk(bytes), model, seed, 500);

  assert.equal(bytes, model);
});

memory('what is discarded reads as zeros', async () => {
  const bytes = new Uint8Array(4 * 512).fill(7);

  await new MemoryDisk(bytes).discard(1, 2);

  assert.equal([bytes[511], bytes[512], bytes[3 * 512 - 1], bytes[3 * 512]], [7, 0, 0, 7]);
});

memory('half a sector is no disk', async () => {
  await assertRefused(
    () => new MemoryDisk(new Uint8Array(700)),
    'a disk of 700 bytes: not a multiple of 512',
  );
});

memory.run();

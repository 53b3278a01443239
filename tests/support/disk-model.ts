/** Random reads and writes of a disk beside an array that says what they must find. */
import * as assert from 'uvu/assert';
import { type Disk, sectorSize } from '../../runtime/backends/block/disk.ts';
import { type Random, random } from './random.ts';

/** What the disk holds must be `model`, and changes with it. */
export async function exerciseDisk(
  disk: Disk,
  model: Uint8Array,
  seed: number,
  steps: number,
): Promise<void> {
  const r = random(seed);
  for (let step = 0; step < steps; step++) {
    const sector = r.below(disk.sectors);
    const count = 1 + r.below(Math.min(disk.sectors - sector, 60));
    const at = sector * sectorSize;
    const bytes = r.bytes(count * sectorSize);
    if (r.below(2) === 0) {
      await disk.write(sector, cut(bytes, r));
      model.set(bytes, at);
    } else {
      await disk.read(sector, cut(bytes, r));
      const expected = model.subarray(at, at + bytes.length);
      assert.ok(
        Buffer.from(bytes).equals(expected),
        `seed ${seed}, step ${step}: sector ${sector}`,
      );
    }
  }
}

/** Pieces of any length, so that sectors lie across them. */
function cut(bytes: Uint8Array, r: Random): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = 1 + r.below(3 * sectorSize);
    pieces.push(bytes.subarray(at, at + length));
    at += length;
  }
  return pieces;
}

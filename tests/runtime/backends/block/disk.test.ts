import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CopyOnWriteDisk } from '../../../../runtime/backends/block/copy-on-write-disk.ts';
import type { Disk } from '../../../../runtime/backends/block/disk.ts';
import { MemoryDisk } from '../../../../runtime/backends/block/memory-disk.ts';
import { XenError } from '../../../../runtime/errors.ts';

const disks = suite('runtime/backends/block/disk');

const bytes = (count: number): Uint8Array[] => [new Uint8Array(count)];

const errnoOf = (attempt: () => unknown): string => {
  try {
    attempt();
  } catch (error) {
    if (error instanceof XenError) return error.errno;
    throw error;
  }
  return 'none';
};

const kinds: readonly (readonly [string, (isReadOnly: boolean) => Disk])[] = [
  ['in memory', (isReadOnly) => new MemoryDisk(new Uint8Array(8 * 512), { isReadOnly })],
  ['copy-on-write', () => new CopyOnWriteDisk(new MemoryDisk(new Uint8Array(8 * 512)))],
];

for (const [kind, make] of kinds)
  disks(`${kind}: nothing beyond the end, and nothing but sectors`, () => {
    const disk = make(false);
    const wrong: readonly (readonly [sector: number, bytes: number])[] = [
      [8, 512],
      [7, 1024],
      [0, 9 * 512],
      [-1, 512],
      [0.5, 512],
      [2 ** 60, 512],
      [Number.NaN, 512],
      [0, 511],
      [0, 513],
    ];
    for (const [sector, count] of wrong) {
      assert.is(
        errnoOf(() => disk.read(sector, bytes(count))),
        'EINVAL',
      );
      assert.is(
        errnoOf(() => disk.write(sector, bytes(count))),
        'EINVAL',
      );
    }
    for (const [sector, count] of [
      [8, 1],
      [0, 9],
      [-1, 1],
      [0, -1],
      [0, 2 ** 60],
    ] as const)
      assert.is(
        errnoOf(() => disk.discard(sector, count)),
        'EINVAL',
      );

    assert.is(
      errnoOf(() => disk.read(8, [])),
      'none',
    );
    assert.is(
      errnoOf(() => disk.write(7, [new Uint8Array(500), new Uint8Array(12)])),
      'none',
    );
  });

disks('a read-only disk is only read', () => {
  const disk = new MemoryDisk(new Uint8Array(512), { isReadOnly: true });

  assert.is(
    errnoOf(() => disk.write(0, bytes(512))),
    'EROFS',
  );
  assert.is(
    errnoOf(() => disk.discard(0, 1)),
    'EROFS',
  );
  assert.is(
    errnoOf(() => disk.read(0, bytes(512))),
    'none',
  );
  assert.is(
    errnoOf(() => disk.flush()),
    'none',
  );
});

disks.run();

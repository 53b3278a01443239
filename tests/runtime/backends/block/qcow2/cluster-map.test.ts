import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ClusterMap } from '../../../../../runtime/backends/block/qcow2/cluster-map.ts';
import { parseHeader } from '../../../../../runtime/backends/block/qcow2/header.ts';
import { XenError } from '../../../../../runtime/errors.ts';
import { qcow2Bytes } from '../../../../support/qcow2-header.ts';
import { VolatileImageFile } from '../../../../support/volatile-image-file.ts';

const maps = suite('runtime/backends/block/qcow2/cluster-map');

/** Level 1 at 1024; a table of level 2 at 1536, with these entries. */
function map(entries: readonly bigint[]): ClusterMap {
  const bytes = qcow2Bytes(1 << 20);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(1024, (1n << 63n) | 1536n);
  for (const [n, entry] of entries.entries()) view.setBigUint64(1536 + 8 * n, entry);
  return new ClusterMap(new VolatileImageFile(bytes), parseHeader(bytes, 'x'));
}

maps('an entry is nothing, zeros, data or compressed', () => {
  const own = 1n << 63n;
  // With clusters of 512 bytes: 61 bits of offset, and one that says whether a second sector is needed.
  const compressed = (1n << 62n) | (1n << 61n) | 0x1234n;
  const places = map([0n, 1n, 0x801n, own | 0x800n, 0x800n, compressed]);

  assert.equal(
    [0, 1, 2, 3, 4, 5, 100].map((cluster) => places.find(cluster)),
    [
      { kind: 'none' },
      { kind: 'zeros', position: undefined },
      { kind: 'zeros', position: 0x800 },
      { kind: 'data', position: 0x800, isOwn: true },
      { kind: 'data', position: 0x800, isOwn: false },
      { kind: 'compressed', position: 0x1234, bytes: 1024 - 0x34 },
      { kind: 'none' },
    ],
  );
});

maps('changes are handed out once, those of a new table with its own entry', () => {
  const places = map([]);
  places.set(0, 0x800, () => 0);
  places.set(64, 'zeros', () => 0x1_0000);

  const own = 1n << 63n;
  const { l1, l2 } = places.take();
  assert.equal(
    [...l2],
    [
      [1536, own | 0x800n],
      [0x1_0000, 1n],
    ],
  );
  assert.equal([...l1], [[1032, own | 0x1_0000n]]);
  assert.is(places.take().l2.size, 0);
  assert.equal(places.find(64), { kind: 'zeros', position: undefined });
});

maps('an entry that is no cluster is an error of the disk', () => {
  const bytes = qcow2Bytes(1 << 20);
  new DataView(bytes.buffer).setBigUint64(1024, 0x601n << 9n);
  const file = new VolatileImageFile(bytes);
  new DataView(bytes.buffer).setUint32(20, 12);
  new DataView(bytes.buffer).setBigUint64(40, 4096n);
  new DataView(bytes.buffer).setBigUint64(48, 4096n);
  const header = { ...parseHeader(bytes, 'x'), l1: { offset: 1024, entries: 1 } };

  assert.throws(
    () => new ClusterMap(file, header).find(0),
    (error: unknown) => error instanceof XenError && error.errno === 'EIO',
  );
});

maps.run();

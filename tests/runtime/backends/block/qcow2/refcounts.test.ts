import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseHeader } from '../../../../../runtime/backends/block/qcow2/header.ts';
import { Refcounts } from '../../../../../runtime/backends/block/qcow2/refcounts.ts';
import { XenError } from '../../../../../runtime/errors.ts';
import { qcow2Bytes } from '../../../../support/qcow2-header.ts';
import { VolatileImageFile } from '../../../../support/volatile-image-file.ts';

const counts = suite('runtime/backends/block/qcow2/refcounts');

function scene(entries: readonly bigint[] = []) {
  const bytes = qcow2Bytes(1 << 20);
  const view = new DataView(bytes.buffer);
  for (const [n, entry] of entries.entries()) view.setBigUint64(512 + 8 * n, entry);
  const file = new VolatileImageFile(bytes);
  const at = (position: number): number => {
    const found = new Uint8Array(2);
    file.read(position, [found]);
    return new DataView(found.buffer).getUint16(0);
  };
  return { counts: new Refcounts(file, parseHeader(bytes, 'x')), at };
}

counts(
  'a cluster is taken behind the file’s end, counted, and free again when it is let go',
  () => {
    const { counts: own, at } = scene([1536n]);

    const first = own.allocate();
    assert.is(first, 8 * 512);
    assert.is(at(1536 + 2 * 8), 1);
    assert.is(own.allocate(), 9 * 512);
    own.release(first);
    assert.is(at(1536 + 2 * 8), 0);
    assert.is(own.allocate(), first);
  },
);

counts('a block that is not there is made, counts itself, and is named later', () => {
  const { counts: own, at } = scene();

  const first = own.allocate();
  const [[[position, bytes] = [0, new Uint8Array(8)]] = []] = own.takeStages();
  const block = Number(new DataView(bytes.buffer).getBigUint64(0));
  assert.equal([first, position, block], [8 * 512, 512, 9 * 512]);
  assert.equal([at(block + 2 * 8), at(block + 2 * 9)], [1, 1]);
  assert.is(own.takeStages().length, 0);
});

counts('counts that cannot be are errors of the disk', () => {
  const { counts: own } = scene([1536n]);
  const errno = (expected: string) => (error: unknown) =>
    error instanceof XenError && error.errno === expected;

  assert.throws(() => own.release(20 * 512), errno('EIO'));
  assert.throws(() => own.release(64 * 256 * 512), errno('EIO'));
});

counts.run();

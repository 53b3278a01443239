import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isQcow2, parseHeader } from '../../../../../runtime/backends/block/qcow2/header.ts';
import { assertRefused } from '../../../../support/assert-refused.ts';
import { qcow2Bytes } from '../../../../support/qcow2-header.ts';
import { freshSeed, random } from '../../../../support/random.ts';

const headers = suite('runtime/backends/block/qcow2/header');

headers('a header says where its tables are', () => {
  const bytes = qcow2Bytes(1 << 20);

  assert.ok(isQcow2(bytes));
  assert.equal(parseHeader(bytes, 'x'), {
    ...{ version: 3, clusterBits: 9, size: 1 << 20, snapshots: 0, autoclear: 0n },
    ...{ l1: { offset: 1024, entries: 32 }, refcounts: { table: 512, clusters: 1, order: 4 } },
    ...{ isDirty: false, isCorrupt: false, backing: undefined },
  });
});

headers('a backing file is named with its format, where that is said', () => {
  const bytes = qcow2Bytes(1 << 20);
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode('base.img'), 200);
  view.setBigUint64(8, 200n);
  view.setUint32(16, 8);

  assert.equal(parseHeader(bytes, 'x').backing, { name: 'base.img', format: undefined });
  view.setUint32(104, 0xe279_2aca);
  view.setUint32(108, 3);
  bytes.set(new TextEncoder().encode('raw'), 112);
  assert.equal(parseHeader(bytes, 'x').backing, { name: 'base.img', format: 'raw' });
});

headers('what is cut off or lies nowhere is refused', async () => {
  const bytes = qcow2Bytes(1 << 20);
  await assertRefused(() => parseHeader(bytes.slice(0, 60), 'x'), 'disk x: no qcow2 image');
  await assertRefused(() => parseHeader(bytes.slice(0, 100), 'x'), /its header is cut off/);
  new DataView(bytes.buffer).setBigUint64(8, 1n << 60n);
  await assertRefused(() => parseHeader(bytes, 'x'), /backing file lies nowhere/);
});

headers('whatever is there, it is a header or refused', () => {
  const seed = freshSeed();
  const r = random(seed);
  for (let n = 0; n < 5000; n++) {
    const bytes = qcow2Bytes(1 << 20);
    for (let changes = r.below(4); changes >= 0; changes--) bytes[r.below(128)] = r.u32();
    try {
      parseHeader(bytes, 'x');
    } catch (error) {
      assert.match((error as Error).message, /^disk x: /, `seed ${seed}`);
    }
  }
});

headers.run();

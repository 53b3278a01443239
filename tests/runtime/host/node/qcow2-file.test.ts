/** qcow2 images as QEMU makes them, read and written here, and read and checked by QEMU again. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Disk } from '../../../../runtime/backends/block/disk.ts';
import { openQcow2 } from '../../../../runtime/host/node/qcow2-file.ts';
import { assertRefused } from '../../../support/assert-refused.ts';
import { exerciseDisk } from '../../../support/disk-model.ts';
import { checkQcow2, qemuImg, rawOf } from '../../../support/qemu-img.ts';
import { freshSeed, random } from '../../../support/random.ts';

interface Place {
  path: (name: string) => string;
  directory: string;
}

const images = suite<Place>('runtime/host/node/qcow2-file');

images.before.each((context) => {
  context.directory = mkdtempSync(join(tmpdir(), 'stubdom-qcow2-'));
  context.path = (name) => join(context.directory, name);
});
images.after.each(({ directory }) => rmSync(directory, { recursive: true, force: true }));

const bytes = 3 * 2 ** 20 + 512 * 7;

/** Noise, zeros and text, so that compression has something to do. */
function content(seed: number): Uint8Array {
  const r = random(seed);
  const all = new Uint8Array(bytes);
  for (let at = 0; at < bytes; at += 65536)
    if (r.below(3) === 0) all.set(r.bytes(Math.min(4096, bytes - at)), at);
    else if (r.below(2) === 0) all.fill(r.below(256), at, at + 60_000);
  return all;
}

const readAll = (disk: Disk): Uint8Array => {
  const all = new Uint8Array(disk.sectors * 512);
  void disk.read(0, [all.subarray(0, 1000), all.subarray(1000)]);
  return all;
};

const kinds: readonly (readonly [string, readonly string[]])[] = [
  ['as they are by default', []],
  ['of version 2', ['-o', 'compat=0.10']],
  ['with the smallest clusters', ['-o', 'cluster_size=512']],
  ['with the largest clusters', ['-o', 'cluster_size=2M']],
  ['compressed', ['-c']],
  ['compressed, with small clusters', ['-c', '-o', 'cluster_size=4k']],
  ['allocated ahead', ['-o', 'preallocation=metadata']],
];

for (const [kind, options] of kinds)
  images(`images ${kind} are read, written, and whole for QEMU`, async ({ path }) => {
    const seed = freshSeed();
    const model = content(seed);
    writeFileSync(path('raw'), model);
    await qemuImg('convert', ...options, '-O', 'qcow2', path('raw'), path('image.qcow2'));

    const disk = await openQcow2(path('image.qcow2'), 'rw');
    assert.ok(Buffer.from(readAll(disk)).equals(model), 'it is read');
    await exerciseDisk(disk, model, seed, 150);
    await disk.flush();
    await exerciseDisk(disk, model, seed + 1, 50);
    await disk.close();

    assert.is(await checkQcow2(path('image.qcow2')), 'whole', `seed ${seed}`);
    assert.ok(
      (await rawOf(path('image.qcow2'))).equals(model),
      `seed ${seed}: QEMU reads the same`,
    );
    const again = await openQcow2(path('image.qcow2'), 'ro');
    assert.ok(Buffer.from(readAll(again)).equals(model));
    await again.close();
  });

images('counts that outgrow their table go to a larger one', async ({ path }) => {
  const file = path('image.qcow2');
  await qemuImg('create', '-q', '-f', 'qcow2', '-o', 'cluster_size=512', file, '24M');
  const disk = await openQcow2(file, 'rw');
  const model = new Uint8Array(24 * 2 ** 20);
  const r = random(6);

  for (let at = 0; at < model.length; at += 2 ** 20) {
    model.set(r.bytes(2 ** 20), at);
    await disk.write(at / 512, [model.subarray(at, at + 2 ** 20)]);
    if (r.below(3) === 0) void disk.flush();
  }
  await disk.close();

  assert.is(await checkQcow2(file), 'whole');
  assert.ok((await rawOf(file)).equals(model));
});

images(
  'a chain of backing files is read through, and only its top is written',
  async ({ path }) => {
    const model = content(1);
    writeFileSync(path('base.img'), model.subarray(0, 2 ** 20));
    const create = (name: string, backing: string, format: string): Promise<string> =>
      qemuImg('create', '-q', '-f', 'qcow2', '-b', backing, '-F', format, path(name), `${bytes}`);
    await create('middle.qcow2', 'base.img', 'raw');
    await create('top.qcow2', 'middle.qcow2', 'qcow2');
    model.fill(0, 2 ** 20);
    const middle = await openQcow2(path('middle.qcow2'), 'rw');
    await exerciseDisk(middle, model, 2, 40);
    await middle.close();
    const [base, below] = ['base.img', 'middle.qcow2'].map((name) => readFileSync(path(name)));

    const top = await openQcow2(path('top.qcow2'), 'rw');
    await exerciseDisk(top, model, 3, 80);
    await top.discard(0, 1024);
    model.fill(0, 0, 1024 * 512);
    assert.ok(
      Buffer.from(readAll(top)).equals(model),
      'what is discarded is not the backing file’s',
    );
    await top.close();

    assert.is(await checkQcow2(path('top.qcow2')), 'whole');
    assert.ok((await rawOf(path('top.qcow2'))).equals(model));
    assert.ok(readFileSync(path('base.img')).equals(base ?? Buffer.alloc(0)));
    assert.ok(readFileSync(path('middle.qcow2')).equals(below ?? Buffer.alloc(0)));
  },
);

images('copy-on-write and read-only leave the file as it is', async ({ path }) => {
  writeFileSync(path('raw'), content(4));
  await qemuImg('convert', '-O', 'qcow2', path('raw'), path('image.qcow2'));
  const before = readFileSync(path('image.qcow2'));

  const cow = await openQcow2(path('image.qcow2'), 'cow');
  await exerciseDisk(cow, content(4), 5, 50);
  await cow.close();
  const ro = await openQcow2(path('image.qcow2'), 'ro');
  assert.throws(() => ro.write(0, [new Uint8Array(512)]), /read-only/);
  await ro.close();

  assert.ok(readFileSync(path('image.qcow2')).equals(before));
});

images('what cannot be opened is one line, and nothing has been written', async ({ path }) => {
  const file = path('image.qcow2');
  const create = (...words: readonly string[]): Promise<string> =>
    qemuImg('create', '-q', '-f', 'qcow2', ...words, file, '1M');
  const patched = async (at: number, value: number, message: RegExp, mode: 'rw' | 'ro' = 'rw') => {
    await create();
    const image = readFileSync(file);
    image.writeUInt32BE(value, at);
    writeFileSync(file, image);
    await assertRefused(() => openQcow2(file, mode), message);
    assert.ok(readFileSync(file).equals(image));
  };
  await patched(0, 0, /no qcow2 image/);
  await patched(4, 4, /qcow2 version 4; only 2 and 3 are known/);
  await patched(20, 30, /clusters of 2\^30 bytes/);
  await patched(28, 1000, /1000 bytes, not a multiple of 512/);
  await patched(32, 1, /it is encrypted/);
  await patched(36, 0, /its level-1 table has 0 entries/);
  await patched(44, 512, /a table at 512, which is no cluster/);
  await patched(60, 1, /it has snapshots inside/);
  await patched(76, 1, /it was not closed; repair it/);
  await patched(76, 2, /marked as corrupt/);
  await patched(76, 4, /its data is in another file/, 'ro');
  await patched(76, 16, /it has subclusters/, 'ro');
  await patched(76, 64, /features that are not known here, 0x40/, 'ro');
  await create('-o', 'compression_type=zstd');
  await assertRefused(() => openQcow2(file, 'ro'), /compressed by zstd/);
  await create('-o', 'refcount_bits=1');
  await assertRefused(() => openQcow2(file, 'rw'), /refcounts of 1 bits can only be read/);
  await create('-u', '-b', 'nbd://localhost', '-F', 'raw');
  await assertRefused(() => openQcow2(file, 'ro'), /only files are supported/);
  await create('-u', '-b', 'image.qcow2', '-F', 'qcow2');
  await assertRefused(() => openQcow2(file, 'ro'), /its backing files lead back to it/);
  await create('-u', '-b', 'missing', '-F', 'raw');
  await assertRefused(() => openQcow2(file, 'ro'), /missing: no such file/);
});

images('an image that is open for writing is not opened again', async ({ path }) => {
  await qemuImg('create', '-q', '-f', 'qcow2', path('image.qcow2'), '1M');
  const disk = await openQcow2(path('image.qcow2'), 'rw');

  await assertRefused(
    () => openQcow2(path('image.qcow2'), 'ro'),
    /already open for writing by this run/,
  );
  await disk.close();
});

images.run();

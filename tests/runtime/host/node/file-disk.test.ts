/** Raw files as disks: what is read and written, and what is refused without a trace. */
import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { XenError } from '../../../../runtime/errors.ts';
import { openDisk } from '../../../../runtime/host/node/file-disk.ts';
import { assertRefused } from '../../../support/assert-refused.ts';
import { exerciseDisk } from '../../../support/disk-model.ts';
import { freshSeed, random } from '../../../support/random.ts';

const untried = (): void => void process.stdout.write('not tried: this machine has no fallocate\n');

const files = suite<{ path: (name: string) => string }>('runtime/host/node/file-disk');

files.before.each((context) => {
  const directory = mkdtempSync(join(tmpdir(), 'stubdom-disk-'));
  context.path = (name) => join(directory, name);
});
files.after.each(({ path }) => rmSync(path('.'), { recursive: true, force: true }));

files('what was written is read, and lies in the file', async ({ path }) => {
  const seed = freshSeed();
  const model = random(seed).bytes(500 * 512);
  writeFileSync(path('disk.img'), model);
  const disk = await openDisk(path('disk.img'), 'rw');

  await exerciseDisk(disk, model, seed, 500);
  await disk.flush();
  await disk.close();

  assert.ok(readFileSync(path('disk.img')).equals(model));
});

files('read-only and copy-on-write disks leave the file as it is', async ({ path }) => {
  const seed = freshSeed();
  const before = random(seed).bytes(100 * 512);
  writeFileSync(path('disk.img'), before, { mode: 0o444 });
  const readOnly = await openDisk(path('disk.img'), 'ro');
  const copied = await openDisk(path('disk.img'), 'cow');

  await exerciseDisk(copied, before.slice(), seed, 300);
  await copied.flush();

  assert.throws(() => readOnly.write(0, [new Uint8Array(512)]), /read-only/);
  assert.is(readOnly.flush(), undefined);
  assert.ok(readFileSync(path('disk.img')).equals(before));
  await Promise.all([readOnly.close(), copied.close()]);
});

files('more buffers than the kernel takes at once are all filled', async ({ path }) => {
  const content = random(1).bytes(3000 * 512);
  writeFileSync(path('disk.img'), content);
  const disk = await openDisk(path('disk.img'), 'ro');
  const found = new Uint8Array(content.length);
  const pieces = Array.from({ length: 3000 }, (_, n) => found.subarray(n * 512, n * 512 + 512));

  await disk.read(0, pieces);

  assert.ok(Buffer.from(found).equals(content));
  await disk.close();
});

files('files that are no disks are refused in a line', async ({ path }) => {
  writeFileSync(path('odd.img'), 'x'.repeat(1000));
  writeFileSync(path('empty.img'), '');
  const cases: readonly (readonly [string, RegExp])[] = [
    [path('missing.img'), /^disk .*missing\.img: no such file$/],
    [path('odd.img/x'), /no such file/],
    [path('odd.img'), /odd\.img: its 1000 bytes are not a multiple of 512$/],
    [path('empty.img'), /it is empty$/],
    [path('.'), /a directory, not a disk image$/],
    ['/dev/null', /not a regular file/],
  ];
  for (const mode of ['rw', 'ro', 'cow'] as const)
    for (const [file, message] of cases) await assertRefused(() => openDisk(file, mode), message);
  assert.is(statSync(path('odd.img')).size, 1000);
});

files(
  'a disk open for writing is refused in this run, and free when it is closed',
  async ({ path }) => {
    writeFileSync(path('disk.img'), new Uint8Array(512));
    const first = await openDisk(path('disk.img'), 'rw');

    for (const mode of ['rw', 'ro', 'cow'] as const)
      await assertRefused(
        () => openDisk(path('disk.img'), mode),
        /: already open for writing by this run$/,
      );
    await first.close();
    const second = await openDisk(path('disk.img'), 'ro');
    await assertRefused(
      () => openDisk(path('disk.img'), 'rw'),
      /: already open for reading by this run$/,
    );

    await second.close();
    await (await openDisk(path('disk.img'), 'rw')).close();
  },
);

files('discarded blocks are given back, and what is beside them stays', async ({ path }) => {
  writeFileSync(path('disk.img'), new Uint8Array(64 * 512).fill(5));
  const disk = await openDisk(path('disk.img'), 'rw');
  if (disk.discardGranularity === 0) {
    untried();
    return await disk.close();
  }

  await disk.discard(1, 31);
  await disk.discard(33, 3);
  await disk.close();

  const content = readFileSync(path('disk.img'));
  const changed = [...content.keys()].filter((at) => content[at] !== 5);
  assert.equal([changed[0], changed.at(-1), changed.length], [4096, 16383, 12288]);
  assert.ok(statSync(path('disk.img')).blocks * 512 < 64 * 512);
});

files('a file that shrinks under a disk is an error to the guest', async ({ path }) => {
  writeFileSync(path('disk.img'), new Uint8Array(4096));
  const disk = await openDisk(path('disk.img'), 'rw');
  truncateSync(path('disk.img'), 1024);

  assert.throws(
    () => disk.read(1, [new Uint8Array(1024)]),
    (error: unknown) => error instanceof XenError && error.errno === 'EIO',
  );
  await disk.close();
});

files(
  'a closed disk does nothing more, and closing waits for what is under way',
  async ({ path }) => {
    writeFileSync(path('disk.img'), new Uint8Array(4096));
    const disk = await openDisk(path('disk.img'), 'rw');
    let isFlushed = false;
    void disk.flush()?.then(() => {
      isFlushed = true;
    });

    await disk.close();

    assert.ok(isFlushed);
    assert.throws(() => disk.read(0, [new Uint8Array(512)]), /closed/);
  },
);

files.run();

/** Whatever a host's crash takes of a qcow2 image: what was flushed is there, and what nobody wrote is as it was. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inflateRawSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MemoryDisk } from '../../../../../runtime/backends/block/memory-disk.ts';
import { parseHeader } from '../../../../../runtime/backends/block/qcow2/header.ts';
import type { ImageFile } from '../../../../../runtime/backends/block/qcow2/image-file.ts';
import { Qcow2Disk } from '../../../../../runtime/backends/block/qcow2/qcow2-disk.ts';
import { XenError } from '../../../../../runtime/errors.ts';
import { checkQcow2, qemuImg } from '../../../../support/qemu-img.ts';
import { freshSeed, type Random, random } from '../../../../support/random.ts';
import { VolatileImageFile } from '../../../../support/volatile-image-file.ts';

const disks = suite<{ directory: string }>('runtime/backends/block/qcow2/qcow2-disk');

disks.before.each((context) => {
  context.directory = mkdtempSync(join(tmpdir(), 'stubdom-qcow2-'));
});
disks.after.each(({ directory }) => rmSync(directory, { recursive: true, force: true }));

const sectors = 256;
const crashes = 1000;
/** Crashes after which QEMU looks at the image, too. */
const looks = 10;
const original = (sector: number): number => 0x1000_0000 + sector;

function backingBytes(): Uint8Array {
  const bytes = new Uint8Array(sectors * 512);
  const view = new DataView(bytes.buffer);
  for (let sector = 0; sector < sectors; sector++) view.setUint32(sector * 512, original(sector));
  return bytes;
}

function open(file: ImageFile, isReadOnly: boolean): Qcow2Disk {
  const first = new Uint8Array(0x1_0000);
  file.read(0, [first]);
  return new Qcow2Disk({
    ...{ file, header: parseHeader(first, file.name), isReadOnly },
    backing: new MemoryDisk(backingBytes(), { isReadOnly: true }),
    inflate: (packed, maxOutputLength) => inflateRawSync(packed, { maxOutputLength }),
  });
}

async function blankImage(directory: string, clusterSize: number): Promise<Uint8Array> {
  const [image, backing] = [join(directory, 'image.qcow2'), join(directory, 'backing.img')];
  writeFileSync(backing, backingBytes());
  const options = `cluster_size=${clusterSize},backing_file=backing.img,backing_fmt=raw`;
  await qemuImg('create', '-q', '-f', 'qcow2', '-o', options, image, `${sectors * 512}`);
  return readFileSync(image);
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Writes numbers into sectors for a while, and flushes now and then; what must be there after a crash, and all that may be. */
async function work(
  disk: Qcow2Disk,
  r: Random,
): Promise<{ flushed: number[]; possible: ReadonlyMap<number, ReadonlySet<number>> }> {
  const possible = new Map<number, Set<number>>();
  const written = Array.from({ length: sectors }, (_, sector) => original(sector));
  const flushed = [...written];
  for (let steps = 1 + r.below(40); steps > 0; steps--) {
    const sector = r.below(sectors);
    const value = 0x2000_0000 + (r.u32() >>> 4);
    const bytes = new Uint8Array(512);
    new DataView(bytes.buffer).setUint32(0, value);
    void disk.write(sector, [bytes]);
    written[sector] = value;
    possible.set(sector, (possible.get(sector) ?? new Set()).add(value));
    if (r.below(4) > 0) continue;
    const asked = [...written];
    const done = Promise.resolve(disk.flush()).then(() => {
      for (const [n, one] of asked.entries()) flushed[n] = one;
    });
    if (r.below(3) > 0) await done;
    else for (let turns = r.below(6); turns > 0; turns--) await turn();
  }
  return { flushed, possible };
}

disks(
  `of ${crashes} crashes none loses what was flushed, or what lay beside`,
  async ({ directory }) => {
    const seed = freshSeed();
    const r = random(seed);
    const images = new Map<number, Uint8Array>();
    for (const size of [512, 4096, 65536]) images.set(size, await blankImage(directory, size));
    for (let n = 0; n < crashes; n++) {
      const [, image = new Uint8Array()] = [...images][r.below(images.size)] ?? [];
      const file = new VolatileImageFile(image);
      const { flushed, possible } = await work(open(file, false), r);

      const left = file.crashed(r);

      const after = open(new VolatileImageFile(left), true);
      const bytes = new Uint8Array(sectors * 512);
      void after.read(0, [bytes]);
      const view = new DataView(bytes.buffer);
      for (let sector = 0; sector < sectors; sector++) {
        const found = view.getUint32(sector * 512);
        // What was written since may be there, too, or be lost; nothing else may.
        const expected = flushed[sector] ?? 0;
        const isLater = possible.get(sector)?.has(found) === true && found !== expected;
        const isFine = found === expected || isLater;
        assert.ok(
          isFine,
          `seed ${seed}, crash ${n}: sector ${sector} is ${found}, not ${flushed[sector]}`,
        );
      }
      if (n % (crashes / looks) !== 0) continue;
      const path = join(directory, 'image.qcow2');
      writeFileSync(path, left);
      const found = await checkQcow2(path);
      assert.ok(found === 'whole' || found === 'leaks', `seed ${seed}, crash ${n}: ${found}`);
    }
  },
);

disks('after a flush that failed none is one any more', async ({ directory }) => {
  const file = new VolatileImageFile(await blankImage(directory, 4096));
  const disk = open(file, false);
  let isFailing = true;
  file.flush = async () => {
    if (isFailing) throw new XenError('EIO', 'no such luck');
  };
  void disk.write(0, [new Uint8Array(512)]);

  const first = await Promise.resolve(disk.flush()).catch((error: unknown) => error);
  isFailing = false;
  const second = await Promise.resolve(disk.flush()).catch((error: unknown) => error);

  assert.instance(first, XenError);
  assert.is(second, first);
});

disks.run();

/** Random calls on names answer in a guest what they answer on Linux, whatever is below: a folder of the host, a disk image, memory. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MemoryDisk } from '../../runtime/backends/block/memory-disk.ts';
import { Ext2Folder } from '../../runtime/backends/ext2/ext2-folder.ts';
import type { MountedFolder } from '../../runtime/index.ts';
import type { Width } from '../../toolchain/index.ts';
import { withExportedFolder } from '../support/exported-folder.ts';
import { faultsOf, newExt2 } from '../support/ext2-disk.ts';
import { isFull, type Program, testFile, Workbench } from '../support/program.ts';
import { freshSeed } from '../support/random.ts';

const randomNames = suite<{ bench: Workbench }>('guests/random-names');

randomNames.before((context) => {
  context.bench = new Workbench();
});
randomNames.after(({ bench }) => bench.remove());

const program: Program = { files: [testFile('guests/c/random-names.c')], options: ['-O1'] };
const rounds = isFull ? 20 : 1;
const calls = String(isFull ? 10_000 : 2000);

for (const width of [64, 32] as const)
  randomNames(`x86-${width}: ${rounds} times ${calls} calls`, async ({ bench }) => {
    for (let round = 0; round < rounds; round++)
      await withExportedFolder((directory, folders) => once(bench, width, directory, folders));
  });

async function once(
  bench: Workbench,
  width: Width,
  directory: string,
  exported: readonly MountedFolder[],
): Promise<void> {
  const seed = freshSeed();
  const words = (place: string) => ({ arguments: [place, String(seed), calls] });
  for (const name of ['native', 'guest']) mkdirSync(join(directory, name));
  const native = await bench.runNative(program, 64, words(join(directory, 'native')));
  assert.is(native.status, 0);
  const same = async (place: string, folders: readonly MountedFolder[]): Promise<void> => {
    const guest = await bench.runGuest(program, width, { ...words(place), folders });

    assert.is(guest.output.toString(), native.output.toString(), `${place}, seed ${seed}`);
    assert.is(guest.status, 0);
  };

  await same('/tmp', []);
  await same('/export/guest', exported);
  const bytes = await newExt2(8000);
  if (bytes === undefined) return;
  const folder = new Ext2Folder(new MemoryDisk(bytes));
  await same('/data', [{ at: '/data', folder, isReadOnly: false }]);
  await folder.unmount();
  assert.is(await faultsOf(bytes), '', `seed ${seed}`);
}

randomNames.run();

/** AF_UNIX sockets with names, from C: a program does on each kind of file system what it does on Linux. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MemoryDisk } from '../../runtime/backends/block/memory-disk.ts';
import { Ext2Folder } from '../../runtime/backends/ext2/ext2-folder.ts';
import { withExportedFolder } from '../support/exported-folder.ts';
import { faultsOf, newExt2 } from '../support/ext2-disk.ts';
import { type Program, testFile, Workbench } from '../support/program.ts';

const sockets = suite<{ bench: Workbench }>('guests/unix-sockets');

sockets.before((context) => {
  context.bench = new Workbench();
});
sockets.after(({ bench }) => bench.remove());

const program: Program = { files: [testFile('guests/c/unix-sockets.c')], options: ['-O2'] };

async function native(bench: Workbench, width: 64 | 32): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'stubdom-sockets-'));
  try {
    return (await bench.runNative(program, width, { arguments: [directory] })).output.toString();
  } finally {
    rmSync(directory, { recursive: true });
  }
}

for (const width of [64, 32] as const) {
  sockets(`x86-${width}: in memory they print what they print on Linux`, async ({ bench }) => {
    const guest = await bench.runGuest(program, width, { arguments: ['/tmp'] });

    assert.is(guest.output.toString(), await native(bench, width));
    assert.is(guest.status, 0, guest.report);
  });

  sockets(`x86-${width}: so they do in a folder of the host`, async ({ bench }) => {
    await withExportedFolder(async (directory, folders) => {
      const guest = await bench.runGuest(program, width, { arguments: ['/export'], folders });

      assert.is(guest.output.toString(), await native(bench, width));
      assert.equal(readdirSync(directory), []);
    });
  });

  sockets(`x86-${width}: and on a disk with ext2, which stays whole`, async ({ bench }) => {
    const bytes = await newExt2(500);
    if (bytes === undefined) return;
    const folder = new Ext2Folder(new MemoryDisk(bytes));

    const guest = await bench.runGuest(program, width, {
      arguments: ['/disk'],
      folders: [{ at: '/disk', folder, isReadOnly: false }],
    });
    await folder.unmount();

    assert.is(guest.output.toString(), await native(bench, width));
    assert.is(await faultsOf(bytes), '');
  });
}

sockets.run();

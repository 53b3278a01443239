/** What `--fs` opens: folders and images together, or nothing. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { UserError } from '../../../../runtime/errors.ts';
import { closeFolders, openFolders } from '../../../../toolchain/cli/devices/open-folders.ts';
import { faultsOf, newExt2 } from '../../../support/ext2-disk.ts';

const folders = suite<{ directory: string }>('toolchain/cli/devices/open-folders');

folders.before.each((context) => {
  context.directory = mkdtempSync(join(tmpdir(), 'stubdom-test-'));
});
folders.after.each(({ directory }) => {
  rmSync(directory, { recursive: true });
});

async function refusal(act: () => Promise<unknown>): Promise<string> {
  try {
    await act();
    return 'opened';
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
}

folders('all folders are opened, or none', async ({ directory }) => {
  const one = { at: '/a', path: directory, mode: 'rw' } as const;

  const open = await openFolders([one, { ...one, at: '/b', mode: 'ro' }]);
  await closeFolders(open);

  assert.equal(
    open.map(({ at, isReadOnly }) => [at, isReadOnly]),
    [
      ['/a', false],
      ['/b', true],
    ],
  );
  assert.match(await refusal(() => openFolders([one, one])), /two folders at \/a/);
  const missing = { ...one, at: '/b', path: join(directory, 'no') };
  assert.match(await refusal(() => openFolders([one, missing])), /no such folder/);
  assert.match(await refusal(() => openFolders([{ ...one, mode: 'cow' }])), /images/);
});

folders('an image is a folder, written to or not, and left clean', async ({ directory }) => {
  const bytes = await newExt2(1000);
  if (bytes === undefined) return;
  const path = join(directory, 'disk.img');
  writeFileSync(path, bytes);
  const make = async (mode: 'rw' | 'cow', name: string): Promise<void> => {
    const open = await openFolders([{ at: '/a', path, mode }]);
    open[0]?.folder.makeDirectory([name], 0o755);
    await closeFolders(open);
  };

  await make('rw', 'stays');
  await make('cow', 'goes');

  const open = await openFolders([{ at: '/a', path, mode: 'ro' }]);
  const names = open[0]?.folder.list([]).map(({ name }) => name);
  await closeFolders(open);
  assert.equal(names, ['lost+found', 'stays']);
  assert.is(await faultsOf(new Uint8Array(readFileSync(path))), '');
});

folders(
  'an image without such a file system is refused, and not kept open',
  async ({ directory }) => {
    const path = join(directory, 'disk.img');
    writeFileSync(path, new Uint8Array(4096));
    const open = (): Promise<string> =>
      refusal(() => openFolders([{ at: '/a', path, mode: 'rw' }]));

    assert.match(await open(), /no ext2 file system/);
    assert.match(await open(), /no ext2 file system/);
  },
);

folders.run();

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { UserError } from '../../../../runtime/errors.ts';
import {
  closeFolders,
  openFolders,
  parseFolderOption,
} from '../../../../toolchain/cli/devices/folder-specification.ts';

const option = suite('toolchain/cli/devices/folder-specification');

option('a place, a folder, and whether it is only read', () => {
  assert.equal(parseFolderOption('/export=./dir'), {
    ...{ at: '/export', path: './dir', isReadOnly: false },
  });
  assert.equal(parseFolderOption('/a/b=/x=y:ro'), { at: '/a/b', path: '/x=y', isReadOnly: true });
  assert.equal(parseFolderOption('/a=dir:rw'), { at: '/a', path: 'dir', isReadOnly: false });
});

for (const wrong of [
  '',
  'export',
  '/export',
  '/export=',
  'export=dir',
  '/=dir',
  '/a/../b=dir',
  '/a/=d',
  '//a=d',
])
  option(`--fs ${wrong} is refused with an example`, () => {
    assert.throws(
      () => parseFolderOption(wrong),
      (error: unknown) => error instanceof UserError && /such as \/export/.test(error.message),
    );
  });

option('all folders are opened, or none', () => {
  const directory = mkdtempSync(join(tmpdir(), 'stubdom-test-'));
  const one = { at: '/a', path: directory, isReadOnly: false };
  try {
    const open = openFolders([one, { ...one, at: '/b', isReadOnly: true }]);
    closeFolders(open);

    assert.equal(
      open.map(({ at, isReadOnly }) => [at, isReadOnly]),
      [
        ['/a', false],
        ['/b', true],
      ],
    );
    assert.throws(() => openFolders([one, one]), /two folders at \/a/);
    assert.throws(() => openFolders([one, { ...one, at: '/b', path: join(directory, 'no') }]));
  } finally {
    rmSync(directory, { recursive: true });
  }
});

option.run();

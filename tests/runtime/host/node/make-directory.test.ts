import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { makeDirectory } from '../../../../runtime/host/node/make-directory.ts';

const directories = suite<{ root: string }>('runtime/host/node/make-directory');

directories.before.each((context) => {
  context.root = mkdtempSync(join(tmpdir(), 'stubdom-directory-'));
});
directories.after.each(({ root }) => rmSync(root, { recursive: true }));

directories('parents are made, and what is there is left', ({ root }) => {
  const path = join(root, 'a/b/c');

  makeDirectory(path);
  makeDirectory(path);

  assert.ok(existsSync(path));
});

directories(
  'a file in the way, and a file system that makes nothing, are errors and no endless loop',
  ({ root }) => {
    writeFileSync(join(root, 'file'), '');

    assert.throws(() => makeDirectory(join(root, 'file')), /EEXIST/);
    assert.throws(() => makeDirectory(join(root, 'file/below')), /ENOTDIR/);
    assert.throws(() => makeDirectory('/proc/self/below/it'), /ENOENT/);
  },
);

directories.run();

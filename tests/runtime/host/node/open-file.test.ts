import { closeSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { lockOrRefuse, openFile, regularFile } from '../../../../runtime/host/node/open-file.ts';
import { assertRefused } from '../../../support/assert-refused.ts';

const files = suite<{ directory: string }>('runtime/host/node/open-file');

files.before.each((context) => {
  context.directory = mkdtempSync(join(tmpdir(), 'stubdom-open-'));
});
files.after.each(({ directory }) => rmSync(directory, { recursive: true, force: true }));

files('a file is opened, looked at and locked, for readers together', async ({ directory }) => {
  const path = join(directory, 'a');
  writeFileSync(path, 'abc');
  const [one, other] = [openFile(path, 'r'), openFile(path, 'r')];

  assert.is(regularFile(path, one).size, 3);
  await lockOrRefuse(path, one, 'shared');
  await lockOrRefuse(path, other, 'shared');
  await assertRefused(
    () => lockOrRefuse(path, openFile(path, 'r+'), 'exclusive'),
    /already open for reading by this run/,
  );
  closeSync(one);
  closeSync(other);
});

files('what is no file, or not there, is refused', async ({ directory }) => {
  await assertRefused(() => openFile(join(directory, 'none'), 'r'), /none: no such file$/);
  await assertRefused(() => openFile(directory, 'r+'), /a directory, not a disk image/);
  const fd = openFile(directory, 'r');
  await assertRefused(() => regularFile(directory, fd), /a directory, not a disk image/);
  closeSync(fd);
});

files.run();

/** Folders for Mini-OS's file system front-end, as the command line has them. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseExportOption } from '../../../../toolchain/cli/devices/export-specification.ts';
import { assertRefused } from '../../../support/assert-refused.ts';

const test = suite('toolchain/cli/devices/export-specification');

test('a name and a folder', () => {
  const data = { name: 'data', path: './a', isReadOnly: false };
  assert.equal(parseExportOption('data=./a'), data);
  assert.equal(parseExportOption('data=./a:rw'), data);
  assert.equal(parseExportOption('data=./a:ro'), { ...data, isReadOnly: true });
});

test('what is wrong is said', async () => {
  await assertRefused(() => parseExportOption('data'), /expected NAME=FOLDER/);
  await assertRefused(() => parseExportOption('=a'), /expected NAME=FOLDER/);
});

test.run();

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { UserError } from '../../../../runtime/errors.ts';
import { parseFolderOption } from '../../../../toolchain/cli/devices/folder-specification.ts';

const option = suite('toolchain/cli/devices/folder-specification');

option('a place, a folder, and whether it is only read', () => {
  assert.equal(parseFolderOption('/export=./dir'), {
    ...{ at: '/export', path: './dir', mode: 'rw' },
  });
  assert.equal(parseFolderOption('/a/b=/x=y:ro'), { at: '/a/b', path: '/x=y', mode: 'ro' });
  assert.equal(parseFolderOption('/a=disk.img:cow'), { at: '/a', path: 'disk.img', mode: 'cow' });
  assert.equal(parseFolderOption('/a=dir:rw'), { at: '/a', path: 'dir', mode: 'rw' });
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

option.run();

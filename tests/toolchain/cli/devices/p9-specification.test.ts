/** Folders for domain images, as the command line and cfg files have them. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseP9, parseP9Option } from '../../../../toolchain/cli/devices/p9-specification.ts';
import { assertRefused } from '../../../support/assert-refused.ts';

const test = suite('toolchain/cli/devices/p9-specification');

test('a tag and a folder', () => {
  const share = { tag: 'share', path: './a', isReadOnly: false };
  assert.equal(parseP9Option('share=./a'), share);
  assert.equal(parseP9Option('share=./a:rw'), share);
  assert.equal(parseP9Option('share=./a:ro'), { ...share, isReadOnly: true });
  assert.equal(parseP9('tag=share, path=./a,security_model=none'), share);
});

test('what is wrong is said', async () => {
  await assertRefused(() => parseP9Option('share'), /expected TAG=FOLDER/);
  await assertRefused(() => parseP9('path=a'), "p9 'path=a': tag and path must be given");
  const mapped = 'tag=a,path=b,security_model=mapped';
  await assertRefused(() => parseP9(mapped), /security_model=mapped is not supported, only none/);
  await assertRefused(() => parseP9('tag=a,path=b,x=1'), /no x; there are tag, path/);
});

test.run();

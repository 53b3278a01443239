import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseNamedFolder } from '../../../../toolchain/cli/devices/named-folder.ts';

const named = suite('toolchain/cli/devices/named-folder');

named('a name, a path that may have colons, and the mode behind it', () => {
  const folder = (name: string, path: string, isReadOnly: boolean) => ({ name, path, isReadOnly });

  assert.equal(parseNamedFolder('data=./files'), folder('data', './files', false));
  assert.equal(parseNamedFolder('data=./files:ro'), folder('data', './files', true));
  assert.equal(parseNamedFolder('data=/a:b=c:rw'), folder('data', '/a:b=c', false));
});

named('neither may be missing', () => {
  for (const text of ['', 'data', 'data=', '=./files', '=:ro'])
    assert.is(parseNamedFolder(text), undefined, text);
});

named.run();

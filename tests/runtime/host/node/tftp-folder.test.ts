import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { TftpFolder } from '../../../../runtime/host/node/tftp-folder.ts';

const test = suite('runtime/host/node/tftp-folder');

test('files in the folder are read; nothing outside of it is, by no name and no link', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'stubdom-tftp-'));
  const root = join(directory, 'root');
  mkdirSync(join(root, 'inner'), { recursive: true });
  for (const path of ['secret', 'root-secret', 'root/a', 'root/inner/b'])
    writeFileSync(join(directory, path), path);
  symlinkSync('../secret', join(root, 'out'));
  symlinkSync('inner/b', join(root, 'in'));
  const folder = new TftpFolder(root);
  const read = async (name: string): Promise<string | undefined> => {
    const bytes = await folder.read(name);
    return bytes && new TextDecoder().decode(bytes);
  };

  assert.is(await read('a'), 'root/a');
  assert.is(await read('/inner/b'), 'root/inner/b');
  assert.is(await read('in'), 'root/inner/b');
  for (const name of ['none', 'inner', '', '.', '../secret', '../root-secret', 'out', 'a\0'])
    assert.is(await read(name), undefined, name);
  rmSync(directory, { recursive: true });
});

test.run();

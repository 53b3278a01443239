import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { newlibTar } from '../../../toolchain/debian/tools.ts';
import {
  ensureTools,
  installLine,
  missingTools,
  type ToolName,
  tools,
} from '../../../toolchain/index.ts';

const toolTable = suite('toolchain/debian/tools');

toolTable('what is missing becomes one line for apt-get, each package once', () => {
  const line = installLine(['gcc', 'make', 'gcc']);

  assert.is(line, 'apt-get install -y gcc make');
});

toolTable('every tool is here, or has been installed by the test’s own run', async () => {
  const names = Object.keys(tools) as ToolName[];

  await ensureTools(names);

  assert.equal(await missingTools(names), []);
});

toolTable('newlib’s tar is found in the directory of the package', () => {
  const root = mkdtempSync(join(tmpdir(), 'stubdom-test-'));
  const none = newlibTar(root);
  mkdirSync(join(root, 'usr/src/newlib'), { recursive: true });
  writeFileSync(join(root, 'usr/src/newlib/newlib-9.tar.xz'), '');

  const found = newlibTar(root);
  rmSync(root, { recursive: true });

  assert.is(none, undefined);
  assert.is(found, `${root}/usr/src/newlib/newlib-9.tar.xz`);
});

toolTable.run();

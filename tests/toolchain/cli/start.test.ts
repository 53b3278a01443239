import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { sysroot } from '../../../toolchain/index.ts';
import { type Finished, runProcess } from '../../../toolchain/process.ts';
import { projectDirectory } from '../../support/source-files.ts';

const start = suite('toolchain/cli/start');

const script = fileURLToPath(new URL('../../../toolchain/cli/start.js', import.meta.url));
const expected = readFileSync(join(projectDirectory, 'examples/hello-c/expected.txt'), 'utf8');

const npmStart = (environment: NodeJS.ProcessEnv = {}): Promise<Finished> =>
  runProcess(process.execPath, [script], { env: { ...process.env, ...environment } });

start(
  'on a machine without a sysroot the prebuilt images run, and it says how to build',
  async () => {
    const cache = mkdtempSync(join(tmpdir(), 'stubdom-test-'));

    const { status, stdout, stderr } = await npmStart({ STUBDOM_CACHE: cache });
    rmSync(cache, { recursive: true });

    assert.is(status, 0, stderr);
    assert.is(stdout, expected.repeat(2));
    assert.is(stderr.match(/the prebuilt image/g)?.length, 2);
    assert.match(stderr, 'stubdom build examples/hello-c/hello.c');
  },
);

start('where sysroots are cached the example is built and run', async () => {
  await sysroot(64);
  await sysroot(32);

  const { status, stdout, stderr } = await npmStart();

  assert.is(status, 0, stderr);
  assert.is(stdout, expected.repeat(2));
  assert.is(stderr.match(/built just now/g)?.length, 2);
});

start.run();

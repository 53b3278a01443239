import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Finished, runProcess } from '../../../toolchain/process.ts';

const main = suite('toolchain/cli/main');

const script = fileURLToPath(new URL('../../../toolchain/cli/main.js', import.meta.url));
const stubdom = (...words: string[]): Promise<Finished> =>
  runProcess(process.execPath, [script, ...words]);

main('--help names the commands', async () => {
  const { status, stdout } = await stubdom('--help');

  assert.is(status, 0);
  for (const name of ['run', 'build', 'inspect', 'doctor'])
    assert.match(stdout, new RegExp(`^  ${name} +\\S`, 'm'));
});

main('without a command the same is said as a complaint', async () => {
  const { status, stdout, stderr } = await stubdom();

  assert.is(status, 2);
  assert.is(stdout, '');
  assert.match(stderr, 'stubdom COMMAND');
});

main('COMMAND --help tells about one command', async () => {
  const { status, stdout } = await stubdom('build', '--help');

  assert.is(status, 0);
  assert.match(stdout, /^stubdom build .*SOURCE\.c/);
});

main('--version is that of the package', async () => {
  const file = new URL('../../../../package.json', import.meta.url);
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string };

  assert.is((await stubdom('--version')).stdout, `stubdom ${version}\n`);
});

main('wrong usage is one line and status 2', async () => {
  for (const words of [['nope'], ['toString'], ['build'], ['build', '-o'], ['doctor', '--nope']]) {
    const { status, stderr } = await stubdom(...words);

    assert.is(status, 2, words.join(' '));
    assert.match(stderr, /^stubdom: [^\n]+\n$/);
  }
});

main.run();

/** `stubdom recompile` as a person calls it: what it keeps is what `run` finds. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { projectDirectory } from '../../../support/source-files.ts';

const command = suite<{ cache: string }>('toolchain/cli/commands/recompile');
const main = fileURLToPath(new URL('../../../../toolchain/cli/main.js', import.meta.url));
const hello = join(projectDirectory, 'examples/hello-c/hello-32.elf');

const stubdom = (cache: string, ...words: string[]) =>
  spawnSync(process.execPath, [main, ...words], {
    encoding: 'utf8',
    env: { ...process.env, STUBDOM_CACHE: cache },
  });

command.before.each((context) => {
  context.cache = mkdtempSync(join(tmpdir(), 'stubdom-recompile-'));
});
command.after.each(({ cache }) => rmSync(cache, { recursive: true }));

command(
  'an image is translated, validated and kept, and a run takes it from there',
  ({ cache }) => {
    const told = stubdom(cache, 'recompile', hello);
    const modules = join(cache, 'modules');
    const kept = readdirSync(modules);

    const ran = stubdom(cache, 'run', hello);

    assert.match(told.stdout, /hello-32\.elf: \d+ functions, \d+ bytes of Wasm\n/);
    assert.is(told.status, 0);
    assert.match(ran.stdout, /Hello, world!/);
    assert.is(kept.length, 1);
    assert.equal(readdirSync(modules), kept);
  },
);

command('what is no image is one line, and too many words are wrong usage', ({ cache }) => {
  const bad = stubdom(cache, 'recompile', join(projectDirectory, 'package.json'));
  const wrong = stubdom(cache, 'recompile', hello, hello);

  assert.is(bad.status, 125);
  assert.match(bad.stderr, /^stubdom: .*not an ELF.*\n$/);
  assert.is(wrong.status, 2);
});

command.run();

/** The command in a few files does what the compiled one does, and its translations are told apart from those of later code. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { recompilerStamp } from '../../runtime/host/node/module-cache.ts';
import { bundle } from '../../toolchain/bundle.ts';
import { runProcess } from '../../toolchain/process.ts';

const test = suite<{ directory: string; cache: string }>('toolchain/bundle');

const compiled = fileURLToPath(new URL('../..', import.meta.url));
const image = join(compiled, '../examples/hello-c/hello-64.elf');

test.before(async (context) => {
  // Where packages are found, as from the directory that is published.
  context.directory = mkdtempSync(join(compiled, 'bundle-'));
  context.cache = mkdtempSync(join(tmpdir(), 'stubdom-bundle-'));
  await bundle(context.directory);
});
test.after(({ directory, cache }) => {
  for (const each of [directory, cache]) rmSync(each, { recursive: true, force: true });
});

const run = (directory: string, cache: string, ...words: string[]) =>
  runProcess(process.execPath, [join(directory, 'main.js'), ...words], {
    env: { ...process.env, STUBDOM_CACHE: cache },
  });

test('it is a few files, and knows its version, its help and what is wrong', async (context) => {
  const { directory, cache } = context;
  for (const words of [['--version'], ['run', '--help'], ['run', 'no-such-image'], ['nothing']]) {
    const bundled = await run(directory, cache, ...words);
    const plain = await run(join(compiled, 'toolchain/cli'), cache, ...words);

    assert.equal(bundled, plain);
  }
  assert.ok(readdirSync(directory).length < 50);
});

test('it runs an image, cold and from the cache, by the stamp of what it was made from', async (context) => {
  const { directory, cache } = context;
  const cold = await run(directory, cache, 'run', image);
  const kept = readdirSync(join(cache, 'modules'));
  const cached = await run(directory, cache, 'run', image);

  assert.match(cold.stdout, 'Hello, world!');
  assert.is(cold.status, 0, cold.stderr);
  assert.equal(cached, cold);
  assert.is(kept.length, 1);
  assert.ok(kept[0]?.startsWith(`${recompilerStamp()}-`));
});

test.run();

/** `stubdom recompile` as a person calls it: what it keeps is what `run` finds. */
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { mainModuleOf } from '../../../../runtime/recompiler/store/kept-translation.ts';
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

/** Of the cache's one entry, behind its hash: what the run ran. */
function mainModuleIn(cache: string): Buffer {
  const modules = join(cache, 'modules');
  const [name = '', ...others] = readdirSync(modules);
  assert.equal(others, []);
  const encoded = readFileSync(join(modules, name)).subarray(32);
  const { from, to } = mainModuleOf(encoded) ?? { from: 0, to: 0 };
  return encoded.subarray(from, to);
}

command('-o writes a WebAssembly module, and a run takes it from beside the image', ({ cache }) => {
  const image = join(cache, 'hello.elf');
  copyFileSync(hello, image);
  const file = join(cache, 'hello.wasm');

  const told = stubdom(cache, 'recompile', image, '-o', file);
  const written = readFileSync(file);
  const afterwards = readdirSync(cache).sort();
  const ran = stubdom(cache, 'run', image);
  const taken = mainModuleIn(cache);
  rmSync(file);
  rmSync(join(cache, 'modules'), { recursive: true });
  stubdom(cache, 'run', image);

  assert.equal([told.status, told.stderr], [0, '']);
  assert.equal(afterwards, ['hello.elf', 'hello.wasm']);
  assert.ok(WebAssembly.validate(written));
  assert.equal([ran.status, ran.stderr], [0, '']);
  assert.match(ran.stdout, /Hello, world!/);
  // What binaryen wrote, where a run by itself would have written it otherwise.
  assert.ok(taken.length > 0 && taken.equals(written.subarray(0, taken.length)));
  assert.not.ok(mainModuleIn(cache).equals(taken));
});

command('a file that does not fit is one line if it was named, and none if not', ({ cache }) => {
  const image = join(cache, 'hello.elf');
  copyFileSync(hello, image);
  const file = join(cache, 'hello.elf.wasm');
  stubdom(cache, 'recompile', hello, '-o', file);
  const other = join(projectDirectory, 'examples/hello-c/hello-64.elf');

  const wrong = stubdom(cache, 'run', '--translation', file, other);
  const bytes = readFileSync(file);
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
  writeFileSync(file, bytes);
  const damaged = stubdom(cache, 'run', '--translation', file, image);
  const silent = stubdom(cache, 'run', image);

  for (const { status, stdout } of [wrong, damaged, silent]) {
    assert.is(status, 0);
    assert.match(stdout, /Hello, world!/);
  }
  assert.match(wrong.stderr, /^stubdom: .*hello\.elf\.wasm: made from another image[^\n]*\n$/);
  assert.match(damaged.stderr, /^stubdom: .*hello\.elf\.wasm: damaged[^\n]*\n$/);
  assert.is(silent.stderr, '');
});

command('a terminal sees how many functions are done', ({ cache }) => {
  const line = `"${process.execPath}" "${main}" recompile "${hello}"`;

  const { stdout } = spawnSync('script', ['-q', '-e', '-c', line, '/dev/null'], {
    ...{ encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] },
    env: { ...process.env, STUBDOM_CACHE: cache },
  });

  const counts = [...stdout.matchAll(/(\d+) of (\d+) func/g)].map(([, done]) => Number(done));
  assert.ok(counts.length > 10, stdout);
  assert.equal(
    counts,
    [...counts].sort((a, b) => a - b),
  );
});

command('-o to where nothing can be written, or onto the image, is one line', ({ cache }) => {
  const nowhere = stubdom(cache, 'recompile', hello, '-o', join(cache, 'none/x.wasm'));
  const itself = stubdom(cache, 'recompile', hello, '-o', hello);

  assert.is(nowhere.status, 125);
  assert.match(nowhere.stderr, /^stubdom: .*x\.wasm: cannot be written \(ENOENT\)\n$/);
  assert.is(itself.status, 2);
  assert.match(itself.stderr, /^stubdom: .*is the image itself\n$/);
});

command('what is no image is one line, and too many words are wrong usage', ({ cache }) => {
  const bad = stubdom(cache, 'recompile', join(projectDirectory, 'package.json'));
  const wrong = stubdom(cache, 'recompile', hello, hello);

  assert.is(bad.status, 125);
  assert.match(bad.stderr, /^stubdom: .*not an ELF.*\n$/);
  assert.is(wrong.status, 2);
});

command.run();

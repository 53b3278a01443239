import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readWords } from '../../../../toolchain/cli/commands/build.ts';
import { type Finished, runProcess } from '../../../../toolchain/process.ts';

const command = suite<{ root: string }>('toolchain/cli/commands/build');

command.before.each((context) => {
  context.root = mkdtempSync(join(tmpdir(), 'stubdom-test-'));
});
command.after.each(({ root }) => rmSync(root, { recursive: true, force: true }));

const script = fileURLToPath(new URL('../../../../toolchain/cli/main.js', import.meta.url));
const stubdom = (cwd: string, ...words: string[]): Promise<Finished> =>
  runProcess(process.execPath, [script, ...words], { cwd });

command('options of gcc keep their order and their values', () => {
  const words = readWords(['-m32', '-I', 'inc', '-DX=1', 'a.c', '-oout', '-L', '.', '-lz', 'b.c']);

  assert.equal(words, {
    width: 32,
    ...{ output: 'out', isCaml: false, isBytecode: false, packages: [] },
    rest: ['-I', 'inc', '-DX=1', 'a.c', '-L', '.', '-lz', 'b.c'],
  });
});

command('without -o the image is named after the first source', () => {
  assert.is(readWords(['-include', 'x.h', 'dir/hello.c', 'b.c']).output, 'hello.elf');
});

command('what makes no image or is no C is refused', () => {
  assert.throws(() => readWords(['-c', 'a.c']), /-c: build makes whole images/);
  assert.throws(() => readWords(['a.c', '-I']), /-I needs a value/);
  assert.throws(() => readWords(['a.c', '--bytecode']), /--bytecode: there is no module/);
  assert.throws(() => readWords(['a.c', '-package', 'unix']), /-package unix: there is no module/);
  assert.throws(() => readWords(['a.mli', 'a.c']), /an interface of OCaml’s, and no module/);
});

command('modules of OCaml’s are seen by their ending, and the last one names the image', () => {
  const words = [
    '-package',
    'unix,str',
    '-package',
    're',
    '--bytecode',
    'a.mli',
    'a.ml',
    'b.ml',
    'c.c',
  ];

  assert.equal(readWords(words), {
    ...{ width: 64, output: 'b.elf', isCaml: true, isBytecode: true },
    ...{ packages: ['unix', 'str', 're'], rest: ['a.mli', 'a.ml', 'b.ml', 'c.c'] },
  });
});

command('several sources become one image, and gcc’s warnings pass', async ({ root }) => {
  writeFileSync(join(root, 'a.c'), 'int f(void);\nint main(void) { int unused; return f(); }\n');
  writeFileSync(join(root, 'b.c'), 'int f(void) { return 0; }\n');

  const { status, stderr } = await stubdom(root, 'build', '-Wall', 'a.c', 'b.c', '-o', 'ab.elf');

  assert.is(status, 0);
  assert.match(stderr, 'a.c:2:22: warning: unused variable');
  assert.ok(existsSync(join(root, 'ab.elf')));
});

command(
  'gcc’s failure is status 1, an output that cannot be written one line and 125',
  async ({ root }) => {
    writeFileSync(join(root, 'a.c'), 'int main(void) { return 0 }\n');

    const broken = await stubdom(root, 'build', 'a.c');
    const unwritable = await stubdom(root, 'build', 'a.c', '-o', 'no/such/out.elf');

    assert.is(broken.status, 1);
    assert.match(broken.stderr, 'a.c:1:');
    assert.is(unwritable.status, 125);
    assert.is(unwritable.stderr, 'stubdom: cannot write no/such/out.elf: ENOENT\n');
  },
);

command('Ctrl-C in the sysroot’s first build leaves no half of one', async ({ root }) => {
  writeFileSync(join(root, 'a.c'), 'int main(void) {}\n');
  const cache = join(root, 'cache');
  const child = spawn(process.execPath, [script, 'build', 'a.c'], {
    cwd: root,
    env: { ...process.env, STUBDOM_CACHE: cache },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  await once(child.stderr, 'data'); // the first line of progress: the work has begun

  child.kill('SIGINT');
  const [status] = await once(child, 'close');

  assert.is(status, 130);
  assert.equal(
    readdirSync(cache).filter((name) => name.startsWith('sysroot')),
    [],
  );
});

command('a cache that cannot be written is one line and 125', async ({ root }) => {
  writeFileSync(join(root, 'a.c'), 'int main(void) {}\n');
  const env = { ...process.env, STUBDOM_CACHE: '/dev/null/cache' };

  const { status, stderr } = await runProcess(process.execPath, [script, 'build', 'a.c'], {
    ...{ cwd: root, env },
  });

  assert.is(status, 125);
  assert.match(stderr, /^stubdom: cannot write \/dev\/null\/cache\/[^\n]+\n$/);
});

command.run();

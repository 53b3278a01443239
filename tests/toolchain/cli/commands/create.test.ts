/** What `stubdom create` takes, does and refuses, as a shell sees it. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Finished, runProcess } from '../../../../toolchain/process.ts';
import { buildGuest } from '../../../support/guest.ts';

const create = suite<{ directory: string }>('toolchain/cli/commands/create');

create.before.each((context) => {
  context.directory = mkdtempSync(join(tmpdir(), 'stubdom-create-'));
});
create.after.each(({ directory }) => rmSync(directory, { recursive: true, force: true }));

const main = fileURLToPath(new URL('../../../../toolchain/cli/main.js', import.meta.url));

const stubdom = (directory: string, ...words: string[]): Promise<Finished> =>
  runProcess(process.execPath, [main, ...words], {
    cwd: directory,
    env: { ...process.env, STUBDOM_CACHE: join(directory, 'cache') },
  });

const echo = `int main(int argc, char **argv) {
  for (int i = 1; i < argc; i++) { print(argv[i]); print(";"); }
  return argc > 3 ? 3 : 0;
}`;

create(
  'a domain is booted with its command line, and ends with its status',
  async ({ directory }) => {
    writeFileSync(join(directory, 'echo.elf'), buildGuest(echo, 64));
    writeFileSync(join(directory, 'guest.cfg'), 'name="echo"\nkernel="echo.elf"\nextra="a  b"\n');

    const plain = await stubdom(directory, 'create', 'guest.cfg');
    const added = await stubdom(directory, 'create', 'guest.cfg', 'extra+=" c"', 'memory=16');

    assert.equal(plain, { status: 0, stdout: 'a;b;', stderr: '' });
    assert.equal(added, { status: 3, stdout: 'a;b;c;', stderr: '' });
  },
);

create('a domain that crashes is started again where the file says so', async ({ directory }) => {
  // It crashes as long as there is input, and has read one byte of it each time.
  const source = `int main(void) {
    char byte;
    if (minios_read(0, &byte, 1) == 0) { print("end\\n"); return 0; }
    print("crash\\n");
    return 9;
  }`;
  writeFileSync(join(directory, 'crash.elf'), buildGuest(source, 64));
  writeFileSync(join(directory, 'guest.cfg'), 'name="c"\nkernel="crash.elf"\non_crash="restart"\n');
  const run = (added: string): Promise<Finished> =>
    runProcess(
      '/bin/sh',
      ['-c', `printf abc | ${process.execPath} ${main} create guest.cfg ${added}`],
      {
        cwd: directory,
        env: { ...process.env, STUBDOM_CACHE: join(directory, 'cache') },
      },
    );

  assert.equal(await run(''), { status: 0, stdout: 'crash\ncrash\ncrash\nend\n', stderr: '' });
  assert.equal(await run(`'on_crash="destroy"'`), { status: 9, stdout: 'crash\n', stderr: '' });
});

create('what is wrong is one line and 125, and nothing has been written', async ({ directory }) => {
  const file = (name: string, content: string | Uint8Array): void =>
    writeFileSync(join(directory, name), content);
  file('echo.elf', buildGuest(echo, 64));
  file('odd.img', 'x'.repeat(1000));
  file('disk.img', new Uint8Array(1024));
  file('ramdisk', new Uint8Array(2 ** 20));
  const least = 'name="g"\nkernel="echo.elf"\n';
  const cases: readonly (readonly [string, RegExp])[] = [
    [`${least}memory=32*2`, /^stubdom: guest\.cfg:3:10: Python is not understood/],
    [`${least}type="hvm"`, /^stubdom: guest\.cfg:3:1: type="hvm" is not supported yet/],
    [`${least}pci=["01:00.0"]`, /^stubdom: guest\.cfg:3:1: pci is not supported yet/],
    [`${least}nope=1`, /^stubdom: guest\.cfg:3:1: no key nope/],
    ['name="g"', /^stubdom: guest\.cfg: kernel must be given/],
    ['name="g"\nkernel="missing"', /^stubdom: missing: no such file/],
    [`${least}disk=["missing,,xvda"]`, /^stubdom: disk missing: no such file/],
    [
      `${least}disk=["odd.img,,xvda"]`,
      /^stubdom: disk odd\.img: its 1000 bytes are not a multiple of 512/,
    ],
    [
      `${least}ramdisk="ramdisk"\nmemory=1`,
      /^stubdom: ramdisk ramdisk: its 1048576 bytes do not fit into 1048576/,
    ],
    [`${least}ramdisk="none"`, /^stubdom: ramdisk none: no such file/],
  ];
  for (const [text, message] of cases) {
    file('guest.cfg', text);
    const { status, stdout, stderr } = await stubdom(directory, 'create', 'guest.cfg');

    assert.equal([status, stdout], [125, ''], text);
    assert.match(stderr, message);
    assert.match(stderr, /^[^\n]*\n$/);
  }
  assert.is(
    (await stubdom(directory, 'create', 'none.cfg')).stderr,
    'stubdom: none.cfg: no such file\n',
  );
  assert.is((await stubdom(directory, 'create')).status, 2);
  assert.is((await stubdom(directory, 'create', 'guest.cfg', 'memory')).status, 2);
  assert.equal(new Uint8Array(readFileSync(join(directory, 'disk.img'))), new Uint8Array(1024));
});

create.run();

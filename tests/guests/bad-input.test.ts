/** What cannot be run or built, as a shell sees it: one line that says which, and nothing done by halves. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { boot, UserError } from '../../runtime/index.ts';
import type { Width } from '../../toolchain/index.ts';
import { programHeader, withHeader, withProgramHeader } from '../support/elf-edit.ts';
import { type ShellOutcome, shell } from '../support/shell.ts';

const bad = suite<{ directory: string }>('guests/bad-input');

bad.before.each((context) => {
  context.directory = mkdtempSync(join(tmpdir(), 'stubdom-bad-'));
});
bad.after.each(({ directory }) => rmSync(directory, { recursive: true, force: true }));

const helloPath = (width: Width): string =>
  fileURLToPath(new URL(`../../../examples/hello-c/hello-${width}.elf`, import.meta.url));
const hello = (width: Width): Uint8Array => new Uint8Array(readFileSync(helloPath(width)));

/** One line of ours on standard error, and nothing else anywhere. */
function assertOneLine(outcome: ShellOutcome, message: RegExp, status = 125): void {
  assert.match(outcome.errors, /^stubdom: [^\n]+\n$/);
  assert.match(outcome.errors, message);
  assert.equal([outcome.status, outcome.output], [status, '']);
}

/** Where the file has the first bytes of a section. */
function sectionOffset(path: string, section: string): number {
  const text = execFileSync('readelf', ['-SW', path], { encoding: 'utf8' });
  const [, offset = ''] = new RegExp(` \\${section} +\\w+ +\\w+ (\\w+) `).exec(text) ?? [];
  return Number.parseInt(offset, 16);
}

function patched(image: Uint8Array, offset: number, ...bytes: number[]): Uint8Array {
  const copy = image.slice();
  copy.set(bytes, offset);
  return copy;
}

/** A name in the image's string tables, changed by its last letter. */
function renamed(image: Uint8Array, name: string): Uint8Array {
  const copy = Buffer.from(image);
  for (let at = copy.indexOf(`${name}\0`); at >= 0; at = copy.indexOf(`${name}\0`, at + 1))
    copy.write('X', at + name.length - 1);
  return new Uint8Array(copy);
}

// biome-ignore format: a table
const images: readonly { readonly name: string; readonly message: RegExp; readonly make: () => Uint8Array }[] = [
  { name: 'a text', message: /not an ELF image: it begins with 23 21/, make: () => new TextEncoder().encode('#!/bin/sh\n'.repeat(20)) },
  { name: 'an empty file', message: /not an ELF image: the file is empty/, make: () => new Uint8Array() },
  { name: 'an ARM image', message: /built for .*; x86-64 and x86-32 images can run here/, make: () => withHeader(hello(64), { e_machine: 183n }) },
  { name: 'a shared object', message: /image\.elf: .*(shared|position)/, make: () => withHeader(hello(64), { e_type: 3n }) },
  { name: 'x86-32 code in an ELF64 file', message: /x86-32 code in an ELF64 file/, make: () => withHeader(hello(64), { e_machine: 3n }) },
  { name: 'a big-endian image', message: /big-endian/, make: () => withHeader(hello(64), { e_data: 2n }) },
  { name: 'overlapping segments', message: /overlap/, make: () => withProgramHeader(hello(64), programHeader(hello(64), 1) + 1, { p_vaddr: 0x1000000n }) },
  { name: 'a segment of all memory', message: /segment 2 takes 0x400000000000 bytes of memory; at most 4 GiB can be had/, make: () => withProgramHeader(hello(64), programHeader(hello(64), 1) + 2, { p_memsz: 0x4000_0000_0000n }) },
  { name: 'a segment that wraps around', message: /segment 2 takes 0xfffffffffffff000 bytes of memory; at most 4 GiB can be had/, make: () => withProgramHeader(hello(64), programHeader(hello(64), 1) + 2, { p_memsz: 0xffff_ffff_ffff_f000n }) },
  { name: 'a segment that relocations miss', message: /relocation .* changes \d bytes at 0x[0-9a-f]+, which lie in no segment/, make: () => withProgramHeader(hello(64), programHeader(hello(64), 1) + 2, { p_vaddr: 0xffff_ffff_8000_0000n }) },
  { name: 'an unknown relocation', message: /relocation.*99/, make: () => patched(hello(64), sectionOffset(helloPath(64), '.rela.plt') + 8, 99, 0, 0, 0) },
  { name: 'an unknown relocation of x86-32', message: /relocation.*99/, make: () => patched(hello(32), sectionOffset(helloPath(32), '.rel.plt') + 4, 99) },
  { name: 'an import that Mini-OS does not have', message: /minios_writX/, make: () => renamed(hello(64), 'minios_write') },
  { name: 'an import that Mini-OS does not have, on x86-32', message: /minios_writX/, make: () => renamed(hello(32), 'minios_write') },
];

for (const { name, message, make } of images)
  bad(`${name} is refused in one line`, async ({ directory }) => {
    writeFileSync(join(directory, 'image.elf'), make());

    const outcome = await shell('$STUBDOM run image.elf', directory);

    assertOneLine(outcome, message);
    assert.match(outcome.errors, /^stubdom: image\.elf: /);
  });

for (const width of [64, 32] as const) {
  bad(`x86-${width}: an image cut anywhere is refused before it runs`, async () => {
    const whole = hello(width);
    for (let size = 0; size < whole.length; size += size < 2048 ? 16 : 1021) {
      const attempt = boot(whole.slice(0, size), { name: 'cut.elf', budget: 1000 });
      const refusal = await attempt.catch((error: unknown) => error);

      assert.instance(refusal, UserError, `cut to ${size} bytes`);
      assert.match((refusal as UserError).message, /^cut\.elf: [^\n]+$/);
      assert.is((refusal as UserError).status, 125);
    }
  });

  bad(`x86-${width}: an image cut in half is one line`, async ({ directory }) => {
    writeFileSync(join(directory, 'cut.elf'), hello(width).slice(0, 50_000));

    assertOneLine(await shell('$STUBDOM run cut.elf', directory), /cut\.elf: .*truncated/);
  });
}

bad('sizes of memory that are none, too small or too large are one line', async (context) => {
  for (const [size, message] of [
    ['0', /--memory 0: too little/],
    ['7G', /--memory 7G: too much; the most is 4080M/],
    ['abc', /--memory abc: expected a number with K, M or G, such as 32M/],
    ['16K', /does not fit into 16384 bytes|does not fit into/],
  ] as const)
    assertOneLine(
      await shell(`$STUBDOM run --memory ${size} ${helloPath(64)}`, context.directory),
      message,
    );
});

bad('the most memory that can be asked for is given', async ({ directory }) => {
  const { status, errors } = await shell(`$STUBDOM run --memory 4080M ${helloPath(64)}`, directory);

  assert.equal([status, errors], [0, '']);
});

bad('wrong usage is one line and 2', async ({ directory }) => {
  for (const [line, message] of [
    ['frobnicate', /no command frobnicate; try: stubdom --help/],
    ['run --frob x.elf', /run: .*--frob/],
    ['run --memory', /run: .*--memory/],
    ['build', /build: no SOURCE\.c given/],
    ['build -c x.c', /build: -c: build makes whole images/],
    ['build x.c -o', /build: -o needs a value/],
    ['inspect', /inspect/],
  ] as const)
    assertOneLine(await shell(`$STUBDOM ${line}`, directory), message, 2);

  const none = await shell('$STUBDOM', directory);
  assert.is(none.status, 2);
  assert.match(none.errors, /^stubdom COMMAND/);
});

// What a cache or an output can do to a build and a run.

bad('an output that cannot be written is one line, and gcc never runs', async ({ directory }) => {
  writeFileSync(join(directory, 'x.c'), 'int main(void) { return 0; }\n');
  mkdirSync(join(directory, 'folder'));
  for (const output of ['no/such/x.elf', 'folder', '/dev/full', '/proc/x.elf']) {
    const outcome = await shell(`$STUBDOM build x.c -o ${output}`, directory);

    assertOneLine(outcome, new RegExp(`cannot write ${output}: E`));
  }
  assert.ok(statSync('/dev/full').isCharacterDevice());
  assert.equal(readdirSync(directory).sort(), ['folder', 'x.c']);
});

/** Runs hello with a cache that is of no use. */
async function assertRunsWithout(directory: string, cache: string): Promise<void> {
  const outcome = await shell(`$STUBDOM run ${helloPath(64)}`, directory, { STUBDOM_CACHE: cache });

  assert.is(outcome.status, 0);
  assert.match(outcome.output, /^Hello, world!\n/);
  assert.match(outcome.errors, /^stubdom: the module cache [^\n]+; going on without it\n$/);
}

bad('a cache beneath a file: a warning, and the guest runs', async ({ directory }) => {
  writeFileSync(join(directory, 'file'), '');

  await assertRunsWithout(directory, join(directory, 'file'));
});

bad('a cache that is read-only: a warning, and the guest runs', async ({ directory }) => {
  // Root may write anywhere but to what is no file system of files.
  const cache = process.getuid?.() === 0 ? '/sys/kernel' : join(directory, 'cache');
  mkdirSync(join(directory, 'cache'));
  chmodSync(join(directory, 'cache'), 0o555);

  await assertRunsWithout(directory, cache);
});

bad('a cache that is full: a warning, the guest runs, no half entry', async ({ directory }) => {
  // /dev/full as the place of every file in it, where nobody may mount a small file system.
  const cache = join(directory, 'cache');
  mkdirSync(cache);
  const isMounted = mounts(cache);
  try {
    if (!isMounted) symlinkSync('/dev/full', join(cache, 'modules'));
    await assertRunsWithout(directory, cache);
    if (isMounted) assert.equal(readdirSync(join(cache, 'modules')), []);
  } finally {
    if (isMounted) execFileSync('umount', [cache]);
  }
});

/** Whether it could mount a file system of 16 KiB there. */
function mounts(directory: string): boolean {
  try {
    const options = ['-t', 'tmpfs', '-o', 'size=16k', 'none', directory];
    execFileSync('mount', options, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

bad('a cache that cannot be written is one line of build’s', async ({ directory }) => {
  writeFileSync(join(directory, 'x.c'), 'int main(void) { return 0; }\n');
  writeFileSync(join(directory, 'file'), '');

  const environment = { STUBDOM_CACHE: join(directory, 'file') };
  const outcome = await shell('$STUBDOM build x.c', directory, environment);

  assertOneLine(outcome, /cannot write .*file.*; STUBDOM_CACHE=DIRECTORY names another cache/);
  assert.not(existsSync(join(directory, 'x.elf')));
});

bad('gcc without its -m32 half is one line that says what to install', async ({ directory }) => {
  const gcc = execFileSync('sh', ['-c', 'command -v gcc'], { encoding: 'utf8' }).trim();
  const fake = `#!/bin/sh\ncase " $* " in *" -m32 "*) echo "cannot find -lgcc" >&2; exit 1;; esac\nexec ${gcc} "$@"\n`;
  mkdirSync(join(directory, 'bin'));
  writeFileSync(join(directory, 'bin/gcc'), fake, { mode: 0o755 });
  writeFileSync(join(directory, 'x.c'), 'int main(void) { return 0; }\n');
  const environment = { PATH: `${join(directory, 'bin')}${delimiter}${process.env['PATH']}` };

  const narrow = await shell('$STUBDOM build -m32 x.c', directory, environment);

  assertOneLine(
    narrow,
    /gcc cannot compile for x86-32 \(-m32\); try: apt-get install gcc-multilib/,
  );
  assert.not(existsSync(join(directory, 'x.elf')));
  const wide = await shell('$STUBDOM build x.c && $STUBDOM run x.elf', directory, environment);
  assert.equal([wide.status, wide.errors], [0, '']);
});

bad('no gcc at all is one line', async ({ directory }) => {
  writeFileSync(join(directory, 'x.c'), 'int main(void) { return 0; }\n');

  const outcome = await shell('PATH=/nowhere $STUBDOM build x.c', directory);

  assertOneLine(outcome, /there is no gcc; try: apt-get install gcc/);
});

// Standard streams that have ended.

bad('input at its end and output that nobody takes end cleanly', async ({ directory }) => {
  const run = `$STUBDOM run ${helloPath(64)}`;
  const whole = await shell(`${run} < /dev/null`, directory);
  assert.equal([whole.status, whole.errors], [0, '']);
  assert.match(whole.output, /^Hello, world!\n/);

  const cut = await shell(`${run} | head -c 1`, directory);
  assert.equal(cut, { status: 0, output: 'H', errors: '' });

  for (const closed of ['>&-', '<&-', '2>&-', '>&- 2>&- <&-']) {
    const outcome = await shell(`${run} ${closed}; echo status $?`, directory);
    assert.match(outcome.output, /status (0|1|141)\n$/, closed);
    assert.not.match(outcome.errors, /\.js:\d/);
  }
});

bad.run();

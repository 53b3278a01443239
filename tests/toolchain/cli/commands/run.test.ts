/** What `stubdom run` takes, and what a shell sees of it. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseMemory } from '../../../../toolchain/cli/commands/run.ts';
import { buildGuest } from '../../../support/guest.ts';

const run = suite<{ directory: string }>('toolchain/cli/commands/run');

run.before.each((context) => {
  context.directory = mkdtempSync(join(tmpdir(), 'stubdom-run-'));
});
run.after.each(({ directory }) => rmSync(directory, { recursive: true, force: true }));

const main = fileURLToPath(new URL('../../../../toolchain/cli/main.js', import.meta.url));
const hello = (width: 64 | 32): string =>
  fileURLToPath(new URL(`../../../../../examples/hello-c/hello-${width}.elf`, import.meta.url));

interface Outcome {
  readonly status: number | null;
  readonly output: string;
  readonly errors: string;
}

/** A shell's command line in which `$STUBDOM` is the command; the cache is in the test's directory. */
function shell(
  directory: string,
  line: string,
  cache = join(directory, 'cache'),
): Promise<Outcome> {
  const child = spawn('/bin/sh', ['-c', line], {
    cwd: directory,
    env: { ...process.env, STUBDOM: `${process.execPath} ${main}`, STUBDOM_CACHE: cache },
  });
  let [output, errors] = ['', ''];
  child.stdout.on('data', (bytes) => {
    output += String(bytes);
  });
  child.stderr.on('data', (bytes) => {
    errors += String(bytes);
  });
  child.stdin.end();
  return new Promise((resolve) =>
    child.on('close', (status) => resolve({ status, output, errors })),
  );
}

run('sizes have K, M or G', () => {
  assert.equal(['8192', '64K', '32M', '32m', '1G'].map(parseMemory), [
    8192,
    65536,
    2 ** 25,
    2 ** 25,
    2 ** 30,
  ]);
});

run('a size that is none, or too large or too small, is told in one line', () => {
  assert.throws(
    () => parseMemory('abc'),
    '--memory abc: expected a number with K, M or G, such as 32M',
  );
  for (const text of ['-1M', '1.5G', '', 'M', '0x10', '1e9', '1 M'])
    assert.throws(() => parseMemory(text), /expected a number/);
  assert.throws(() => parseMemory('0'), /--memory 0: too little/);
  assert.throws(() => parseMemory('7G'), '--memory 7G: too much; the most is 4080M');
});

for (const width of [64, 32] as const)
  run(
    `x86-${width}: hello prints its arguments, cold and from the cache`,
    async ({ directory }) => {
      const line = `$STUBDOM run ${hello(width)} -- a 'b c'`;
      const expected = {
        ...{ status: 0, errors: '' },
        output:
          'Hello, world!\nHello, a!\nHello, b c!\nThis is a stub domain, and its pi is 3.14159.\n',
      };

      assert.equal(await shell(directory, line), expected);
      const [entry = '', ...others] = readdirSync(join(directory, 'cache/modules'));
      assert.equal(others, []);
      assert.equal(await shell(directory, line), expected);

      writeFileSync(join(directory, 'cache/modules', entry), 'damaged');
      assert.equal(await shell(directory, line), expected);
    },
  );

run('a cache that cannot be used is one line, and the guest runs', async ({ directory }) => {
  writeFileSync(join(directory, 'file'), '');

  const outcome = await shell(directory, `$STUBDOM run ${hello(64)}`, join(directory, 'file'));

  assert.is(outcome.status, 0);
  assert.match(outcome.output, /^Hello, world!\n/);
  assert.match(outcome.errors, /^stubdom: the module cache .* cannot be written .*\n$/);
});

run('what cannot be run is one line and 125', async ({ directory }) => {
  writeFileSync(join(directory, 'text'), 'not an ELF image');
  writeFileSync(join(directory, 'disk.img'), new Uint8Array(512));
  const cases: readonly (readonly [line: string, message: RegExp])[] = [
    ['run', /no IMAGE given/],
    ['run missing.elf', /missing\.elf: no such file/],
    ['run .', /\.: a directory/],
    ['run text', /text: /],
    ['run /bin/true', /\/bin\/true: /],
    [`run --memory abc ${hello(64)}`, /--memory abc: expected/],
    [`run --memory 0 ${hello(64)}`, /--memory 0: too little/],
    [`run --memory 7G ${hello(64)}`, /--memory 7G: too much/],
    [`run --memory 64K ${hello(64)}`, /does not fit into 65536 bytes .* needs 1 MiB/],
    [`run --disk disk.img ${hello(64)}`, /--disk disk\.img: expected NAME=FILE/],
    [`run --disk vda=text ${hello(64)}`, /--disk vda=text: no device vda;/],
    [`run --disk xvda=none.img ${hello(64)}`, /disk none\.img: no such file/],
    [`run --disk xvda=text:ro ${hello(64)}`, /disk text: its 16 bytes are not a multiple of 512/],
    [`run --ramdisk disk.img ${hello(64)}`, /it cannot be given a ramdisk yet/],
    [`run --ramdisk none.img ${hello(64)}`, /ramdisk none\.img: no such file/],
    [`run --trace nope ${hello(64)}`, /--trace nope: no nope; expected some of/],
    [`run --env novalue ${hello(64)}`, /--env novalue: expected NAME=VALUE/],
  ];
  for (const [line, message] of cases) {
    const { status, output, errors } = await shell(directory, `$STUBDOM ${line}`);

    assert.equal([status, output], [125, ''], line);
    assert.match(errors, /^stubdom: [^\n]*\n$/);
    assert.match(errors, message);
  }
});

run('a fault is a report on standard error, behind all that was printed', async ({ directory }) => {
  const source = 'int main(void) { print("before\\n"); *(volatile int *)4 = 1; return 0; }';
  writeFileSync(join(directory, 'fault.elf'), buildGuest(source, 64));

  const { status, output } = await shell(directory, '$STUBDOM run fault.elf 2>&1');

  assert.is(status, 139);
  assert.match(output, /^before\nfault\.elf: #PF: writing to 0x4: a NULL pointer\n {2}at {6}/);
  assert.not.match(output, /\.js:\d/);
});

run('pipes: input to its end, output to a reader that goes away', async ({ directory }) => {
  const cat = `int main(void) {
    char buffer[100];
    for (long n; (n = minios_read(0, buffer, 100)) > 0;) if (minios_write(1, buffer, n) < 0) return 5;
    return 6;
  }`;
  writeFileSync(join(directory, 'cat.elf'), buildGuest(cat, 64));

  const whole = await shell(
    directory,
    'seq 1 20000 | $STUBDOM run cat.elf | md5sum; seq 1 20000 | md5sum',
  );
  const [through, straight] = whole.output.split('\n');
  assert.is(through, straight);

  // SIGPIPE, as natively.
  const cut = await shell(
    directory,
    'yes | { $STUBDOM run cat.elf; echo status $? >&2; } | head -n 1',
  );
  assert.equal(cut, { status: 0, output: 'y\n', errors: 'status 141\n' });

  const none = await shell(directory, '$STUBDOM run cat.elf <&-');
  assert.equal(none, { status: 6, output: '', errors: '' });
});

run('a guest that ignores that nobody reads is ended', async ({ directory }) => {
  writeFileSync(
    join(directory, 'y.elf'),
    buildGuest('int main(void) { for (;;) print("y\\n"); }', 64),
  );

  const outcome = await shell(directory, '{ $STUBDOM run y.elf; echo status $? >&2; } | head -n 1');

  assert.equal(outcome, { status: 0, output: 'y\n', errors: 'status 141\n' });
});

run('Ctrl-] on a terminal ends a busy guest with 130', async ({ directory }) => {
  writeFileSync(join(directory, 'busy.elf'), buildGuest('int main(void) { for (;;) ; }', 64));

  const line = `(sleep 3; printf '\\035'; sleep 3) | script -q -e -c "$STUBDOM run busy.elf" /dev/null`;

  assert.is((await shell(directory, line)).status, 130);
});

run.run();

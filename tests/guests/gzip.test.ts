/** gzip, unchanged, on files of a folder of the host: the host's gzip reads what it leaves there, and it reads what the host's leaves. */
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Width } from '../../toolchain/index.ts';
import { type Finished, runProcess } from '../../toolchain/process.ts';
import { gzipImage } from '../support/gzip.ts';
import { isFull } from '../support/program.ts';
import { random } from '../support/random.ts';

interface Context {
  directory: string;
}

const gzip = suite<Context>('guests/gzip');

gzip.before.each((context) => {
  context.directory = mkdtempSync(join(tmpdir(), 'stubdom-gzip-'));
});
gzip.after.each(({ directory }) => rmSync(directory, { recursive: true, force: true }));

const stubdom = fileURLToPath(new URL('../../toolchain/cli/main.js', import.meta.url));
const time = 1_234_567_890;

const numbers = random(17);
const files: Readonly<Record<string, Buffer>> = {
  text: Buffer.from(Array.from({ length: 30_000 }, () => `line ${numbers.below(500)}\n`).join('')),
  noise: Buffer.from(numbers.bytes(70_000)),
  zeros: Buffer.alloc(1 << 20),
  empty: Buffer.alloc(0),
};

function fill(directory: string): void {
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(directory, name), content);
    chmodSync(join(directory, name), 0o640);
    utimesSync(join(directory, name), time, time);
  }
}

const inGuest = async (width: Width, directory: string, line: string): Promise<Finished> =>
  runProcess(process.execPath, [
    ...[stubdom, 'run', '--fs', `/export=${directory}`, await gzipImage(width), '--'],
    ...line.split(' '),
  ]);

async function onHost(directory: string, line: string): Promise<void> {
  const { status, stderr } = await runProcess('gzip', line.split(' '), { cwd: directory });
  assert.is(status, 0, stderr);
}

const names = Object.keys(files);
const packed = names.map((name) => `${name}.gz`);
const inExport = (list: readonly string[]): string =>
  list.map((name) => `/export/${name}`).join(' ');

function assertFilled(directory: string): void {
  assert.equal(readdirSync(directory).sort(), [...names].sort());
  for (const [name, content] of Object.entries(files)) {
    const status = statSync(join(directory, name));
    assert.ok(readFileSync(join(directory, name)).equals(content), name);
    assert.equal([status.mode & 0o777, status.mtimeMs / 1000], [0o640, time], name);
  }
}

if (!isFull) process.stdout.write('skipped: gzip is built for x86-64 alone; --full has both\n');
for (const width of isFull ? ([64, 32] as const) : ([64] as const)) {
  gzip(`x86-${width}: the host unpacks what it has packed`, async ({ directory }) => {
    for (const level of ['-1', '-9']) {
      fill(directory);

      const { status, stderr } = await inGuest(width, directory, `${level} ${inExport(names)}`);

      assert.is(status, 0, stderr);
      assert.equal(readdirSync(directory).sort(), [...packed].sort());
      assert.ok(statSync(join(directory, 'zeros.gz')).size < 6000);
      await onHost(directory, `-t ${packed.join(' ')}`);
      await onHost(directory, `-d ${packed.join(' ')}`);
      assertFilled(directory);
    }
  });

  gzip(`x86-${width}: it unpacks what the host has packed, a tree too`, async ({ directory }) => {
    fill(directory);
    await onHost(directory, names.join(' '));
    const { status, stderr } = await inGuest(width, directory, `-d ${inExport(packed)}`);
    assert.is(status, 0, stderr);
    assertFilled(directory);

    mkdirSync(join(directory, 'tree/deep'), { recursive: true });
    fill(join(directory, 'tree'));
    fill(join(directory, 'tree/deep'));
    const there = await inGuest(width, directory, '-r /export/tree');
    assert.is(there.status, 0, there.stderr);
    assert.equal(readdirSync(join(directory, 'tree/deep')).sort(), [...packed].sort());
    const back = await inGuest(width, directory, '-d -r /export/tree');
    assert.is(back.status, 0, back.stderr);
    assertFilled(join(directory, 'tree/deep'));
  });

  gzip(`x86-${width}: it says what is wrong, and harms nothing`, async ({ directory }) => {
    fill(directory);
    await onHost(directory, `-k ${names.join(' ')}`);
    writeFileSync(join(directory, 'bad.gz'), readFileSync(join(directory, 'text.gz')).subarray(99));
    writeFileSync(
      join(directory, 'short.gz'),
      readFileSync(join(directory, 'text.gz')).subarray(0, 999),
    );
    const before = readdirSync(directory);

    const twice = await inGuest(width, directory, '/export/text');
    const bad = await inGuest(width, directory, '-d /export/bad.gz');
    const short = await inGuest(width, directory, '-d /export/short.gz');
    const none = await inGuest(width, directory, '/export/none');

    assert.match(twice.stdout + twice.stderr, '/export/text.gz already exists;\tnot overwritten');
    assert.match(bad.stdout + bad.stderr, '/export/bad.gz: not in gzip format');
    assert.match(short.stdout + short.stderr, '/export/short.gz: unexpected end of file');
    assert.match(none.stdout + none.stderr, '/export/none: No such file or directory');
    assert.equal(
      [twice, bad, short, none].map(({ status }) => status),
      [2, 1, 1, 1],
    );
    assert.equal(readdirSync(directory), before);
  });
}

gzip.run();

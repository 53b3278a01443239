/** A domain that SIGUSR2 suspends to a file, and what `stubdom restore` makes of it, as a shell sees it. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { runProcess } from '../../../../toolchain/process.ts';
import { suspendDisk, suspendFiles } from '../../../golden/record/pv.ts';
import { buildPvGuest } from '../../../support/pv-guest.ts';

const test = suite<{ directory: string }>('toolchain/cli/commands/restore');

test.before.each((context) => {
  context.directory = mkdtempSync(join(tmpdir(), 'stubdom-restore-'));
});
test.after.each(({ directory }) => rmSync(directory, { recursive: true, force: true }));

const main = fileURLToPath(new URL('../../../../toolchain/cli/main.js', import.meta.url));

const disk = ['--disk', 'xvda=disk.img:ro'] as const;

interface Ran {
  readonly status: number | null;
  readonly text: string;
}

/** Asked to suspend when it has printed that. */
function runUntil(directory: string, printed: string, ...words: string[]): Promise<Ran> {
  const child = spawn(process.execPath, [main, ...words], { cwd: directory, stdio: 'pipe' });
  let text = '';
  let isAsked = false;
  const take = (chunk: string): void => {
    text += chunk;
    if (isAsked || !text.includes(printed)) return;
    isAsked = true;
    child.kill('SIGUSR2');
  };
  child.stdout.setEncoding('utf8').on('data', take);
  child.stderr.setEncoding('utf8').on('data', take);
  return new Promise((resolve) => child.once('close', (status) => resolve({ status, text })));
}

test('a domain goes on in another process, as often as it is saved', async ({ directory }) => {
  const image = await buildPvGuest('../pv-suspend', 64, suspendFiles);
  writeFileSync(join(directory, 'guest.elf'), image);
  writeFileSync(join(directory, 'disk.img'), suspendDisk());
  const looked = '-- looked';

  const first = await runUntil(directory, 'tables', 'run', ...disk, '--save', 'a', 'guest.elf');
  const second = await runUntil(directory, looked, 'restore', ...disk, '--save', 'b', 'a');
  const third = await runUntil(directory, looked, 'restore', ...disk, '--save', 'a', 'b');
  const last = await runProcess(process.execPath, [main, 'restore', ...disk, 'a'], {
    cwd: directory,
  });

  assert.is(first.status, 2, first.text);
  assert.is(second.status, 2, second.text);
  assert.is(third.status, 2, third.text);
  assert.is(last.status, 0, last.stderr);
  for (const { text } of [second, third]) assert.match(text, 'suspended: 0');
  assert.match(last.stdout, 'words that have changed: 0');
  assert.not.ok(existsSync(join(directory, 'a.part')));
});

test('what cannot be written is told, and the guest goes on', async ({ directory }) => {
  const image = await buildPvGuest('../pv-suspend', 64, suspendFiles);
  writeFileSync(join(directory, 'guest.elf'), image);
  writeFileSync(join(directory, 'disk.img'), suspendDisk());
  const child = spawn(process.execPath, [main, 'run', ...disk, '--save', 'none/a', 'guest.elf'], {
    cwd: directory,
    stdio: 'pipe',
  });
  let text = '';
  const times = { asked: 0 };
  const take = (chunk: string): void => {
    text += chunk;
    const wanted = text.split('-- looked').length - 1;
    if (!text.includes('tables') || times.asked > wanted) return;
    times.asked++;
    child.kill('SIGUSR2');
  };
  child.stdout.setEncoding('utf8').on('data', take);
  child.stderr.setEncoding('utf8').on('data', take);
  const status = await new Promise((resolve) => child.once('close', resolve));

  assert.is(status, 0, text);
  assert.match(text, /stubdom: none\/a: .*no such file/);
});

test('a file that is none is refused in one line', async ({ directory }) => {
  writeFileSync(join(directory, 'none'), 'Xen saved domain? No.');

  const { status, stderr } = await runProcess(process.execPath, [main, 'restore', 'none'], {
    cwd: directory,
  });

  assert.is(status, 125);
  assert.is(stderr, 'stubdom: none: it ends too early\n');
});

test.run();

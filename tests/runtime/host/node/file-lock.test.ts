/** Locks against other processes: one holds, one dies, many race. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openDisk } from '../../../../runtime/host/node/file-disk.ts';
import { assertRefused } from '../../../support/assert-refused.ts';

const locks = suite<{ image: string }>('runtime/host/node/file-lock');

locks.before.each((context) => {
  context.image = join(mkdtempSync(join(tmpdir(), 'stubdom-lock-')), 'disk.img');
  writeFileSync(context.image, new Uint8Array(512));
});
locks.after.each(({ image }) => rmSync(join(image, '..'), { recursive: true, force: true }));

const holder = fileURLToPath(new URL('../../../support/disk-holder.js', import.meta.url));

/** A process that opens a disk for writing and keeps it; its first line: `held`, or why not. */
async function hold(image: string): Promise<{ child: ChildProcess; said: string }> {
  const child = spawn(process.execPath, [holder, image], { stdio: ['pipe', 'pipe', 'inherit'] });
  const said = await new Promise<string>((resolve) =>
    child.stdout.once('data', (text) => resolve(String(text).trim())),
  );
  return { child, said };
}

const ended = (child: ChildProcess): Promise<void> =>
  child.exitCode !== null || child.signalCode !== null
    ? Promise.resolve()
    : new Promise((resolve) => child.once('exit', () => resolve()));

locks('another run is named with its pid, and nothing is written', async ({ image }) => {
  const { child, said } = await hold(image);
  assert.is(said, 'held');

  await assertRefused(
    () => openDisk(image, 'rw'),
    `disk ${image}: already open for writing by process ${child.pid}`,
  );

  assert.equal(new Uint8Array(readFileSync(image)), new Uint8Array(512));
  child.stdin?.end();
  await ended(child);
});

locks('a run that was killed holds nothing', async ({ image }) => {
  const { child, said } = await hold(image);
  assert.is(said, 'held');

  child.kill('SIGKILL');
  await ended(child);

  await (await openDisk(image, 'rw')).close();
});

locks('of many that race one wins, and all others name it', async ({ image }) => {
  const all = await Promise.all(Array.from({ length: 6 }, () => hold(image)));
  const [winner, ...others] = all.filter(({ said }) => said === 'held');

  assert.ok(winner);
  assert.equal(others, []);
  for (const { said } of all.filter((one) => one !== winner))
    assert.is(said, `disk ${image}: already open for writing by process ${winner.child.pid}`);
  for (const { child } of all) child.stdin?.end();
  await Promise.all(all.map(({ child }) => ended(child)));
});

locks.run();

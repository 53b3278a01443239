/** A PV guest with a block front-end of its own, in C: all that blkif has, well and badly, and what then is on the host's disk. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openDisk } from '../../runtime/host/node/file-disk.ts';
import { openQcow2 } from '../../runtime/host/node/qcow2-file.ts';
import { boot } from '../../runtime/index.ts';
import type { Width } from '../../runtime/memory/layout.ts';
import { runProcess } from '../../toolchain/process.ts';
import { blockGuestBytes, pvTranscripts } from '../golden/record/pv.ts';
import { checkExt2, makeExt2 } from '../support/ext2-image.ts';
import { buildPvGuest } from '../support/pv-guest.ts';
import { checkQcow2, qemuImg, rawOf } from '../support/qemu-img.ts';
import { random } from '../support/random.ts';

const block = suite<{ directory: string }>('guests/pv-block');

block.before.each((context) => {
  context.directory = mkdtempSync(join(tmpdir(), 'stubdom-block-'));
});
block.after.each(({ directory }) => rmSync(directory, { recursive: true, force: true }));

const main = fileURLToPath(new URL('../../toolchain/cli/main.js', import.meta.url));

/** Every yield counts as a whole slice, and the guest yields for as long as a process that punches a hole takes to start. */
const budget = 2 ** 40;

const guest = (width: Width): Promise<Uint8Array> => buildPvGuest('../pv-block', width);

/** Linux's back-end on a disk that keeps what is discarded, and that takes a secure discard, which it does not offer, for another. */
const otherwise: readonly (readonly [string, string])[] = [
  ['discarded: fa000 fbfff', 'discarded: 0 0'],
  ['BLKIF_DISCARD_SECURE) = 0', 'BLKIF_DISCARD_SECURE) = -2'],
];

for (const width of [64, 32] as const)
  block(
    `${width}: good and bad requests are answered as by Linux’s back-end on Xen`,
    async ({ directory }) => {
      const path = join(directory, 'disk.img');
      writeFileSync(path, new Uint8Array(blockGuestBytes));
      const disk = await openDisk(path, 'rw');

      const domain = await boot(await guest(width), {
        ...{ name: 'block', budget, disks: [{ vdev: 'xvda', disk }] },
      });
      const ending = await domain.exited;
      await disk.close();

      const recorded = readFileSync(join(pvTranscripts, 'block-64.txt'), 'utf8');
      const expected = otherwise.reduce((text, [from, to]) => text.replace(from, to), recorded);
      assert.is(domain.console.text.replaceAll('\r\n', '\n'), expected, ending.report);
      assert.is(ending.status, 0, ending.report);
      const written = new Uint32Array(readFileSync(path).buffer, 800 * 512, 1024);
      assert.ok(
        written.every((word, n) => word === 8 * 1024 + n),
        'what the barrier wrote is in the file',
      );
    },
  );

/** xvda has a file system, xvdb is as large; what strace saw of the host, if it ran. */
async function copyDisk(
  directory: string,
): Promise<{ stdout: string; calls: string | undefined } | undefined> {
  const path = (name: string): string => join(directory, name);
  const content = random(7).bytes(300_000);
  if (!(await makeExt2(directory, path('from.img'), 4, { a: content, 'b/c': 'c\n' })))
    return undefined;
  writeFileSync(path('to.img'), new Uint8Array(4 * 2 ** 20).fill(0xff));
  writeFileSync(path('block.elf'), await guest(64));
  const run = [main, 'run', '--disk', 'xvda=from.img:ro', '--disk', 'xvdb=to.img'];
  const command = [process.execPath, ...run, '--cmdline', 'copy', 'block.elf'];
  const options = { cwd: directory, env: { ...process.env, STUBDOM_CACHE: path('cache') } };
  const words = ['-f', '-qq', '-y', '--seccomp-bpf', '-e', 'trace=fdatasync,fsync', '-o', 'calls'];
  const traced = await runProcess('strace', [...words, ...command], options);
  if (traced.status === 0) return { ...traced, calls: readFileSync(path('calls'), 'utf8') };
  const isAllowed = traced.status !== 127 && !/ptrace|not permitted/i.test(traced.stderr);
  if (isAllowed) throw new Error(traced.stderr);
  process.stdout.write(`no system calls counted: ${traced.stderr.trim().split('\n')[0]}\n`);
  const [node = '', ...rest] = command;
  const plain = await runProcess(node, rest, options);
  assert.is(plain.status, 0, plain.stderr);
  return { ...plain, calls: undefined };
}

block(
  'a file system is copied whole, and the host hears each flush and barrier',
  async ({ directory }) => {
    const done = await copyDisk(directory);
    if (done === undefined) return;

    const [, sectors, barriers, flushes] =
      /copied (\d+) sectors, (\d+) barriers, (\d+) flushes, 0 failures/.exec(done.stdout) ?? [];
    assert.is(sectors, '8192', done.stdout);
    const [from, to] = ['from.img', 'to.img'].map((name) => readFileSync(join(directory, name)));
    assert.ok(to?.equals(from ?? Buffer.alloc(0)), 'the copy is the same');
    assert.is(await checkExt2(join(directory, 'to.img')), '');
    const ofCopy = done.calls?.split('\n').filter((line) => /to\.img/.test(line)) ?? [];
    // A barrier has one before its data and one behind.
    const expected = Number(flushes) + 2 * Number(barriers);
    assert.ok(expected > 10);
    if (done.calls !== undefined) assert.is(ofCopy.length, expected);
  },
);

block('32: a copy in a qcow2 image is whole for QEMU, too', async ({ directory }) => {
  const path = (name: string): string => join(directory, name);
  const files = { a: random(9).bytes(200_000) };
  if (!(await makeExt2(directory, path('from.img'), 4, files))) return;
  await qemuImg('create', '-q', '-f', 'qcow2', path('to.qcow2'), '4M');
  const from = await openDisk(path('from.img'), 'ro');
  const to = await openQcow2(path('to.qcow2'), 'rw');

  const domain = await boot(await guest(32), {
    ...{ name: 'block', budget, commandLine: 'copy' },
    disks: [
      { vdev: 'xvda', disk: from },
      { vdev: 'xvdb', disk: to },
    ],
  });
  await domain.exited;
  await Promise.all([from.close(), to.close()]);

  assert.match(domain.console.text, / 0 failures/);
  assert.is(await checkQcow2(path('to.qcow2')), 'whole');
  assert.ok((await rawOf(path('to.qcow2'))).equals(readFileSync(path('from.img'))));
});

block(
  'a copy-on-write disk takes all of it, and its file stays as it was',
  async ({ directory }) => {
    const path = join(directory, 'disk.img');
    const before = random(3).bytes(blockGuestBytes);
    writeFileSync(path, before);
    const disk = await openDisk(path, 'cow');

    const domain = await boot(await guest(64), {
      ...{ name: 'block', budget, disks: [{ vdev: 'xvda', disk }] },
    });
    await domain.exited;
    await disk.close();

    assert.match(domain.console.text, /pages read back: 11\r\n/);
    assert.match(domain.console.text, /the same pages again: 1500\r\n/);
    assert.ok(readFileSync(path).equals(before));
  },
);

block('a read-only disk is read, and nothing is written', async ({ directory }) => {
  const path = join(directory, 'disk.img');
  writeFileSync(path, new Uint8Array(blockGuestBytes));
  const disk = await openDisk(path, 'ro');

  const domain = await boot(await guest(32), {
    ...{ name: 'block', budget, disks: [{ vdev: 'xvda', disk }] },
  });
  await domain.exited;
  await disk.close();

  const { text } = domain.console;
  assert.match(text, /\ninfo 4\r\n/);
  assert.match(text, /transfer\(BLKIF_OP_WRITE, 0, 0, 11\) = -1\r\n/);
  assert.match(text, /transfer\(BLKIF_OP_READ, 0, 11, 11\) = 0\r\n/);
  assert.match(text, /transfer\(BLKIF_OP_WRITE_BARRIER, 800, 0, 1\) = -1\r\n/);
  assert.match(text, /mode r\r\n/);
  assert.ok(readFileSync(path).every((byte) => byte === 0));
});

block.run();

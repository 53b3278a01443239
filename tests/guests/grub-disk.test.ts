/** Debian's GRUB reads files of an ext2 disk through the block back-end, as the library boots it and as the command does. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openDisk } from '../../runtime/host/node/file-disk.ts';
import { boot } from '../../runtime/index.ts';
import { runProcess } from '../../toolchain/process.ts';
import { makeExt2 } from '../support/ext2-image.ts';
import { makeGrub } from '../support/grub.ts';
import { isFull } from '../support/program.ts';
import { random } from '../support/random.ts';

/** Writes to its disk and reboots; the second time it finds what it has written. */
const twice = `
load_env -f (xen/xvda)/grubenv
echo "tries: $tries"
if [ "$tries" = "one" ]; then halt; fi
set tries=one
save_env -f (xen/xvda)/grubenv tries
reboot
`;

const noise = random(5).bytes(2 ** 20);

const grub = suite<{ directory: string; image: string; isThere: boolean }>('guests/grub-disk');

const big = noise;
/** For the long tier. */
const megabytes = isFull ? 64 : 0;
const huge = Buffer.concat(
  Array.from({ length: megabytes }, (_, n) => noise.map((byte) => (byte + n) & 255)),
);
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const modules = ['echo', 'halt', 'ls', 'cat', 'ext2', 'hashsum', 'gcry_sha256', 'sleep', 'reboot'];

grub.before(async (context) => {
  context.directory = mkdtempSync(join(tmpdir(), 'stubdom-grub-disk-'));
  context.image = join(context.directory, 'disk.img');
  const files = {
    ...{ 'hello.txt': 'hello from a file\n', big, huge, 'deep/er/file': 'deep\n' },
    ...{ 'grub.cfg': twice, grubenv: '# GRUB Environment Block\n'.padEnd(1024, '#') },
  };
  context.isThere = await makeExt2(
    context.directory,
    context.image,
    Math.ceil(megabytes * 1.2) + 4,
    files,
  );
});
grub.after(({ directory }) => rmSync(directory, { recursive: true, force: true }));

for (const width of [64, 32] as const)
  grub(`x86-${width}: files are listed, printed and hashed`, async ({ image, isThere }) => {
    if (!isThere) return;
    const commands =
      'ls (xen/xvdb)/\ncat (xen/xvdb)/deep/er/file\nsha256sum (xen/xvdb)/big\nhalt\n';
    const before = sha256(readFileSync(image));
    const disk = await openDisk(image, 'rw');
    const reads: string[] = [];

    const domain = await boot(await makeGrub(width, commands, modules), {
      ...{ name: 'grub', memory: 64 * 2 ** 20, disks: [{ vdev: 'xvdb', disk }] },
      trace: ({ kind, text }) => {
        if (kind === 'blk') reads.push(text);
      },
    });
    const ending = await domain.exited;
    await disk.close();

    assert.equal(ending, { status: 0, reason: 'shutdown' });
    const { text } = domain.console;
    for (const found of ['hello.txt', 'deep/', '\ndeep\n', sha256(big)])
      assert.ok(text.replaceAll('\r', '').includes(found), `${found}: ${text}`);
    assert.ok(reads.length > 250 && reads.every((line) => /^xvdb: READ .* = OKAY$/.test(line)));
    assert.is(sha256(readFileSync(image)), before);
  });

for (const width of isFull ? ([64, 32] as const) : [])
  grub(`x86-${width}: a file of 64 MiB has the hash that the host finds`, async (context) => {
    const { image, isThere } = context;
    if (!isThere) return;
    const commands = 'sha256sum (xen/xvda)/huge\nhalt\n';
    const disk = await openDisk(image, 'ro');

    const domain = await boot(await makeGrub(width, commands, modules), {
      ...{ name: 'grub', memory: 64 * 2 ** 20, disks: [{ vdev: 'xvda', disk }] },
    });
    await domain.exited;
    await disk.close();

    assert.ok(domain.console.text.includes(sha256(huge)), domain.console.text);
  });

const main = fileURLToPath(new URL('../../toolchain/cli/main.js', import.meta.url));

grub('a cfg file boots it; a second run is refused with the pid of the first', async (context) => {
  const { directory, image, isThere } = context;
  if (!isThere) return;
  const wait = 'cat (xen/xvda)/hello.txt\nsleep 1000\n';
  writeFileSync(join(directory, 'grub.bin'), await makeGrub(64, wait, modules));
  const cfg = 'name="grub"\nkernel="grub.bin"\nmemory=64\ndisk=["file:disk.img,xvda,w"]\n';
  writeFileSync(join(directory, 'grub.cfg'), cfg);
  const words = [main, 'create', 'grub.cfg'];
  const before = sha256(readFileSync(image));
  const first = spawn(process.execPath, words, { cwd: directory, stdio: ['pipe', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [first.stdout, first.stderr])
    stream.on('data', (bytes) => {
      said += String(bytes);
    });
  const ended = new Promise((resolve) => first.once('close', resolve));
  while (!said.includes('hello from a file') && first.exitCode === null)
    await new Promise((resolve) => setTimeout(resolve, 50));
  assert.ok(said.includes('hello from a file'), said);

  const second = await runProcess(process.execPath, words, { cwd: directory });

  assert.equal(second, {
    ...{ status: 125, stdout: '' },
    stderr: `stubdom: disk disk.img: already open for writing by process ${first.pid}\n`,
  });
  first.kill('SIGKILL');
  await ended;
  const third = await runProcess(
    process.execPath,
    [...words, 'disk=["disk.img,,xvda"]', 'on_reboot="destroy"', 'kernel="none"'],
    { cwd: directory },
  );
  assert.is(third.stderr, 'stubdom: none: no such file\n');
  assert.is(sha256(readFileSync(image)), before);
});

grub('what it writes is there when create has started it again', async (context) => {
  const { directory, image, isThere } = context;
  if (!isThere) return;
  const more = ['configfile', 'normal', 'test', 'loadenv'];
  const kernel = await makeGrub(64, 'configfile (xen/xvda)/grub.cfg\n', [...modules, ...more]);
  writeFileSync(join(directory, 'twice.bin'), kernel);
  const cfg = 'name="grub"\nkernel="twice.bin"\nmemory=64\ndisk=["disk.img,raw,xvda,rw"]\n';
  writeFileSync(join(directory, 'twice.cfg'), cfg);

  const { status, stdout, stderr } = await runProcess(
    process.execPath,
    [main, 'create', 'twice.cfg'],
    { cwd: directory },
  );

  assert.equal([status, stderr], [0, '']);
  assert.equal(stdout.match(/tries: \w*/g), ['tries: ', 'tries: one']);
  assert.ok(readFileSync(image).includes('# GRUB Environment Block\ntries=one\n'));
});

grub('run gives it a copy-on-write disk, and --trace tells what it reads', async (context) => {
  const { directory, isThere } = context;
  if (!isThere) return;
  const commands = 'cat (xen/xvda)/hello.txt\nreboot\n';
  writeFileSync(join(directory, 'cat.bin'), await makeGrub(64, commands, modules));

  const words = [
    'run',
    '--memory',
    '64M',
    '--disk',
    'xvda=disk.img:cow',
    '--trace',
    'blk',
    'cat.bin',
  ];
  const { status, stdout, stderr } = await runProcess(process.execPath, [main, ...words], {
    cwd: directory,
  });

  assert.is(status, 1);
  assert.ok(stdout.includes('hello from a file'));
  const lines = stderr.trimEnd().split('\n');
  assert.ok(lines.length > 3);
  for (const line of lines)
    assert.match(line, /^xvda: READ \{id:\d+ sector:\d+ segments:1 sectors:\d+\} = OKAY$/);
});

grub.run();

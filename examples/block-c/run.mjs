// Makes a disk of 1 MiB, runs the image on it, and looks at what the image has written.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const stubdom = fileURLToPath(new URL('../../dist/toolchain/cli/main.js', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'stubdom-block-'));
const disk = join(directory, 'disk.img');
try {
  writeFileSync(disk, new Uint8Array(2 ** 20));
  const words = [stubdom, 'run', '--disk', `xvda=${disk}`, process.argv[2] ?? 'block.elf'];
  process.stdout.write(execFileSync(process.execPath, words, { input: '' }));
  const bytes = readFileSync(disk);
  const isRight = bytes.every((byte, i) => byte === (i < 64 * 4096 ? Math.floor(i / 4096) : 0));
  process.stdout.write(`the disk's file ${isRight ? 'has them' : 'is wrong'}\n`);
} finally {
  rmSync(directory, { recursive: true });
}

// Runs the image on a folder of its own, and shows what it has left there.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const stubdom = fileURLToPath(new URL('../../dist/toolchain/cli/main.js', import.meta.url));
const image = process.argv[2] ?? 'files.elf';
const folder = mkdtempSync(join(tmpdir(), 'files-c-'));
try {
  mkdirSync(join(folder, 'more'));
  writeFileSync(join(folder, 'first.txt'), 'A domain is a domain.\nIt runs.\n');
  writeFileSync(join(folder, 'more/second.txt'), 'It runs, and it ends.\n');
  chmodSync(join(folder, 'first.txt'), 0o644);
  const words = [stubdom, 'run', '--fs', `/docs=${folder}`, image];
  const { status } = spawnSync(process.execPath, words, { stdio: 'inherit' });
  process.stdout.write(`on the host: ${readdirSync(folder).sort().join(' ')}\n`);
  process.stdout.write(readFileSync(join(folder, 'more/link'), 'utf8'));
  process.exitCode = status ?? 1;
} finally {
  rmSync(folder, { recursive: true });
}

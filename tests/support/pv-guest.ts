/** Small PV guests in C and assembly (tests/guests/pv): built with the machine's gcc, no C library, against Xen's headers. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Width, widths } from '../../toolchain/c/width.ts';
import { fetchDebianPackage } from '../../toolchain/debian/packages.ts';
import { runProcess } from '../../toolchain/process.ts';
import { projectDirectory } from './source-files.ts';

const sources = join(projectDirectory, 'tests/guests/pv');
const shared = join(sources, 'runtime');

/** Every folder but what they share. */
export const pvGuests: readonly string[] = readdirSync(sources, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name !== 'runtime')
  .map((entry) => entry.name);

// biome-ignore format: a table
const flags = [
  '-std=gnu11', '-O1', '-Wall', '-Werror', '-ffreestanding', '-fno-pic', '-no-pie', '-mno-red-zone', '-fno-stack-protector',
  '-fcf-protection=none', '-fno-asynchronous-unwind-tables', '-mno-sse', '-mno-mmx', '-nostdlib', '-static',
  '-Wl,--build-id=none', '-Wl,-z,max-page-size=4096', '-Wl,--no-warn-rwx-segments',
];

/** From its own folder, with the linker script there if it has one, and files of others with the headers beside them. */
export async function buildPvGuest(
  name: string,
  width: Width,
  others: readonly string[] = [],
): Promise<Uint8Array> {
  const headers = join(await fetchDebianPackage('libxen-dev'), 'usr/include');
  const own = join(sources, name);
  const files = [shared, own].flatMap((directory) =>
    readdirSync(directory)
      .filter((file) => /\.[cS]$/.test(file))
      .map((file) => join(directory, file)),
  );
  const script = join(existsSync(join(own, 'guest.ld')) ? own : shared, 'guest.ld');
  const shares = others.map((file) => join(sources, file));
  const directory = mkdtempSync(join(tmpdir(), 'stubdom-pv-'));
  mkdirSync(directory, { recursive: true });
  try {
    const output = join(directory, 'guest.elf');
    const { status, stderr } = await runProcess('gcc', [
      ...[widths[width].option, ...flags, '-isystem', headers, '-I', shared, '-I', own],
      ...shares.flatMap((file) => ['-I', dirname(file)]),
      ...(width === 32 ? ['-march=pentium4'] : []),
      ...['-T', script, '-o', output, ...files, ...shares],
    ]);
    if (status !== 0) throw new Error(`${name}: ${stderr}`);
    return readFileSync(output);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/**
 * Records what the test guests print on real Xen. STUBDOM_XEN names a program that runs an image on it: options, then the
 * image, its console on stdout (`-S`: in a shim, for 32-bit images; `-d FILE`: a disk, whose writes are dropped); without it
 * nothing is recorded.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Width } from '../../../runtime/memory/layout.ts';
import { runProcess } from '../../../toolchain/process.ts';
import { buildPvGuest, pvGuests } from '../../support/pv-guest.ts';

export const pvTranscripts = fileURLToPath(
  new URL('../../../../tests/golden/pv/', import.meta.url),
);

/** What the others ask the shim answers, or is another's there: no record of them is one of Xen's. */
export const recordedIn32: ReadonlySet<string> = new Set([
  'callbacks',
  'linear',
  'mmu',
  'task-switched',
  'traps',
  'user',
  'version',
  'xenstore',
]);

/** Of the block guest's disk. */
export const blockGuestBytes = 4 * 2 ** 20;

export async function recordPv(): Promise<void> {
  const [xen, ...options] = (process.env['STUBDOM_XEN'] ?? '').split(' ');
  if (xen === undefined || xen === '') {
    process.stdout.write('pv: STUBDOM_XEN names no real Xen; nothing is recorded\n');
    return;
  }
  mkdirSync(pvTranscripts, { recursive: true });
  for (const name of pvGuests)
    for (const width of widthsOf(name)) {
      const text = await runOnXen(xen, options, name, width);
      writeFileSync(join(pvTranscripts, `${name}-${width}.txt`), text);
    }
  await recordBlock(xen, options);
}

/** The guest talks with Linux's back-end there. */
async function recordBlock(xen: string, options: readonly string[]): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'stubdom-pv-'));
  try {
    const disk = join(directory, 'disk.img');
    writeFileSync(disk, new Uint8Array(blockGuestBytes));
    const text = await runOnXen(xen, [...options, '-d', disk], '../pv-block', 64);
    writeFileSync(join(pvTranscripts, 'block-64.txt'), text);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const widthsOf = (name: string): readonly Width[] => (recordedIn32.has(name) ? [64, 32] : [64]);

async function runOnXen(
  xen: string,
  options: readonly string[],
  name: string,
  width: Width,
): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'stubdom-pv-'));
  try {
    const image = join(directory, `guest-${width}.elf`);
    writeFileSync(image, await buildPvGuest(name, width));
    const shim = width === 32 ? ['-S'] : [];
    const { stdout, stderr } = await runProcess(xen, [...options, ...shim, image]);
    if (stdout === '') throw new Error(`${name}: nothing was printed: ${stderr}`);
    return stdout.replaceAll('\r\n', '\n');
  } finally {
    rmSync(directory, { recursive: true });
  }
}

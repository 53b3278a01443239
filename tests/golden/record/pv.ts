/**
 * Records what the test guests print on real Xen (real-xen.ts). Options of its program: `-d FILE` (a disk, whose writes are
 * dropped), `-x TEXT` (command line), `-t SECONDS` (the most that it runs), `-s COMMAND` (done then, or at its end, by dom0: $DOMID
 * is the domain, /dev/ttyS1 the console).
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Width } from '../../../runtime/memory/layout.ts';
import { runProcess } from '../../../toolchain/process.ts';
import { buildPvGuest, pvGuests } from '../../support/pv-guest.ts';
import { random } from '../../support/random.ts';
import { type RealXen, realXen } from './real-xen.ts';

export const pvTranscripts = fileURLToPath(
  new URL('../../../../tests/golden/pv/', import.meta.url),
);

/** Of the block guest's disk. */
export const blockGuestBytes = 4 * 2 ** 20;
/** Of the guest that suspends. */
export const suspendWords = 'words of the command line';
export const suspendFiles = ['../pv-block/store.c', '../pv-block/blkfront.c'] as const;
/** What is on its disk. */
export const suspendDisk = (): Uint8Array => random(7).bytes(64 * 4096);

/** All of them, or those that are named, as `events` or `events-32`. */
export async function recordPv(wanted: readonly string[]): Promise<void> {
  const isWanted = (name: string, width: Width): boolean =>
    wanted.length === 0 || wanted.includes(name) || wanted.includes(`${name}-${width}`);
  for (const width of [64, 32] as const) {
    const xen = realXen(width, `pv, x86-${width}`);
    if (xen === undefined) continue;
    mkdirSync(pvTranscripts, { recursive: true });
    for (const name of pvGuests)
      if (isWanted(name, width)) await record(xen, name, width, name, []);
    if (isWanted('suspend', width) && !xen.isShim) await recordSuspend(xen, width);
    if (width === 64 && isWanted('block', width)) await recordBlock(xen);
  }
}

/** The guest talks with Linux's back-end there. */
async function recordBlock(xen: RealXen): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'stubdom-pv-'));
  try {
    const disk = join(directory, 'disk.img');
    writeFileSync(disk, new Uint8Array(blockGuestBytes));
    await record(xen, 'block', 64, '../pv-block', ['-d', disk]);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** It is saved and left, saved and made another domain of, and saved and left again: time enough is between. */
const saveThrice = `
xl save -c $DOMID /tmp/a; sleep 2
xl save $DOMID /tmp/b; xl restore -e -p /tmp/b; D=$(xl domid guest)
xenconsole $D </dev/null >/dev/ttyS1 & sleep 1
xl unpause $D; sleep 3
xl save -c $D /tmp/a; sleep 3`;

async function recordSuspend(xen: RealXen, width: Width): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'stubdom-pv-'));
  try {
    const disk = join(directory, 'disk.img');
    writeFileSync(disk, suspendDisk());
    const own = ['-d', disk, '-m', '32', '-x', suspendWords, '-t', '6', '-s', saveThrice];
    await record(xen, 'suspend', width, '../pv-suspend', own, suspendFiles);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

async function record(
  { program, options }: RealXen,
  name: string,
  width: Width,
  folder: string,
  own: readonly string[],
  others: readonly string[] = [],
): Promise<void> {
  process.stdout.write(`recording ${name}-${width}\n`);
  const directory = mkdtempSync(join(tmpdir(), 'stubdom-pv-'));
  try {
    const image = join(directory, `guest-${width}.elf`);
    writeFileSync(image, await buildPvGuest(folder, width, others));
    const { stdout, stderr } = await runProcess(program, [...options, ...own, image]);
    if (stdout === '') throw new Error(`${name}: nothing was printed: ${stderr}`);
    const text = stdout.replaceAll('\r\n', '\n');
    writeFileSync(join(pvTranscripts, `${name}-${width}.txt`), text);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/**
 * Megabytes a second that an application in C moves by read() and write() of 64 KiB, on a file of a folder of the host and of an ext2
 * image, all in the page cache, beside Node's readSync and writeSync doing the same.
 */
import { closeSync, mkdirSync, openSync, readSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { Ext2Folder } from '../../runtime/backends/ext2/ext2-folder.ts';
import { prepareEngine } from '../../runtime/host/node/engine.ts';
import { openDisk } from '../../runtime/host/node/file-disk.ts';
import { openFolder } from '../../runtime/host/node/host-folder.ts';
import { boot, type MountedFolder } from '../../runtime/index.ts';
import type { Width } from '../../toolchain/index.ts';
import { newExt2 } from '../support/ext2-disk.ts';
import { buildProgram } from './build-program.ts';

export const fileTarget = 300;

const block = 65_536;
const blocksInMegabyte = 16;

export interface FileSpeed {
  readonly read: number;
  readonly written: number;
}

export interface GuestFileSpeed {
  readonly width: Width;
  readonly folder: FileSpeed;
  /** Undefined without mke2fs. */
  readonly image: FileSpeed | undefined;
  readonly node: FileSpeed;
}

export async function measureGuestFiles(
  width: Width,
  { directory, megabytes = 256 }: { readonly directory: string; readonly megabytes?: number },
): Promise<GuestFileSpeed> {
  prepareEngine();
  const image = await buildProgram('files/stream', width, directory);
  const own = join(directory, `export-${width}`);
  mkdirSync(own);
  const host = openFolder(own);
  try {
    const folder = await guestSpeed(image, host, megabytes);
    const node = nodeSpeed(join(own, 'node'), megabytes);
    return { width, folder, image: await imageSpeed(image, directory, megabytes), node };
  } finally {
    host.close();
  }
}

async function imageSpeed(
  image: Uint8Array,
  directory: string,
  megabytes: number,
): Promise<FileSpeed | undefined> {
  const bytes = await newExt2((megabytes + 64) * 1024, '-b', '4096');
  if (bytes === undefined) return undefined;
  const path = join(directory, 'ext2.img');
  writeFileSync(path, bytes);
  const disk = await openDisk(path, 'rw');
  const folder = new Ext2Folder(disk);
  try {
    return await guestSpeed(image, folder, megabytes);
  } finally {
    await folder.unmount();
    await disk.close();
  }
}

async function guestSpeed(
  image: Uint8Array,
  folder: MountedFolder['folder'],
  megabytes: number,
): Promise<FileSpeed> {
  const domain = await boot(image, {
    ...{ name: 'files', arguments: ['/export/file', String(megabytes)] },
    folders: [{ at: '/export', folder, isReadOnly: false }],
  });
  const { report } = await domain.exited;
  const speed = (name: string): number => {
    const found = [...domain.console.text.matchAll(new RegExp(`${name} (\\d+)`, 'g'))].at(-1);
    if (found === undefined)
      throw new Error(`the guest says ${domain.console.text} ${report ?? ''}`);
    return speedOf(megabytes, Number(found[1]) / 1e6);
  };
  return { read: speed('read'), written: speed('written') };
}

const speedOf = (megabytes: number, milliseconds: number): number =>
  (megabytes * blocksInMegabyte * block) / 1e3 / milliseconds;

function nodeSpeed(path: string, megabytes: number): FileSpeed {
  const bytes = Buffer.alloc(block, 0x5a);
  const timed = (flags: string, move: (fd: number) => number): number => {
    const start = performance.now();
    const fd = openSync(path, flags);
    for (let n = 0; n < megabytes * blocksInMegabyte; n++)
      if (move(fd) !== block) throw new Error(`${path}: not all at once`);
    closeSync(fd);
    return speedOf(megabytes, performance.now() - start);
  };
  timed('w', (fd) => writeSync(fd, bytes));
  const written = timed('r+', (fd) => writeSync(fd, bytes));
  return { read: timed('r', (fd) => readSync(fd, bytes)), written };
}

export function guestFileText({ width, folder, image, node }: GuestFileSpeed): string {
  const rounded = (value: number | undefined): string =>
    value === undefined ? '–' : String(Math.round(value));
  const line = (what: 'read' | 'written'): string =>
    `file ${what}, 64 KiB a call, x86-${width}: ${rounded(folder[what])} MB/s; an ext2 image ${rounded(image?.[what])}; Node's own ${rounded(node[what])}; target ${fileTarget}: ${folder[what] >= fileTarget ? 'met' : 'not met'}`;
  return [line('read'), line('written')].join('\n');
}

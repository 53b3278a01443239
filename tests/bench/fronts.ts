/**
 * Megabytes a second that an application in C moves by 64 KiB read() and write() calls on a file of the host: through the file system
 * front-end, 9P, the block front-end, and the folder that its kernel has mounted; beside Node doing the same.
 */
import { closeSync, mkdirSync, openSync, readSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { prepareEngine } from '../../runtime/host/node/engine.ts';
import { openDisk } from '../../runtime/host/node/file-disk.ts';
import { openFolder } from '../../runtime/host/node/host-folder.ts';
import { boot } from '../../runtime/index.ts';
import type { Width } from '../../toolchain/index.ts';
import { buildProgram } from './build-program.ts';

/** What is asked of each, MB/s. */
export const frontTargets = { fsfront: 150, '9p': 150, blkfront: 300, folder: 300 } as const;

type Way = keyof typeof frontTargets;
const ways: readonly Way[] = ['fsfront', '9p', 'blkfront', 'folder'];

interface Moved {
  readonly read: number;
  readonly written: number;
}

export interface FrontSpeeds {
  readonly width: Width;
  readonly guest: Readonly<Record<Way, Moved>>;
  readonly node: Moved;
}

const block = 65536;

export async function measureFronts(
  width: Width,
  { directory, megabytes = 256 }: { readonly directory: string; readonly megabytes?: number },
): Promise<FrontSpeeds> {
  prepareEngine();
  const image = await buildProgram('fronts/transfer', width, directory);
  const folder = join(directory, `fronts-${width}`);
  mkdirSync(folder);
  writeFileSync(join(folder, 'file'), new Uint8Array(megabytes * 2 ** 20).fill(0x33));
  const guest = { ...noSpeeds };
  for (const way of ways) guest[way] = await guestSpeed(image, way, folder, megabytes);
  const path = join(folder, 'file');
  const node = {
    read: direct(path, readSync, megabytes),
    written: direct(path, writeSync, megabytes),
  };
  return { width, guest, node };
}

const none: Moved = { read: 0, written: 0 };
const noSpeeds: Record<Way, Moved> = { fsfront: none, '9p': none, blkfront: none, folder: none };

async function guestSpeed(
  image: Uint8Array,
  way: Way,
  path: string,
  megabytes: number,
): Promise<Moved> {
  const folder = openFolder(path);
  const disk = await openDisk(join(path, 'file'), 'rw');
  try {
    const given = { folder, isReadOnly: false };
    const domain = await boot(image, {
      ...{ name: 'transfer', arguments: [way, String(megabytes)], memory: 64 * 2 ** 20 },
      exports: [{ name: 'file', ...given }],
      p9: [{ tag: 'file', ...given }],
      disks: [{ vdev: 'xvda', disk }],
      folders: [{ at: '/export', ...given }],
    });
    const { report } = await domain.exited;
    const speed = (what: string): number => {
      const nanoseconds = new RegExp(`${what} (\\d+)\n`).exec(domain.console.text)?.[1];
      if (nanoseconds === undefined)
        throw new Error(`${way}: the guest says ${domain.console.text} ${report ?? ''}`);
      return (megabytes * 2 ** 20 * 1e3) / Number(nanoseconds);
    };
    return { read: speed('read'), written: speed('written') };
  } finally {
    await disk.close();
    folder.close();
  }
}

function direct(
  path: string,
  move: (fd: number, buffer: Uint8Array, offset: number, length: number, at: number) => number,
  megabytes: number,
): number {
  const fd = openSync(path, 'r+');
  const buffer = new Uint8Array(block);
  const all = (bytes: number): void => {
    for (let at = 0; at < bytes; at += block) move(fd, buffer, 0, block, at);
  };
  all((megabytes * 2 ** 20) / 8);
  const start = performance.now();
  all(megabytes * 2 ** 20);
  const seconds = (performance.now() - start) / 1e3;
  closeSync(fd);
  return (megabytes * 2 ** 20) / 1e6 / seconds;
}

export function frontsText({ width, guest, node }: FrontSpeeds): string {
  const line = (way: Way, what: keyof Moved): string => {
    const [speed, target] = [guest[way][what], frontTargets[way]];
    return `64 KiB ${what} by ${way}, x86-${width}: ${Math.round(speed)} MB/s, Node itself ${Math.round(node[what])}; target ${target}: ${speed >= target ? 'met' : 'not met'}`;
  };
  return ways.flatMap((way) => [line(way, 'read'), line(way, 'written')]).join('\n');
}

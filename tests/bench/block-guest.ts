/**
 * Megabytes a second that a PV guest moves by a front-end of its own in C, which keeps its ring full of 44 KiB requests: from a raw
 * file in the page cache into its pages, and back.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { prepareEngine } from '../../runtime/host/node/engine.ts';
import { openDisk } from '../../runtime/host/node/file-disk.ts';
import { boot } from '../../runtime/index.ts';
import { buildPvGuest } from '../support/pv-guest.ts';
import { blockTargets } from './block.ts';
import { median } from './ratios.ts';

const requestBytes = 11 * 4096;
/** Some to start with, so that what starting takes is the same in both runs and falls out. */
const fewest = 2000;

export interface GuestBlockSpeed {
  readonly read: number;
  readonly written: number;
}

export async function measureGuestBlock(options: {
  readonly runs: number;
  readonly directory: string;
  /** That many more in the second run. */
  readonly requests?: number;
}): Promise<GuestBlockSpeed> {
  prepareEngine();
  const { runs, directory, requests = 20_000 } = options;
  const image = await buildPvGuest('../pv-block', 64);
  const path = join(directory, 'guest-block.img');
  writeFileSync(path, Buffer.alloc(64 * 2 ** 20, 7));
  const seconds = async (operation: string, count: number): Promise<number> => {
    const disk = await openDisk(path, 'rw');
    const start = performance.now();
    const domain = await boot(image, {
      ...{ name: 'block', commandLine: `${operation} ${count}`, disks: [{ vdev: 'xvda', disk }] },
    });
    await domain.exited;
    const took = (performance.now() - start) / 1e3;
    await disk.close();
    if (!domain.console.text.includes(`${count} requests, 0 failures`))
      throw new Error(`the guest says ${domain.console.text}`);
    return took;
  };
  await seconds('read', fewest);
  const speed = async (operation: string): Promise<number> => {
    const short = median(await times(runs, () => seconds(operation, fewest)));
    const long = median(await times(runs, () => seconds(operation, fewest + requests)));
    return (requests * requestBytes) / 1e6 / Math.max(long - short, 1e-6);
  };
  return { read: await speed('read'), written: await speed('write') };
}

async function times(count: number, call: () => Promise<number>): Promise<number[]> {
  const found: number[] = [];
  for (let n = 0; n < count; n++) found.push(await call());
  return found;
}

export function guestBlockText({ read, written }: GuestBlockSpeed): string {
  const line = (what: 'read' | 'written', speed: number): string =>
    `block ${what} by a guest, 44 KiB requests: ${Math.round(speed)} MB/s; target ${blockTargets[what]}: ${speed >= blockTargets[what] ? 'met' : 'not met'}`;
  return [line('read', read), line('written', written)].join('\n');
}

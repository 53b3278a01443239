/**
 * Records how long domains take to start on real Xen (real-xen.ts): from when its tools are up, which is when `xl create` begins, to
 * what each shows first, read from the clock of this machine. `-l FILE` names the log of dom0, which says when that is. A bench cannot
 * run Xen on each machine; so it shows these beside its own.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Width } from '../../../runtime/memory/layout.ts';
import {
  type BootScenario,
  bootName,
  bootScenarios,
  makeBootDisk,
} from '../../support/boot-scenarios.ts';
import { type RealXen, realXen } from './real-xen.ts';

export interface RecordedBoots {
  /** Day, and what it was measured on. */
  readonly recorded: string;
  readonly how: string;
  /** Seconds, by scenario and width. */
  readonly seconds: Readonly<Record<string, number>>;
}

const place = fileURLToPath(new URL('../../../../tests/golden/boot-times.json', import.meta.url));

export const recordedBoots = (): RecordedBoots =>
  JSON.parse(readFileSync(place, 'utf8')) as RecordedBoots;

const runs = 2;
const toolsAreUp = 'tools are up';

/** All of them, or those that are named, as `grub-64`. */
export async function recordBoots(wanted: readonly string[]): Promise<void> {
  const seconds: Record<string, number> = existsSync(place) ? { ...recordedBoots().seconds } : {};
  for (const width of [64, 32] as const) {
    const xen = realXen(width, `boot times, x86-${width}`);
    if (xen === undefined) continue;
    for (const scenario of bootScenarios) {
      const name = bootName(scenario.name, width);
      if (wanted.length > 0 && !wanted.includes(name)) continue;
      const times: number[] = [];
      for (let run = 0; run < runs; run++) times.push(await timeOnXen(xen, scenario, width));
      const best = Math.min(...times);
      process.stdout.write(`${name}: ${times.join(' ')}\n`);
      seconds[name] = Math.round(best * 100) / 100;
      write(seconds);
    }
  }
}

function write(seconds: RecordedBoots['seconds']): void {
  const recorded = new Date().toISOString().slice(0, 10);
  const processors = `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}`;
  const how = `Xen 4.17 and its dom0 in QEMU without KVM, on ${processors}; the best of ${runs}`;
  writeFileSync(place, `${JSON.stringify({ recorded, how, seconds }, null, 2)}\n`);
}

async function timeOnXen(
  { program, options }: RealXen,
  { image, hasDisk, shows, ends }: BootScenario,
  width: Width,
): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), 'stubdom-boot-xen-'));
  try {
    const at = (name: string): string => join(directory, name);
    writeFileSync(at('image'), await image(width));
    if (hasDisk && !(await makeBootDisk(at('disk')))) throw new Error('recording needs mke2fs');
    const disk = hasDisk ? ['-d', at('disk')] : [];
    const words = [...options, '-l', at('log'), ...disk, at('image')];
    const child = spawn(program, words, { stdio: ['pipe', 'pipe', 'ignore'] });
    const ended = once(child, 'close');
    child.stdin.on('error', () => {}); // it may end before it has read all
    const [start, shown] = await Promise.all([
      timeOf(() => existsSync(at('log')) && readFileSync(at('log'), 'latin1').includes(toolsAreUp)),
      firstSight(child.stdout, shows),
    ]);
    child.stdin.end(ends);
    await ended;
    return (shown - start) / 1000;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Looked at often enough for tenths of seconds. */
async function timeOf(isSo: () => boolean): Promise<number> {
  while (!isSo()) await sleep(10);
  return performance.now();
}

const firstSight = (stream: NodeJS.ReadableStream, shows: string): Promise<number> =>
  new Promise((resolve) => {
    let text = '';
    stream.on('data', (chunk: Uint8Array) => {
      text += Buffer.from(chunk).toString('latin1');
      if (text.includes(shows)) resolve(performance.now());
    });
  });

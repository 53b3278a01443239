/** Seconds from the command `stubdom run` to what a domain image shows first: with an empty cache, and with what that run kept. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Width } from '../../runtime/memory/layout.ts';
import { type RecordedBoots, recordedBoots } from '../golden/record/boot-times.ts';
import {
  type BootScenario,
  bootName,
  bootScenarios,
  makeBootDisk,
} from '../support/boot-scenarios.ts';
import { median } from './ratios.ts';
import { cli } from './variants.ts';

/** Of GRUB's menu. */
const targets = { cold: 3, kept: 1 } as const;

export interface BootTimes {
  readonly width: Width;
  readonly scenario: BootScenario['name'];
  /** Undefined where no file system could be made. */
  readonly seconds: { readonly cold: number; readonly kept: number } | undefined;
}

export async function measureBoots(
  width: Width,
  { runs, directory }: { readonly runs: number; readonly directory: string },
): Promise<BootTimes[]> {
  const all: BootTimes[] = [];
  for (const scenario of bootScenarios)
    all.push({
      ...{ width, scenario: scenario.name },
      seconds: await measure(scenario, width, runs, mkdtempSync(join(directory, 'boot-'))),
    });
  return all;
}

async function measure(
  scenario: BootScenario,
  width: Width,
  runs: number,
  directory: string,
): Promise<BootTimes['seconds']> {
  const [image, disk] = [join(directory, 'image'), join(directory, 'disk')];
  writeFileSync(image, await scenario.image(width));
  if (scenario.hasDisk && !(await makeBootDisk(disk))) return undefined;
  const words = [
    ...[cli, 'run', '--memory', '64M'],
    ...(scenario.hasDisk ? ['--disk', `xvda=${disk}:cow`] : []),
    image,
  ];
  const times = { cold: [] as number[], kept: [] as number[] };
  for (let run = 0; run < runs; run++) {
    const cache = mkdtempSync(join(directory, 'cache-'));
    times.cold.push(await timed(words, cache, scenario));
    times.kept.push(await timed(words, cache, scenario));
  }
  return { cold: median(times.cold), kept: median(times.kept) };
}

/** To its own end, where what it made is kept. */
async function timed(
  words: readonly string[],
  cache: string,
  { shows, ends }: BootScenario,
): Promise<number> {
  const start = performance.now();
  const child = spawn(process.execPath, words, {
    env: { ...process.env, STUBDOM_CACHE: cache },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(child, 'close');
  let [text, shown] = ['', undefined as number | undefined];
  child.stdout.setEncoding('latin1').on('data', (more: string) => {
    text += more;
    if (shown !== undefined || !text.includes(shows)) return;
    shown = performance.now() - start;
    child.stdin.write(ends);
  });
  child.stdin.on('error', () => {}); // it may end before it has read all
  const [status] = await ended;
  if (status !== 0) throw new Error(`node ${words.join(' ')} ended with status ${status}`);
  if (shown === undefined) throw new Error(`${shows} was never shown: ${text}`);
  return shown / 1000;
}

/** Beside what was recorded on real Xen, which cannot run wherever a bench does. */
export function bootText(
  { width, scenario, seconds }: BootTimes,
  recorded: RecordedBoots = recordedBoots(),
): string {
  const { what = scenario } = bootScenarios.find(({ name }) => name === scenario) ?? {};
  const left = `x86-${width}: ${what}`;
  const theirs = recorded.seconds[bootName(scenario, width)];
  const beside =
    theirs === undefined
      ? 'not recorded on Xen'
      : `Xen ${theirs.toFixed(2)} s from xl create (${recorded.recorded}, ${recorded.how})`;
  if (seconds === undefined) return `${left} was not measured: no mke2fs; ${beside}`;
  const { cold, kept } = seconds;
  const isMet = cold <= targets.cold && kept <= targets.kept;
  const wanted =
    scenario === 'grub'
      ? `; target ${targets.cold} and ${targets.kept} s: ${isMet ? 'met' : 'not met'}`
      : '';
  return `${left}: ${cold.toFixed(2)} s cold, ${kept.toFixed(2)} s kept${wanted}; ${beside}`;
}

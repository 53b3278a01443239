/** Milliseconds from the command `stubdom run` to hello's first output, with an empty cache and with its module kept. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import type { Width } from '../../toolchain/index.ts';
import { helloDirectory } from '../golden/record/hello-c.ts';
import { median } from './ratios.ts';
import { cli } from './variants.ts';

export interface StartUp {
  readonly width: Width;
  readonly cold: number;
  readonly cached: number;
  /** `node -e 0`, from start to end. */
  readonly node: number;
}

export async function measureStartUp(
  width: Width,
  options: { readonly runs: number; readonly directory: string },
): Promise<StartUp> {
  const image = join(helloDirectory, `hello-${width}.elf`);
  const times = { cold: [] as number[], cached: [] as number[], node: [] as number[] };
  for (let run = 0; run < options.runs; run++) {
    const cache = mkdtempSync(join(options.directory, 'start-up-'));
    times.node.push(await timed(['-e', '0'], cache, false));
    times.cold.push(await timed([cli, 'run', image], cache, true));
    times.cached.push(await timed([cli, 'run', image], cache, true));
  }
  const { cold, cached, node } = times;
  return { width, cold: median(cold), cached: median(cached), node: median(node) };
}

/** Milliseconds to the first output of a program whose translations are kept in the cache. */
export const firstOutput = (words: readonly string[], cache: string): Promise<number> =>
  timed(words, cache, true);

/** To the first output, or to the end. */
async function timed(
  words: readonly string[],
  cache: string,
  toFirstOutput: boolean,
): Promise<number> {
  const start = performance.now();
  const child = spawn(process.execPath, words, {
    env: { ...process.env, STUBDOM_CACHE: cache },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'close');
  let first: number | undefined;
  child.stdout.on('data', () => {
    first ??= performance.now() - start;
  });
  const [status] = await ended;
  if (status !== 0) throw new Error(`node ${words.join(' ')} ended with status ${status}`);
  if (!toFirstOutput) return performance.now() - start;
  if (first === undefined) throw new Error(`node ${words.join(' ')} printed nothing`);
  return first;
}

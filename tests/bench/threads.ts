/** An application's threads: what a switch takes, a select over 100 descriptors, and the memory of a bss that nobody touches. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { prepareEngine } from '../../runtime/host/node/engine.ts';
import { boot } from '../../runtime/index.ts';
import { build, type Width } from '../../toolchain/index.ts';
import { runProcess } from '../../toolchain/process.ts';
import { median } from './ratios.ts';

const source = fileURLToPath(
  new URL('../../../tests/bench/application/threads.c', import.meta.url),
);
const script = fileURLToPath(new URL('threads.js', import.meta.url));

/** Some to start with, so that what starting takes is the same in both runs and falls out. */
const fewest = 2000;
const gibibyte = 2 ** 30;
const megabyte = 2 ** 20;

export interface ThreadSpeed {
  readonly width: Width;
  /** Milliseconds of processor time for 10,000 switches. */
  readonly switches: number;
  /** Microseconds of processor time for a select over 100 descriptors. */
  readonly select: number;
  /** Bytes of RSS that 1 GiB of bss costs. */
  readonly bss: number;
}

/** What the issue of this bench asks for. */
export const mostBss = 4 * megabyte;

export async function measureThreads(
  width: Width,
  options: { readonly runs: number; readonly directory: string; readonly rounds?: number },
): Promise<ThreadSpeed> {
  const { runs, directory, rounds = 100_000 } = options;
  prepareEngine();
  const image = await buildProgram(directory, width, 4096);
  const bytes = new Uint8Array(readFileSync(image));
  const seconds = async (what: string): Promise<number> => {
    const [short, long]: [number[], number[]] = [[], []];
    for (let run = 0; run < runs; run++) {
      short.push(await processorTime(bytes, what, fewest));
      long.push(await processorTime(bytes, what, fewest + rounds));
    }
    return Math.max(median(long) - median(short), 1e-6);
  };
  const switches = ((await seconds('switches')) * 1e3 * 10_000) / rounds;
  const select = ((await seconds('selects')) * 1e6) / rounds;
  const large = await peak(await buildProgram(directory, width, gibibyte));
  return { width, switches, select, bss: large - (await peak(image)) };
}

async function buildProgram(directory: string, width: Width, bss: number): Promise<string> {
  const output = join(directory, `threads-${width}-${bss}.elf`);
  const words = ['-O2', `-DBSS=${bss}`, source];
  const { status, messages } = await build({ width, output, arguments: words });
  if (status !== 0) throw new Error(`threads.c: ${messages}`);
  return output;
}

async function processorTime(image: Uint8Array, what: string, count: number): Promise<number> {
  const before = process.cpuUsage();
  await run(image, [what, String(count)], 64 * megabyte);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

async function run(image: Uint8Array, words: readonly string[], memory: number): Promise<void> {
  const domain = await boot(image, { name: 'threads', arguments: words, memory });
  const { report } = await domain.exited;
  const [what, count = '0'] = words;
  if (domain.console.text !== `${what} ${count}\n`)
    throw new Error(`the guest says ${domain.console.text}${report ?? ''}`);
}

/** The most that a process has had of memory which ran the image, in bytes. */
async function peak(image: string): Promise<number> {
  const { status, stdout, stderr } = await runProcess(process.execPath, [script, image]);
  if (status !== 0) throw new Error(`threads.js ended with status ${status}: ${stderr}`);
  return Number(stdout);
}

export const threadsText = ({ width, switches, select, bss }: ThreadSpeed): string =>
  `x86-${width}: 10,000 thread switches in ${switches.toFixed(1)} ms, a select over 100 descriptors in ${select.toFixed(1)} µs, ` +
  `1 GiB of untouched bss takes ${(Math.max(bss, 0) / megabyte).toFixed(1)} MiB (at most ${mostBss / megabyte}: ${bss <= mostBss ? 'met' : 'missed'})`;

const [started, image] = process.argv.slice(1);
if (started === script && image !== undefined) {
  prepareEngine();
  await run(new Uint8Array(readFileSync(image)), ['bss'], gibibyte + 64 * megabyte);
  process.stdout.write(String(process.resourceUsage().maxRSS * 1024));
}

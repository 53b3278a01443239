/**
 * `npm run bench [-- --width 64|32] [--only NAME] [--runs N] [--paged] [--block] [--net] [--threads] [--files] [--caml] [--json]`: one table,
 * measured in one run on this machine; `--paged`: of the same images behind page tables; `--block`: the block back-end alone, GRUB
 * on it, and what else there is of Xen; `--net`: TCP through lwip alone; `--threads`: an application's threads alone;
 * `--files`: read() and write() of files alone; `--caml`: OCaml's programs alone.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { UserError } from '../../runtime/errors.ts';
import { ensureTools, type Width } from '../../toolchain/index.ts';
import { runProcess } from '../../toolchain/process.ts';
import { type BlockSpeed, blockText, measureBlock } from './block.ts';
import { type GuestBlockSpeed, guestBlockText, measureGuestBlock } from './block-guest.ts';
import { type BootTimes, bootText, measureBoots } from './boot-times.ts';
import {
  type CamlHello,
  type CamlRow,
  camlHelloText,
  camlPrograms,
  camlText,
  measureCaml,
  measureCamlHello,
} from './caml.ts';
import { type GuestFileSpeed, guestFileText, measureGuestFiles } from './file-guest.ts';
import { type FrontSpeeds, frontsText, measureFronts } from './fronts.ts';
import { type GrubRead, grubReadText, measureGrubRead } from './grub-read.ts';
import { type GuestNetSpeed, guestNetText, measureGuestNet } from './net-guest.ts';
import {
  layouts,
  measurePaged,
  type PagedRow,
  pagedHeading,
  pagedMeanText,
  pagedRowText,
} from './paged.ts';
import { type Program, programs } from './programs.ts';
import { measurePvCalls, type PvCalls, pvCallsText } from './pv-calls.ts';
import { measure, type Row } from './ratios.ts';
import type { Recompiling } from './recompiling.ts';
import { heading, meanText, recompilingText, rowText, startUpText } from './report.ts';
import { measureStartUp, type StartUp } from './start-up.ts';
import { targetLines } from './targets.ts';
import { measureThreads, type ThreadSpeed, threadsText } from './threads.ts';

interface Request {
  readonly widths: readonly Width[];
  readonly programs: readonly Program[];
  /** Nothing but the programs named. */
  readonly isPartial: boolean;
  readonly runs: number;
  readonly json: boolean;
  /** Behind page tables, and nothing else. */
  readonly paged: boolean;
  /** The block back-end, and nothing else. */
  readonly block: boolean;
  /** TCP through lwip, and nothing else. */
  readonly net: boolean;
  /** An application's threads, and nothing else. */
  readonly threads: boolean;
  /** Files, and nothing else. */
  readonly files: boolean;
  /** OCaml's programs, and nothing else. */
  readonly caml: boolean;
}

function parse(words: readonly string[]): Request {
  const { values } = parseArgs({
    args: [...words],
    options: {
      width: { type: 'string' },
      only: { type: 'string', multiple: true },
      runs: { type: 'string', default: '3' },
      json: { type: 'boolean', default: false },
      paged: { type: 'boolean', default: false },
      block: { type: 'boolean', default: false },
      net: { type: 'boolean', default: false },
      threads: { type: 'boolean', default: false },
      files: { type: 'boolean', default: false },
      caml: { type: 'boolean', default: false },
    },
  });
  const { width, only, runs, json, paged, block, net, threads, files, caml } = values;
  if (width !== undefined && width !== '64' && width !== '32')
    throw new UserError(`--width ${width}: expected 64 or 32`, { status: 2 });
  const count = Number(runs);
  if (!Number.isInteger(count) || count < 1)
    throw new UserError(`--runs ${runs}: expected a number from 1 on`, { status: 2 });
  const unknown = only?.find((name) => !programs.some((program) => program.name === name));
  if (unknown !== undefined) {
    const names = programs.map(({ name }) => name).join(', ');
    throw new UserError(`--only ${unknown}: expected one of ${names}`, { status: 2 });
  }
  return {
    widths: width === undefined ? [64, 32] : [width === '64' ? 64 : 32],
    programs: programs.filter(({ name }) => only === undefined || only.includes(name)),
    isPartial: only !== undefined,
    runs: count,
    json,
    paged,
    block,
    net,
    threads,
    files,
    caml,
  };
}

interface Results {
  readonly cpu: string;
  readonly node: string;
  readonly rows: Row[];
  readonly paged: PagedRow[];
  readonly startUp: StartUp[];
  readonly recompiling: Recompiling[];
  block?: BlockSpeed;
  guestBlock?: GuestBlockSpeed;
  readonly grubRead: GrubRead[];
  readonly pvCalls: PvCalls[];
  readonly net: GuestNetSpeed[];
  readonly boots: BootTimes[];
  readonly threads: ThreadSpeed[];
  readonly files: (GuestFileSpeed | FrontSpeeds)[];
  readonly caml: (CamlRow | CamlHello)[];
}

type Say = (text: string) => void;

async function measureAll(request: Request, directory: string, say: Say): Promise<Results> {
  const results: Results = {
    cpu: `${cpus().length} × ${cpus()[0]?.model ?? 'unknown CPU'}`,
    node: process.version,
    ...{ rows: [], paged: [], startUp: [], recompiling: [], grubRead: [], pvCalls: [] },
    ...{ net: [], boots: [], threads: [], files: [], caml: [] },
  };
  const { widths, runs } = request;
  say(`${results.cpu}, Node ${results.node}, ${runs} runs\n\n`);
  if (request.block) {
    await measureDisks(request, results, directory, say);
    return results;
  }
  if (request.threads) {
    results.threads.push(...(await measureAllThreads(request, directory, say)));
    return results;
  }
  if (request.files) {
    results.files.push(...(await measureAllFiles(request, directory, say)));
    return results;
  }
  if (request.caml) {
    results.caml.push(...(await measureAllCaml(request, directory, say)));
    return results;
  }
  if (request.net) {
    results.net.push(...(await measureAllNet(request, directory, say)));
    return results;
  }
  if (request.paged) {
    results.paged.push(...(await measureAllPaged(request, directory, say)));
    return results;
  }
  say(`${heading}\n`);
  for (const program of request.programs)
    for (const width of widths) {
      const row = await measure(program, width, { runs, directory });
      results.rows.push(row);
      say(`${rowText(row)}\n`);
    }
  if (request.isPartial) return results;
  for (const width of widths) say(`${meanText(results.rows, width)}\n`);
  say('\n');
  for (const width of widths) say(`${targetLines(results.rows, width).join('\n')}\n`);
  say('\n');
  for (const width of widths) {
    const startUp = await measureStartUp(width, { runs, directory });
    results.startUp.push(startUp);
    say(`${startUpText(startUp)}\n`);
  }
  for (const width of widths) {
    const recompiling = await recompileApart(width);
    results.recompiling.push(recompiling);
    say(`${recompilingText(recompiling)}\n`);
  }
  await measureDisks(request, results, directory, say);
  results.net.push(...(await measureAllNet(request, directory, say)));
  results.threads.push(...(await measureAllThreads(request, directory, say)));
  results.files.push(...(await measureAllFiles(request, directory, say)));
  results.caml.push(...(await measureAllCaml(request, directory, say)));
  return results;
}

async function measureDisks(
  { widths, runs }: Request,
  results: Results,
  directory: string,
  say: Say,
): Promise<void> {
  results.block = await measureBlock({ runs, directory });
  say(`${blockText(results.block)}\n`);
  results.guestBlock = await measureGuestBlock({ runs, directory });
  say(`${guestBlockText(results.guestBlock)}\n`);
  for (const width of widths) {
    const calls = await measurePvCalls(width, { runs });
    results.pvCalls.push(calls);
    say(`${pvCallsText(calls)}\n`);
  }
  for (const width of widths) {
    const read = await measureGrubRead(width, { directory });
    results.grubRead.push(read);
    say(`${grubReadText(read)}\n`);
  }
  for (const width of widths) {
    const boots = await measureBoots(width, { runs, directory });
    results.boots.push(...boots);
    for (const boot of boots) say(`${bootText(boot)}\n`);
  }
}

async function measureAllPaged(
  { programs: chosen, widths, runs, isPartial }: Request,
  directory: string,
  say: Say,
): Promise<PagedRow[]> {
  const rows: PagedRow[] = [];
  say(`${pagedHeading}\n`);
  for (const program of chosen)
    for (const width of widths) {
      const row = await measurePaged(program, width, { runs, directory });
      rows.push(row);
      say(`${pagedRowText(row)}\n`);
    }
  if (!isPartial) for (const width of widths) say(`${pagedMeanText(rows, width)}\n`);
  return rows;
}

async function measureAllNet(
  { widths }: Request,
  directory: string,
  say: Say,
): Promise<GuestNetSpeed[]> {
  const speeds: GuestNetSpeed[] = [];
  for (const width of widths) {
    const speed = await measureGuestNet(width, { directory });
    speeds.push(speed);
    say(`${guestNetText(speed)}\n`);
  }
  return speeds;
}

async function measureAllThreads(
  { widths, runs }: Request,
  directory: string,
  say: Say,
): Promise<ThreadSpeed[]> {
  const speeds: ThreadSpeed[] = [];
  for (const width of widths) {
    const speed = await measureThreads(width, { runs, directory });
    speeds.push(speed);
    say(`${threadsText(speed)}\n`);
  }
  return speeds;
}

async function measureAllFiles(
  { widths }: Request,
  directory: string,
  say: Say,
): Promise<(GuestFileSpeed | FrontSpeeds)[]> {
  const speeds: (GuestFileSpeed | FrontSpeeds)[] = [];
  for (const width of widths) {
    const speed = await measureGuestFiles(width, { directory });
    speeds.push(speed);
    say(`${guestFileText(speed)}\n`);
    const fronts = await measureFronts(width, { directory });
    speeds.push(fronts);
    say(`${frontsText(fronts)}\n`);
  }
  return speeds;
}

async function measureAllCaml(
  { widths, runs }: Request,
  directory: string,
  say: Say,
): Promise<(CamlRow | CamlHello)[]> {
  const results: (CamlRow | CamlHello)[] = [];
  for (const program of camlPrograms)
    for (const width of widths) {
      const row = await measureCaml(program, width, { runs, directory });
      results.push(row);
      say(`${camlText(row)}\n`);
    }
  for (const width of widths) {
    const hello = await measureCamlHello(width, { runs, directory });
    results.push(hello);
    say(`${camlHelloText(hello)}\n`);
  }
  return results;
}

/** In a process that has recompiled nothing yet. */
async function recompileApart(width: Width): Promise<Recompiling> {
  const script = fileURLToPath(new URL('recompiling.js', import.meta.url));
  const { status, stdout, stderr } = await runProcess(process.execPath, [script, String(width)]);
  if (status !== 0) throw new Error(`recompiling.js ended with status ${status}: ${stderr}`);
  return JSON.parse(stdout) as Recompiling;
}

/** 1 where a program failed or computed something else than natively. */
async function main(words: readonly string[]): Promise<number> {
  const request = parse(words);
  await ensureTools(['gcc', 'gcc -m32', 'libc6-dev', 'ld', 'make', 'newlib-source']);
  const directory = mkdtempSync(join(tmpdir(), 'stubdom-bench-'));
  try {
    const print: Say = (text) => {
      process.stdout.write(text);
    };
    const results = await measureAll(request, directory, request.json ? () => {} : print);
    if (request.json) print(`${JSON.stringify(results, null, 2)}\n`);
    const ratios = [
      ...results.rows.map(({ stubdom }) => stubdom),
      ...results.caml.flatMap((row) => ('stubdom' in row ? [row.stubdom] : [])),
      ...results.paged.flatMap(({ paged }) => layouts.map((frames) => paged[frames].ratio)),
    ];
    return ratios.every((ratio) => 'ratio' in ratio) ? 0 : 1;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  const isUsage = (error as NodeJS.ErrnoException).code?.startsWith('ERR_PARSE_ARGS');
  if (!isUsage && !(error instanceof UserError)) throw error;
  process.stderr.write(`stubdom bench: ${(error as Error).message}\n`);
  return error instanceof UserError ? error.status : 2;
});

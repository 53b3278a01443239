/**
 * `npm test [part-of-path…]`, `npm run test:full`: every compiled test file, two at a time, each in its own process.
 * The build before it has type-checked all; its last line is `N passed, N failed`.
 */
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserError } from '../runtime/errors.ts';
import { cachedSysroot, ensureTools, sysroot, type ToolName, tools } from '../toolchain/index.ts';
import { type Outcome, runTestFile } from './support/test-file.ts';

const compiled = fileURLToPath(new URL('.', import.meta.url));

/** More would make tests wait for a turn that look at the clock. */
const mostAtOnce = 2;

/** What a file may take before it is killed, in seconds. */
const limits = { short: 10 * 60, full: 120 * 60 } as const;

const say = (text: string): void => {
  process.stdout.write(text);
};

interface Request {
  readonly tier: keyof typeof limits;
  readonly isWhole: boolean;
  readonly files: readonly string[];
}

function parse(words: readonly string[]): Request {
  const unknown = words.find((word) => word.startsWith('-') && word !== '--full');
  if (unknown !== undefined)
    throw new UserError(`no option ${unknown}; try: npm test [part-of-path…]`, { status: 2 });
  const patterns = words.filter((word) => word !== '--full');
  const all = (readdirSync(compiled, { recursive: true }) as string[])
    .filter((name) => name.endsWith('.test.js'))
    .sort();
  const idle = patterns.find((pattern) => !all.some((name) => matches(name, pattern)));
  if (idle !== undefined)
    throw new UserError(`no test file's path contains ${idle}`, { status: 2 });
  const isWanted = (name: string): boolean => patterns.some((pattern) => matches(name, pattern));
  return {
    tier: words.includes('--full') ? 'full' : 'short',
    isWhole: patterns.length === 0,
    files: patterns.length === 0 ? all : all.filter(isWanted),
  };
}

/** A source's path matches its test's file, too: runtime/ir/build.ts, tests/runtime/ir/build.test.ts. */
const matches = (name: string, pattern: string): boolean =>
  `tests/${name}`.includes(pattern.replace(/(\.test)?\.[jt]s$/, ''));

interface Totals {
  passed: number;
  failed: number;
  skipped: number;
}

async function runAll({ tier, files }: Request, signal: AbortSignal): Promise<Totals> {
  const totals: Totals = { passed: 0, failed: 0, skipped: 0 };
  const broken: string[] = [];
  const pending = [...files];
  const runNext = async (): Promise<void> => {
    const file = pending.shift();
    if (file === undefined) return;
    const name = file.replace(/\.test\.js$/, '');
    const outcome = await runTestFile(join(compiled, file), {
      limitSeconds: limits[tier],
      environment: { STUBDOM_TEST_TIER: tier },
      signal,
    });
    signal.throwIfAborted();
    say(`${name}  ${describe(outcome)}\n`);
    if (outcome.failed > 0) {
      broken.push(name);
      say(`${outcome.output}\n`);
    }
    for (const key of ['passed', 'failed', 'skipped'] as const) totals[key] += outcome[key];
    await runNext();
  };
  await Promise.all(Array.from({ length: Math.min(mostAtOnce, availableParallelism()) }, runNext));
  if (broken.length > 0) say(`\nfailing files:\n${broken.map((name) => `  ${name}\n`).join('')}`);
  return totals;
}

function describe({ passed, failed, skipped, seconds, trouble }: Outcome): string {
  const parts = [`${passed} passed`];
  if (failed > 0) parts.push(`${failed} FAILED`);
  if (skipped > 0) parts.push(`${skipped} skipped`);
  if (trouble !== undefined) parts.push(trouble);
  return `${parts.join(', ')}  (${seconds.toFixed(1)} s)`;
}

/** So that the first test which builds a guest does not pay for it. Where it fails, the tests that need it say so by name. */
async function prepareSysroots(signal: AbortSignal): Promise<void> {
  for (const width of [64, 32] as const) {
    if ((await cachedSysroot(width)) !== undefined) continue;
    say(`building the sysroot of x86-${width}, once; it takes some minutes\n`);
    try {
      await sysroot(width, { signal });
    } catch (error) {
      if (signal.aborted || !(error instanceof UserError)) throw error;
      say(`${error.message}\n`);
    }
  }
}

async function main(words: readonly string[]): Promise<number> {
  const request = parse(words);
  const { signal } = interruptible();
  await ensureTools(Object.keys(tools) as ToolName[], {
    onInstall: (line) => say(`installing what the tests need: ${line}\n`),
  });
  if (request.isWhole) await prepareSysroots(signal);
  const { passed, failed, skipped } = await runAll(request, signal);
  say(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`);
  return failed === 0 ? 0 : 1;
}

function interruptible(): AbortController {
  const interrupted = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const)
    process.once(name, () => interrupted.abort(new UserError('stopped', { status: 130 })));
  return interrupted;
}

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  if (!(error instanceof UserError)) throw error;
  process.stderr.write(`stubdom tests: ${error.message}\n`);
  return error.status;
});

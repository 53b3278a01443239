/**
 * `npm test [part-of-path…]`, `npm run test:full`: every compiled test file, one after another, each in its own process.
 * The build before it has type-checked all; its last line is `N passed, N failed`.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserError } from '../runtime/errors.ts';
import { ensureTools, type ToolName, tools } from '../toolchain/index.ts';
import { type Outcome, runTestFile } from './support/test-file.ts';

const compiled = fileURLToPath(new URL('.', import.meta.url));

/** What a file may take before it is killed, in seconds. */
const limits = { short: 5 * 60, full: 60 * 60 } as const;

const say = (text: string): void => {
  process.stdout.write(text);
};

interface Request {
  readonly tier: keyof typeof limits;
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
  for (const file of files) {
    const name = file.replace(/\.test\.js$/, '');
    say(name);
    const outcome = await runTestFile(join(compiled, file), {
      limitSeconds: limits[tier],
      environment: { STUBDOM_TEST_TIER: tier },
      signal,
    });
    if (signal.aborted) throw new UserError('stopped', { status: 130 });
    say(`  ${describe(outcome)}\n`);
    if (outcome.failed > 0) {
      broken.push(name);
      say(`${outcome.output}\n`);
    }
    for (const key of ['passed', 'failed', 'skipped'] as const) totals[key] += outcome[key];
  }
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

async function main(words: readonly string[]): Promise<number> {
  const request = parse(words);
  await ensureTools(Object.keys(tools) as ToolName[], {
    onInstall: (line) => say(`installing what the tests need: ${line}\n`),
  });
  const interrupted = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const)
    process.once(name, () => interrupted.abort(new UserError('stopped', { status: 130 })));
  const { passed, failed, skipped } = await runAll(request, interrupted.signal);
  say(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`);
  return failed === 0 ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  if (!(error instanceof UserError)) throw error;
  process.stderr.write(`stubdom tests: ${error.message}\n`);
  return error.status;
});

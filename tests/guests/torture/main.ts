/**
 * `node dist/tests/guests/torture/main.js WIDTH LEVEL [TEST.c…]`: builds and runs the named torture tests, or all, in one
 * width at one level of optimisation; a line of JSON for each verdict.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildImages, type Way } from './images.ts';
import { tortureDirectory, tortureTests } from './suite.ts';
import { judge } from './verdicts.ts';

/** Tests an image: enough to pay for the C library in it, few enough that a failure repeats little. */
const batch = 160;

async function main([width, level = '-O2', ...names]: readonly string[]): Promise<void> {
  const way: Way = { width: width === '32' ? 32 : 64, level };
  const sources = await tortureDirectory();
  const tests = names.length > 0 ? names : tortureTests(sources);
  for (let from = 0; from < tests.length; from += batch)
    await runBatch(sources, tests.slice(from, from + batch), way);
}

async function runBatch(sources: string, tests: readonly string[], way: Way): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'stubdom-torture-'));
  try {
    const verdicts = await judge(await buildImages(sources, tests, way, directory));
    process.stdout.write(verdicts.map((verdict) => `${JSON.stringify(verdict)}\n`).join(''));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

await main(process.argv.slice(2));

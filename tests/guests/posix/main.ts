/**
 * `node dist/tests/guests/posix/main.js WIDTH [FUNCTION|FUNCTION/TEST]…`: builds and runs the named tests, or all, in one width; a
 * line of JSON for each verdict.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSide } from './images.ts';
import { posixSuite, type Suite } from './suite.ts';
import { judge, passNatively } from './verdicts.ts';

/** Tests a program: enough to pay for the C library in it. */
const batch = 100;

async function main([width, ...names]: readonly string[]): Promise<void> {
  const suite = await posixSuite();
  const isWanted = (test: string): boolean =>
    names.length === 0 || names.some((name) => test === name || test.startsWith(`${name}/`));
  const tests = suite.tests.filter(isWanted);
  const batches = Array.from({ length: Math.ceil(tests.length / batch) }, (_, i) =>
    tests.slice(i * batch, (i + 1) * batch),
  );
  const directory = mkdtempSync(join(tmpdir(), 'stubdom-posix-'));
  try {
    await runBatches(suite, batches, width === '32' ? 32 : 64, directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** What runs natively sleeps most of the time: while guests run, the next batch does. */
async function runBatches(
  suite: Suite,
  batches: readonly (readonly string[])[],
  width: 64 | 32,
  directory: string,
): Promise<void> {
  const folders = batches.map((_, i) => join(directory, String(i)));
  const natively = async (i: number): Promise<ReadonlySet<number>> => {
    const [tests, folder] = [batches[i], folders[i]];
    if (tests === undefined || folder === undefined) return new Set();
    mkdirSync(folder);
    return passNatively(await buildSide('native', suite, tests, width, folder), tests.length);
  };
  let next = natively(0);
  for (const [i, tests] of batches.entries()) {
    const passing = await next;
    next = natively(i + 1);
    const guest = await buildSide('guest', suite, tests, width, join(directory, String(i)));
    for await (const verdict of judge(tests, passing, guest))
      process.stdout.write(`${JSON.stringify(verdict)}\n`);
  }
}

await main(process.argv.slice(2));

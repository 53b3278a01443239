/**
 * `node dist/tests/guests/posix/main.js WIDTH [FUNCTION|FUNCTION/TEST]…`: builds and runs the named tests, or all, in one width; a
 * line of JSON for each verdict.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSide } from './images.ts';
import { posixSuite, type Suite } from './suite.ts';
import { judge } from './verdicts.ts';

/** Tests a program: enough to pay for the C library in it. */
const batch = 100;

async function main([width, ...names]: readonly string[]): Promise<void> {
  const suite = await posixSuite();
  const isWanted = (test: string): boolean =>
    names.length === 0 || names.some((name) => test === name || test.startsWith(`${name}/`));
  const tests = suite.tests.filter(isWanted);
  for (let from = 0; from < tests.length; from += batch)
    await runBatch(suite, tests.slice(from, from + batch), width === '32' ? 32 : 64);
}

async function runBatch(suite: Suite, tests: readonly string[], width: 64 | 32): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'stubdom-posix-'));
  try {
    const native = await buildSide('native', suite, tests, width, directory);
    const guest = await buildSide('guest', suite, tests, width, directory);
    for await (const verdict of judge(tests, native, guest))
      process.stdout.write(`${JSON.stringify(verdict)}\n`);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

await main(process.argv.slice(2));

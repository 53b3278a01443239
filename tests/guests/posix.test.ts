/**
 * The Open POSIX Test Suite: of what passes on this machine nearly all passes in a guest, and the rest is listed with its reason. What
 * makes processes is listed, too, and counted apart, since an application is one for ever. The short tier draws some by a seed.
 */
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Width } from '../../toolchain/index.ts';
import { runProcess } from '../../toolchain/process.ts';
import { isFull } from '../support/program.ts';
import { freshSeed, random } from '../support/random.ts';
import { exceptions, needsProcess, posixSuite, type Suite } from './posix/suite.ts';
import type { Verdict } from './posix/verdicts.ts';

const posix = suite<{ tests: Suite }>('guests/posix');

/** Of the short tier, which leaves out what computes for long. */
const sampled = 24;
const slow: ReadonlySet<string> = new Set(['clock/1-1']);

const program = fileURLToPath(new URL('posix/main.js', import.meta.url));

posix.before(async (context) => {
  context.tests = await posixSuite();
});

/** In processes side by side, each with its share of the tests. */
async function verdicts(width: Width, tests: readonly string[]): Promise<Verdict[]> {
  const share = Math.ceil(tests.length / availableParallelism());
  const shares = Array.from({ length: Math.ceil(tests.length / share) }, (_, i) =>
    tests.slice(i * share, (i + 1) * share),
  );
  const found = await Promise.all(
    shares.map(async (some) => {
      const { status, stdout, stderr } = await runProcess(process.execPath, [
        ...[program, String(width), ...some],
      ]);
      if (status !== 0) throw new Error(stderr);
      return stdout.trim().split('\n').map(readVerdict);
    }),
  );
  return found.flat();
}

const readVerdict = (line: string): Verdict => JSON.parse(line) as Verdict;

/** Of those that need no other process, in hundredths. */
const least = 95;

const isOfProcesses = (reason: string): boolean => reason.startsWith('makes a process');

/** What does not look at fork's answer, or at memory that nobody has written, passes in one width and not in the other. */
const mayPass = (reason: string | undefined): boolean =>
  reason !== undefined && (isOfProcesses(reason) || reason.startsWith('by chance'));

/** A line for each that fails in the guest though it passes natively and is not listed, or passes and is listed. */
function unexpected(width: Width, found: readonly Verdict[]): string[] {
  const excused = exceptions();
  return found
    .filter(({ passesNatively }) => passesNatively)
    .filter(({ test, failure }) =>
      failure === '' ? excused.has(test) && !mayPass(excused.get(test)) : !excused.has(test),
    )
    .map(({ test, failure }) => `x86-${width} ${test}: ${failure || 'passes, and is listed'}`);
}

/** Prints the result; the hundredths of those that need no process and pass. */
function share(width: Width, found: readonly Verdict[], tests: Suite): number {
  const passing = found.filter(({ passesNatively }) => passesNatively);
  const own = passing.filter(({ test }) => !needsProcess(tests, test));
  const passed = (of: readonly Verdict[]): number =>
    of.filter(({ failure }) => failure === '').length;
  process.stdout.write(
    `x86-${width}: of ${found.length} tests ${passing.length} pass natively, ${passed(passing)} of these in the guest; ` +
      `without those that make processes ${passed(own)} of ${own.length}\n`,
  );
  return (100 * passed(own)) / Math.max(own.length, 1);
}

posix('exceptions are tests, and few but those that make processes', ({ tests }) => {
  const excused = [...exceptions()];

  assert.ok(tests.tests.length > 1300, `only ${tests.tests.length} tests`);
  assert.equal(
    excused
      .filter(
        ([test, reason]) =>
          !tests.tests.includes(test) || isOfProcesses(reason) !== needsProcess(tests, test),
      )
      .map(([test]) => test),
    [],
  );
  const others = excused.filter(([, reason]) => !isOfProcesses(reason));
  assert.ok(others.length <= tests.tests.length / 20, `${others.length} exceptions`);
});

if (isFull) {
  for (const width of [64, 32] as const)
    posix(`x86-${width}: every test that passes natively passes`, async ({ tests }) => {
      const found = await verdicts(width, tests.tests);

      assert.is(found.length, tests.tests.length);
      assert.ok(share(width, found, tests) >= least);
      assert.equal(unexpected(width, found), []);
    });
} else {
  const seed = freshSeed();

  posix(`some tests pass as they do natively (seed ${seed})`, async ({ tests }) => {
    process.stdout.write(`guests/posix: seed ${seed}\n`);
    const { below } = random(seed);
    const width = below(2) === 0 ? 64 : 32;
    const step = Math.floor(tests.tests.length / sampled);
    const first = below(step);
    const drawn = tests.tests.filter((test, i) => i % step === first && !slow.has(test));

    const found = await verdicts(width, drawn);

    assert.is(found.length, drawn.length);
    share(width, found, tests);
    assert.equal(unexpected(width, found), []);
  });
}

posix.run();

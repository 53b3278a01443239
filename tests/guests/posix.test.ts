/**
 * The Open POSIX Test Suite: of what passes on this machine nearly all passes in a guest, and the rest is listed with its reason. What
 * needs a second process is counted apart, since an application is one for ever. The short tier takes some by a seed.
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

/** What the short tier draws from. */
const ofSignals = /^(raise|kill|sigaltstack)\//;

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

/** One line for each that fails in the guest though it passes natively, and is neither listed nor in need of a process. */
function unexpected(width: Width, found: readonly Verdict[], tests: Suite): string[] {
  const excused = exceptions();
  const passing = found.filter(({ passesNatively }) => passesNatively);
  const [needing, own] = [true, false].map((needs) =>
    passing.filter(({ test }) => needsProcess(tests, test) === needs),
  ) as [Verdict[], Verdict[]];
  const failing = own.filter(({ failure }) => failure !== '');
  const needingPass = needing.filter(({ failure }) => failure === '').length;
  process.stdout.write(
    `x86-${width}: ${passing.length} of ${found.length} pass natively; ${own.length - failing.length} of ${own.length} in the guest, ` +
      `and ${needingPass} of ${needing.length} that make processes\n`,
  );
  return failing
    .filter(({ test }) => !excused.has(test))
    .map(({ test, failure }) => `x86-${width} ${test}: ${failure}`);
}

posix('exceptions are tests that need no other process, and one in twenty at most', ({ tests }) => {
  const names = [...exceptions().keys()];

  assert.ok(tests.tests.length > 1300, `only ${tests.tests.length} tests`);
  assert.equal(
    names.filter((name) => !tests.tests.includes(name) || needsProcess(tests, name)),
    [],
  );
  assert.ok(names.length <= tests.tests.length / 20, `${names.length} of ${tests.tests.length}`);
});

if (isFull) {
  for (const width of [64, 32] as const)
    posix(`x86-${width}: every test that passes natively passes`, async ({ tests }) => {
      const found = await verdicts(width, tests.tests);

      assert.is(found.length, tests.tests.length);
      assert.equal(unexpected(width, found, tests), []);
    });
} else {
  const seed = freshSeed();

  posix(`some tests pass as they do natively (seed ${seed})`, async ({ tests }) => {
    process.stdout.write(`guests/posix: seed ${seed}\n`);
    const { below } = random(seed);
    const width = below(2) === 0 ? 64 : 32;
    const [step, first] = [10, below(10)];
    const drawn = tests.tests
      .filter((test) => ofSignals.test(test))
      .filter((_, i) => i % step === first);

    const found = await verdicts(width, drawn);

    assert.is(found.length, drawn.length);
    assert.equal(unexpected(width, found, tests), []);
  });
}

posix.run();

/**
 * gcc's own execution torture tests: whatever passes on this machine passes in a guest. The short tier takes every tenth
 * by a seed, each in one width at one level; the long one all in both widths at every level.
 */
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Width, widths } from '../../toolchain/index.ts';
import { runProcess } from '../../toolchain/process.ts';
import { isFull } from '../support/program.ts';
import { freshSeed, random } from '../support/random.ts';
import type { Way } from './torture/images.ts';
import { exceptions, optionsOf, tortureDirectory, tortureTests } from './torture/suite.ts';
import type { Verdict } from './torture/verdicts.ts';

interface Context {
  readonly tests: readonly string[];
  /** Exceptions that have failed somewhere. */
  readonly met: Set<string>;
}

const torture = suite<Context>('guests/torture');

const program = fileURLToPath(new URL('torture/main.js', import.meta.url));
const ways: readonly Way[] = ([64, 32] as const).flatMap((width) =>
  ['-O0', '-O1', '-O2', '-O3', '-Os'].map((level) => ({ width, level })),
);
const describe = ({ width, level }: Way): string => `${widths[width].name} ${level}`;

torture.before(async (context) => {
  const directory = await tortureDirectory();
  Object.assign(context, { tests: tortureTests(directory), met: new Set<string>() });
});

/** In processes side by side, each with its share of the tests. */
async function verdicts(way: Way, tests: readonly string[]): Promise<Verdict[]> {
  const share = Math.ceil(tests.length / availableParallelism());
  const shares = Array.from({ length: Math.ceil(tests.length / share) }, (_, i) =>
    tests.slice(i * share, (i + 1) * share),
  );
  const found = await Promise.all(
    shares.map(async (some) => {
      const words = [program, String(way.width), way.level, ...some];
      const { status, stdout, stderr } = await runProcess(process.execPath, words);
      if (status !== 0) throw new Error(`${describe(way)}: ${stderr}`);
      return stdout.trim().split('\n').map(readVerdict);
    }),
  );
  return found.flat();
}

const readVerdict = (line: string): Verdict => JSON.parse(line) as Verdict;

/** One line for each test that fails in the guest though it passes natively and is no exception. */
function unexpected(way: Way, found: readonly Verdict[], { met }: Context): string[] {
  const excused = exceptions();
  const failing = found.filter(({ failures }) => failures.length > 0);
  for (const { test } of failing) met.add(test);
  const passing = found.filter(({ passesNatively }) => passesNatively).length;
  process.stdout.write(
    `${describe(way)}: ${passing} of ${found.length} pass natively, ${passing - failing.length} of these in the guest\n`,
  );
  return failing
    .filter(({ test }) => !excused.has(test))
    .flatMap(({ test, failures }) => failures.map((why) => `${describe(way)} ${test}: ${why}`));
}

torture('options for other targets are left out', () => {
  const source = `
/* { dg-options "-fwrapv -O2" } */
/* { dg-additional-options "-mno-stv" { target i?86-*-* x86_64-*-* } } */
/* { dg-options "-mtune=i686" { target { { i?86-*-* x86_64-*-* } && ia32 } } } */
/* { dg-options { "-fno-common" } } */
{ dg-additional-options "-Wl,-u,_printf_float" { target newlib_nano_io } }`;
  const options = (width: Width): string => optionsOf(source, width).join(' ');

  assert.is(options(64), '-fwrapv -O2 -mno-stv -fno-common');
  assert.is(options(32), '-fwrapv -O2 -mno-stv -mtune=i686 -fno-common');
});

torture('exceptions are tests, and one in a hundred at most', ({ tests }) => {
  const names = [...exceptions().keys()];

  assert.equal(
    names.filter((name) => !tests.includes(name)),
    [],
  );
  assert.ok(tests.length >= 1500, `only ${tests.length} tests`);
  assert.ok(names.length <= tests.length / 100, `${names.length} of ${tests.length}`);
});

if (isFull) {
  for (const way of ways)
    torture(`${describe(way)}: every test that passes natively passes`, async (context) => {
      const found = await verdicts(way, context.tests);

      assert.is(found.length, context.tests.length);
      assert.equal(unexpected(way, found, context), []);
    });

  torture('every exception fails somewhere', ({ met }) => {
    assert.equal(
      [...exceptions().keys()].filter((name) => !met.has(name)),
      [],
    );
  });
} else {
  const seed = freshSeed();

  torture(`every tenth test passes as it does natively (seed ${seed})`, async (context) => {
    process.stdout.write(`guests/torture: seed ${seed}\n`);
    const drawn = draw(context.tests, seed);

    for (const way of ways) {
      const tests = drawn.get(way) ?? [];
      const found = tests.length === 0 ? [] : await verdicts(way, tests);

      assert.is(found.length, tests.length);
      assert.equal(unexpected(way, found, context), []);
    }
  });
}

/** Every tenth test from one of the first ten on, each in a way of its own. */
function draw(tests: readonly string[], seed: number): ReadonlyMap<Way, readonly string[]> {
  const { below } = random(seed);
  const first = below(10);
  const drawn = new Map<Way, string[]>();
  for (const test of tests.filter((_, i) => i % 10 === first)) {
    const way = ways[below(ways.length)];
    if (way !== undefined) drawn.set(way, [...(drawn.get(way) ?? []), test]);
  }
  return drawn;
}

torture.run();

/**
 * OCaml's own test suite: whatever passes on this machine passes in a guest, native code and bytecode. The short tier takes some by a
 * seed, on x86-64, of those that need neither threads nor the system; the long one all in both widths.
 */
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Width, widths } from '../../toolchain/index.ts';
import { runProcess } from '../../toolchain/process.ts';
import { MapCache } from '../support/map-cache.ts';
import { isFull } from '../support/program.ts';
import { freshSeed, random } from '../support/random.ts';
import {
  type Compiler,
  exceptions,
  type LeftOut,
  type SuiteTest,
  suiteDirectory,
  wholeSuite,
} from './ocaml/suite.ts';
import { judge, type Verdict } from './ocaml/verdicts.ts';

interface Context {
  readonly tests: readonly SuiteTest[];
  readonly leftOut: readonly LeftOut[];
  /** Exceptions that have failed somewhere. */
  readonly met: Set<string>;
}

const ocaml = suite<Context>('guests/ocaml');

const program = fileURLToPath(new URL('ocaml/main.js', import.meta.url));
const compilers: readonly Compiler[] = ['native', 'bytecode'];
/** Of the short tier, for each compiler, all in this process: each new one would have V8 compile the recompiler again. */
const sampled = 6;
const isPlain = ({ packages, name }: SuiteTest): boolean =>
  packages.length === 0 && name < 'lib-str';

ocaml.before(async (context) => {
  const all = wholeSuite(await suiteDirectory());
  Object.assign(context, {
    tests: all.filter((test) => !('reason' in test)),
    leftOut: all.filter((test) => 'reason' in test),
    met: new Set<string>(),
  });
});

/** In processes side by side, each with its share of the tests. */
async function verdicts(
  width: Width,
  compiler: Compiler,
  names: readonly string[],
): Promise<Verdict[]> {
  const count = availableParallelism();
  const shares = Array.from({ length: count }, (_, i) => names.filter((__, n) => n % count === i));
  const found = await Promise.all(
    shares
      .filter((share) => share.length > 0)
      .map(async (share) => {
        const words = [program, String(width), compiler, ...share];
        const { status, stdout, stderr } = await runProcess(process.execPath, words);
        if (status !== 0) throw new Error(`${widths[width].name} ${compiler}: ${stderr}`);
        return stdout.trim().split('\n').map(readVerdict);
      }),
  );
  return found.flat();
}

const readVerdict = (line: string): Verdict => JSON.parse(line) as Verdict;

const needsProcess = /^needs (fork|exec)\b/;

/** One line for each test that fails in the guest though it passes natively and is no exception. */
function unexpected(width: Width, found: readonly Verdict[], { met }: Context): string[] {
  const excused = exceptions();
  const own = found.filter(({ name }) => !needsProcess.test(excused.get(name) ?? ''));
  const passing = own.filter(({ nativeFailure }) => nativeFailure === undefined).length;
  const failing = found.filter(({ failure }) => failure !== undefined);
  for (const { name } of failing) met.add(name);
  const inGuest = passing - own.filter(({ failure }) => failure !== undefined).length;
  process.stdout.write(
    `${widths[width].name}: of ${own.length} that need neither fork nor exec ${passing} pass natively, ${inGuest} of these in the guest\n`,
  );
  return failing
    .filter(({ name }) => !excused.has(name))
    .map(({ name, compiler, failure }) => `${widths[width].name} ${compiler} ${name}: ${failure}`);
}

const namesFor = (tests: readonly SuiteTest[], compiler: Compiler): string[] =>
  tests.filter((test) => test.compiler === compiler).map(({ name }) => name);

ocaml('exceptions are tests, and two in a hundred at most', ({ tests, leftOut }) => {
  const excused = [...exceptions()];
  const names = new Set(tests.map(({ name }) => name));

  assert.equal(
    excused.map(([name]) => name).filter((name) => !names.has(name)),
    [],
  );
  assert.ok(tests.length >= 560, `only ${tests.length} tests`);
  assert.ok(leftOut.length <= 12, `${leftOut.length} are left out`);
  const others = excused.filter(([, reason]) => !needsProcess.test(reason));
  assert.ok(others.length <= names.size / 50, `${others.length} of ${names.size}`);
});

if (isFull) {
  for (const width of [64, 32] as const)
    for (const compiler of compilers)
      ocaml(
        `${widths[width].name} ${compiler}: every test that passes natively passes`,
        async (context) => {
          const names = namesFor(context.tests, compiler);
          const found = await verdicts(width, compiler, names);

          assert.is(found.length, names.length);
          assert.equal(unexpected(width, found, context), []);
        },
      );

  ocaml('every exception fails somewhere', ({ met }) => {
    const own = [...exceptions()].filter(([, reason]) => !needsProcess.test(reason));

    assert.equal(
      own.map(([name]) => name).filter((name) => !met.has(name)),
      [],
    );
  });
} else {
  const seed = freshSeed();

  for (const compiler of compilers)
    ocaml(`some tests pass as they do natively: ${compiler}, seed ${seed}`, async (context) => {
      process.stdout.write(`guests/ocaml: ${compiler}, seed ${seed}; x86-32 is in --full\n`);
      const { below } = random(seed);
      const left = context.tests.filter((test) => test.compiler === compiler && isPlain(test));
      const cache = new MapCache();
      const found: Verdict[] = [];
      while (found.length < sampled)
        for (const test of left.splice(below(left.length), 1))
          found.push(await judge(test, 64, cache));

      assert.equal(unexpected(64, found, context), []);
    });
}

ocaml.run();

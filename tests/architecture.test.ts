/** What the compiler and the linter cannot hold: the direction of imports, who may import what, which files have tests. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { runProcess } from '../toolchain/process.ts';
import { provedElsewhere } from './support/proved-elsewhere.ts';
import {
  importsOf,
  projectDirectory,
  type SourceFile,
  sourceFiles,
} from './support/source-files.ts';

const architecture = suite('architecture');

/** Imports point down this list; layers in one row do not import each other. */
// biome-ignore format: one row a level
const layers: readonly (readonly string[])[] = [
  ['toolchain'],
  ['runtime/index.ts'],
  ['runtime/machine.ts'],
  ['runtime/boot-domain.ts', 'runtime/boot-application.ts'],
  ['runtime/domain-devices.ts', 'runtime/machine-world.ts'],
  ['runtime/host'],
  ['runtime/minios', 'runtime/xen'],
  ['runtime/backends'],
  ['runtime/display'],
  ['runtime/network'],
  ['runtime/xenstore'],
  ['runtime/domain'],
  ['runtime/cpu'],
  ['runtime/recompiler'],
  ['runtime/x86'],
  ['runtime/abi'],
  ['runtime/ir'],
  ['runtime/elf'],
  ['runtime/memory'],
  ['runtime/trace.ts'],
  ['runtime/errors.ts'],
];

/** Packages of the runtime, and the one place each is reached from. */
const gates: Readonly<Record<string, string>> = {
  'node:': 'runtime/host/node/',
  elfinfo: 'runtime/elf/image.ts',
  '#iced': 'runtime/x86/decode.ts',
  'iced-x86': 'runtime/x86/iced.ts',
  'fast-png': 'runtime/display/screenshot.ts',
  binaryen: 'runtime/recompiler/emit/binaryen-emitter.ts',
};

const product = sourceFiles('runtime', 'toolchain').filter(({ path }) => !path.endsWith('.d.ts'));
const tests = sourceFiles('tests');

const isIn = (path: string, place: string): boolean =>
  path === place || path.startsWith(`${place}/`);

const layerOf = (path: string): number =>
  layers.findIndex((row) => row.some((place) => isIn(path, place)));

const placeOf = (path: string): string | undefined =>
  layers.flat().find((place) => isIn(path, place));

/** One line for each finding, so that a failure names them all. */
const none = (findings: readonly string[]): void => assert.equal(findings, []);

architecture('every file lies in a layer', () => {
  none(product.filter(({ path }) => layerOf(path) < 0).map(({ path }) => path));
});

architecture('imports point down the list of layers', () => {
  const against = product.flatMap((file) =>
    importsOf(file)
      .filter(({ target }) => target.startsWith('runtime/') || target.startsWith('toolchain/'))
      .filter(
        ({ target }) =>
          placeOf(target) !== placeOf(file.path) && layerOf(target) <= layerOf(file.path),
      )
      .map(({ target }) => `${file.path} imports ${target}`),
  );

  none(against);
});

architecture('the runtime reaches node and each package through one place', () => {
  const runtime = product.filter(({ path }) => path.startsWith('runtime/'));
  const outside = runtime.flatMap((file) =>
    importsOf(file)
      .filter(({ target }) => !target.startsWith('runtime/'))
      .filter(({ target }) => !mayImport(file, target))
      .map(({ target }) => `${file.path} imports ${target}`),
  );

  none(outside);
});

function mayImport({ path }: SourceFile, target: string): boolean {
  const gate = Object.keys(gates).find(
    (name) => target === name || target.startsWith(name.endsWith(':') ? name : `${name}/`),
  );
  return gate !== undefined && path.startsWith(gates[gate] ?? '?');
}

architecture('binaryen is loaded only when code is translated', () => {
  const file = product.find(({ path }) => path === gates['binaryen']);
  const eager = file?.text.match(/^import (?!type).*'binaryen'/gm) ?? [];

  assert.ok(file);
  none(eager);
});

architecture('nothing but the tests imports the tests', () => {
  none(
    product.flatMap((file) =>
      importsOf(file)
        .filter(({ target }) => target.startsWith('tests/'))
        .map(({ target }) => `${file.path} imports ${target}`),
    ),
  );
});

architecture('every file with behaviour has a test, its own or one that is named here', () => {
  const places = Object.values(provedElsewhere).flat();
  const without = product
    .filter(hasBehaviour)
    .map(({ path }) => path)
    .filter((path) => !isThere(mirrorOf(path)));
  const untested = without.filter((path) => !places.some((place) => path.startsWith(place)));
  const idle = places.filter((place) => !without.some((path) => path.startsWith(place)));
  const missing = Object.keys(provedElsewhere).filter((path) => !isThere(path));

  none(untested.map((path) => `${path} has no ${mirrorOf(path)}`));
  none(idle.map((place) => `${place} needs no other test: take it off provedElsewhere`));
  none(missing.map((path) => `${path}: no such test`));
});

const isThere = (path: string): boolean => existsSync(join(projectDirectory, path));

/** More than types, and more than names passed on from elsewhere. */
const hasBehaviour = ({ text }: SourceFile): boolean =>
  /^(export )?(async )?(function|class|const)\b/m.test(text);

const mirrorOf = (path: string): string => `tests/${path.replace(/\.ts$/, '.test.ts')}`;

architecture('every suite of a test file is run, whole, at its end', () => {
  const wrong = tests
    .filter(({ path }) => path.endsWith('.test.ts'))
    .flatMap(({ path, text }) => {
      const suites = [...text.matchAll(/^const (\w+) = suite[<(]/gm)].map(([, name]) => name ?? '');
      const idle = suites.filter((name) => !text.includes(`\n${name}.run();\n`));
      return [
        ...(suites.length === 0 ? [`${path} declares no suite`] : []),
        ...idle.map((name) => `${path} never calls ${name}.run()`),
        ...(/\.run\(\);\n$/.test(text) ? [] : [`${path} does not end with .run()`]),
        ...(/^\s*\w+\.only\(/m.test(text) ? [`${path} runs only some of its tests`] : []),
      ];
    });

  none(wrong);
});

architecture('a suite is named after its path', () => {
  const wrong = tests
    .filter(({ path }) => path.endsWith('.test.ts'))
    .filter(({ path, text }) => {
      const name = path.replace(/^tests\//, '').replace(/\.test\.ts$/, '');
      return !new RegExp(`suite(<.*>)?\\('${name}['/ ]`).test(text);
    });

  none(wrong.map(({ path }) => path));
});

/** A test file's suite says what it is about. */
architecture('every other file opens by saying what it is', () => {
  const silent = [...product, ...tests]
    .filter(({ path }) => !path.endsWith('.test.ts'))
    .filter(({ text }) => !/^(#!.*\n)?\/\*\*/.test(text));

  none(silent.map(({ path }) => path));
});

architecture('a file is at most 400 lines long', () => {
  const long = [...product, ...tests]
    .map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 }))
    .filter(({ lines }) => lines > 400);

  none(long.map(({ path, lines }) => `${path}: ${lines} lines`));
});

/** tsc has run already: the tests are what it compiled. */
architecture('the linter and the formatter find nothing', async () => {
  const biome = join(projectDirectory, 'node_modules/.bin/biome');
  const { status, stdout, stderr } = await runProcess(
    biome,
    ['check', '--error-on-warnings', '.'],
    { cwd: projectDirectory },
  );

  assert.is(status, 0, `biome check:\n${stdout}${stderr}`);
});

architecture.run();

/**
 * Lua 5.4, as Debian has it, with LPeg's C linked in: LPeg's own tests, and scripts that print in a guest what they
 * print natively, byte for byte.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Tier } from '../../runtime/index.ts';
import { fetchDebianSource, type Width } from '../../toolchain/index.ts';
import {
  type Input,
  isFull,
  type Program,
  testFile,
  tiers,
  Workbench,
} from '../support/program.ts';

interface Trees {
  readonly lua: string;
  readonly lpeg: string;
}

const lua = suite<{ bench: Workbench; trees: Trees }>('guests/lua');

lua.before(async (context) => {
  context.bench = new Workbench();
  context.trees = {
    lua: join(await fetchDebianSource('lua5.4'), 'src'),
    lpeg: await fetchDebianSource('lua-lpeg'),
  };
});
lua.after(({ bench }) => bench.remove());

/** The stand-alone interpreter, with libraries.c in place of linit.c. */
function interpreter(trees: Trees, options: readonly string[]): Program {
  const files = (tree: string): string[] =>
    readdirSync(tree)
      .filter((file) => file.endsWith('.c') && file !== 'luac.c' && file !== 'linit.c')
      .map((file) => join(tree, file));
  return {
    files: [...files(trees.lua), ...files(trees.lpeg), testFile('guests/lua/libraries.c')],
    options: ['-I', trees.lua, ...options],
  };
}

/** The interpreter reads the script from standard input to its end, so a script's input is no file's. */
const script = (text: string | Uint8Array, ...words: readonly string[]): Input => ({
  arguments: ['-', ...words],
  input: text,
});

const x87 = ['-O2', '-march=i686', '-mfpmath=387'];

interface Way {
  readonly name: string;
  readonly width: Width;
  readonly options: readonly string[];
  readonly tier: Tier;
}

const common: readonly Way[] = ([64, 32] as const).flatMap((width) =>
  tiers.map((tier) => ({
    ...{ name: `x86-${width} -O2, ${tier}`, width, options: ['-O2'], tier },
  })),
);
const ways: readonly Way[] = [
  ...common,
  { name: 'x86-32 with x87 alone', width: 32, options: x87, tier: 'adaptive' },
  ...(isFull
    ? [
        { name: 'x86-64 -O0', width: 64, options: ['-O0'], tier: 'adaptive' } as const,
        { name: 'x86-32 -O3', width: 32, options: ['-O3'], tier: 'adaptive' } as const,
      ]
    : []),
];

/** Each in one width in the short tier. What it is given: some milliseconds of native time, and in the long tier some hundreds. */
// biome-ignore format: one script a line
const benchmarks: readonly { readonly name: string; readonly short: number; readonly long: number }[] = [
  { name: 'fannkuch',      short: 7,     long: 9 },
  { name: 'binary-trees',  short: 9,     long: 15 },
  { name: 'n-queens',      short: 7,     long: 11 },
  { name: 'strings',       short: 1_000, long: 40_000 },
  { name: 'spectral-norm', short: 30,    long: 300 },
  { name: 'mandelbrot',    short: 64,    long: 400 },
  { name: 'n-body',        short: 1_000, long: 60_000 },
];

async function assertAsNative(
  { bench, trees }: { bench: Workbench; trees: Trees },
  { width, options, tier }: Way,
  input: Input,
): Promise<string> {
  const program = interpreter(trees, options);

  const guest = await bench.runGuest(program, width, { ...input, tier });
  const native = await bench.runNative(program, width, input);

  const printed = guest.output.toString('latin1');
  assert.is(printed, native.output.toString('latin1'));
  assert.is(guest.status, native.status);
  return printed;
}

for (const way of ways)
  for (const name of way.options === x87 && !isFull
    ? ['strings']
    : ['strings', 'tables', 'control'])
    lua(`${way.name}: ${name}.lua prints what it prints natively`, async (context) => {
      await assertAsNative(context, way, script(readFileSync(testFile(`guests/lua/${name}.lua`))));
    });

for (const [n, way] of common.entries())
  for (const { name, short, long } of isFull
    ? benchmarks
    : benchmarks.filter((_, m) => m % 2 === n))
    lua(`${way.name}: the benchmark ${name} computes what it does natively`, async (context) => {
      const text = readFileSync(testFile(`guests/lua/benchmarks/${name}.lua`));
      const size = String(isFull ? long : short);

      assert.ok((await assertAsNative(context, way, script(text, size))).length > 0);
    });

for (const way of ways.filter(({ options }) => options !== x87 || isFull))
  lua(`${way.name}: LPeg passes its own tests`, async (context) => {
    const read = (file: string): string => readFileSync(join(context.trees.lpeg, file), 'utf8');
    const library = `package.preload.re = function(...) ${read('re.lua')}\nend\n`;
    const tests = read('test.lua').replace(/^#!.*/, '');

    assert.match(await assertAsNative(context, way, script(library + tests)), /\nOK\n$/);
  });

lua.run();

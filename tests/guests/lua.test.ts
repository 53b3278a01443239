/** Lua 5.4, as Debian has it: scripts that print in a guest what they print natively, byte for byte. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fetchDebianSource, type Width } from '../../toolchain/index.ts';
import { isFull, type Program, testFile, Workbench } from '../support/program.ts';

const lua = suite<{ bench: Workbench; tree: string }>('guests/lua');

lua.before(async (context) => {
  context.bench = new Workbench();
  context.tree = join(await fetchDebianSource('lua5.4'), 'src');
});
lua.after(({ bench }) => bench.remove());

/** The stand-alone interpreter. */
function interpreter(tree: string, options: readonly string[]): Program {
  const files = readdirSync(tree).filter((file) => file.endsWith('.c') && file !== 'luac.c');
  return { files: files.map((file) => join(tree, file)), options: ['-I', tree, ...options] };
}

const x87 = ['-O2', '-march=i686', '-mfpmath=387'];

// biome-ignore format: a table
const always: readonly { readonly name: string; readonly width: Width; readonly options: readonly string[] }[] = [
  { name: 'x86-64 -O2', width: 64, options: ['-O2'] },
  { name: 'x86-32 -O2', width: 32, options: ['-O2'] },
  { name: 'x86-32 with x87 alone', width: 32, options: x87 },
];
const ways = isFull
  ? [
      ...always,
      { name: 'x86-64 -O0', width: 64, options: ['-O0'] } as const,
      { name: 'x86-32 -O3', width: 32, options: ['-O3'] } as const,
    ]
  : always;

for (const { name, width, options } of ways)
  for (const script of ['strings', 'tables', 'control'])
    lua(`${name}: ${script}.lua prints what it prints natively`, async ({ bench, tree }) => {
      const program = interpreter(tree, options);
      const file = testFile(`guests/lua/${script}.lua`);
      // The interpreter reads the script from standard input to its end, so its input is no file's.
      const input = { arguments: ['-'], input: readFileSync(file) };

      const guest = await bench.runGuest(program, width, input);
      const native = await bench.runNative(program, width, input);

      assert.is(guest.output.toString('latin1'), native.output.toString('latin1'));
      assert.is(guest.status, native.status);
    });

lua.run();

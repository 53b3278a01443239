/** What gcc makes of C at every level of optimisation prints in a guest what it prints natively. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Width } from '../../toolchain/index.ts';
import { isFull, testFile, Workbench } from '../support/program.ts';

const c = suite<{ bench: Workbench }>('guests/c');

c.before((context) => {
  context.bench = new Workbench();
});
c.after(({ bench }) => bench.remove());

const x87 = '-O2 -march=i686 -mfpmath=387';

const levels = ['-O0', '-O1', '-O2', '-O3', '-Os'];

// biome-ignore format: a table
const ways: readonly (readonly [program: string, width: Width, options: string])[] = [
  ...([64, 32] as const).flatMap((width) => [
    ...levels.map((level) => ['language', width, level] as const),
    ...(isFull ? levels : ['-O0', '-O2']).map((level) => ['floats', width, level] as const),
  ]),
  ['nested', 64, '-O0'], ['nested', 32, '-O0'], ['nested', 64, '-O2'],
  ['mapping', 64, '-O2'], ['mapping', 32, '-O2'],
  ['file-mapping', 64, '-O2'], ['file-mapping', 32, '-O2'],
  ['protection', 64, '-O2'], ['protection', 32, '-O2'],
  ['positional', 64, '-O2'], ['positional', 32, '-O2'],
  ['files', 64, '-O2'], ['files', 32, '-O2'],
  ['directories', 64, '-O2'], ['directories', 32, '-O2'],
  ['nodes', 64, '-O1'], ['nodes', 32, '-O1'],
  ['descriptors', 64, '-O2'], ['descriptors', 32, '-O2'],
  ['sockets', 64, '-O2'], ['pairs', 32, '-O2'], ...(isFull ? [['sockets', 32, '-O2'], ['pairs', 64, '-O2']] as const : []),
  ['floats', 32, x87], ['floats', 32, '-O0 -march=i686 -mfpmath=387'],
  ['language', 64, '-O3 -march=x86-64-v2 -mtune=generic -mlzcnt -mbmi -mbmi2 -mmovbe'],
  ['language', 32, '-O2 -march=i686 -fno-omit-frame-pointer -mpush-args -fno-tree-vectorize -msse2'],
];

for (const [name, width, options] of ways)
  c(`x86-${width} ${options}: ${name}.c prints what it prints natively`, async ({ bench }) => {
    const files = [testFile(`guests/c/${name}.c`)];
    const program = { files, options: ['-fno-strict-aliasing', ...options.split(' ')] };

    const guest = await bench.runGuest(program, width);
    const native = await bench.runNative(program, width);

    assert.is(guest.output.toString('latin1'), native.output.toString('latin1'));
    assert.equal([guest.status, native.status], [0, 0]);
  });

c.run();

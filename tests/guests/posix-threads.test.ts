/** POSIX threads over Mini-OS's: programs print what they print on Linux. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Program, testFile, Workbench } from '../support/program.ts';

const posixThreads = suite<{ bench: Workbench }>('guests/posix-threads');

posixThreads.before((context) => {
  context.bench = new Workbench();
});
posixThreads.after(({ bench }) => bench.remove());

const program: Program = {
  files: [testFile('guests/c/posix-threads.c')],
  options: ['-O1', '-pthread'],
};

const scenes = [
  ...['life', 'own', 'mutexes', 'conditions', 'locks', 'cancellation', 'semaphores'],
  ...['main-leaves', 'attempts'],
];

for (const width of [64, 32] as const)
  for (const scene of scenes)
    posixThreads(`x86-${width}: ${scene} goes as on Linux`, async ({ bench }) => {
      const native = await bench.runNative(program, width, { arguments: [scene] });

      const guest = await bench.runGuest(program, width, { arguments: [scene] });

      assert.is(guest.output.toString(), native.output.toString(), guest.report);
      assert.is(native.status, 0);
      assert.is(guest.status, 0, guest.report);
    });

for (const width of [64, 32] as const)
  posixThreads(`x86-${width}: attributes are kept and told as on Linux`, async ({ bench }) => {
    const attributes = { ...program, files: [testFile('guests/c/thread-attributes.c')] };
    const native = await bench.runNative(attributes, width);

    const guest = await bench.runGuest(attributes, width);

    assert.is(guest.output.toString(), native.output.toString(), guest.report);
    assert.is(guest.status, 0);
  });

posixThreads.run();

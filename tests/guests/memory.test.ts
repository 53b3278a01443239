/** Frames and demand-mapped addresses of Mini-OS, from C. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Program, testFile, Workbench } from '../support/program.ts';

const memory = suite<{ bench: Workbench }>('guests/memory');

memory.before((context) => {
  context.bench = new Workbench();
});
memory.after(({ bench }) => bench.remove());

const program: Program = { files: [testFile('guests/minios/memory.c')], options: ['-O2'] };

/** What each scene prints. */
const scenes: Readonly<Record<string, string>> = {
  frames: 'second first changed changed 1 first, unmapped 0 0, odd 1\n',
  refused: "0 1 1, another's 1, not there 1, too many 0\n",
  zeros: '0 wrong, again 0\n',
  numbers: '1 1 1 1, 2 1 8192, zeros 1\n',
  grants: 'granted granted, in use 1, nobody 1, read-only 1, set 1, unmap 0 1, written, ended 2\n',
};

/** How each ends the domain. */
const faults: Readonly<Record<string, RegExp>> = {
  unmapped: /^guest\.elf: #PF: reading from 0x\w+0000: no memory is there\n/,
  'read-only': /^guest\.elf: #PF: writing to 0x\w+0000: read-only/,
};

for (const width of [64, 32] as const) {
  const input = (scene: string) => ({ arguments: [scene], memory: 32 * 2 ** 20 });

  for (const [scene, printed] of Object.entries(scenes))
    memory(`x86-${width}: ${scene}`, async ({ bench }) => {
      const outcome = await bench.runGuest(program, width, input(scene));

      assert.is(outcome.output.toString(), printed, outcome.report);
      assert.is(outcome.status, 0);
    });

  for (const [scene, report] of Object.entries(faults))
    memory(`x86-${width}: ${scene} ends it`, async ({ bench }) => {
      const outcome = await bench.runGuest(program, width, input(scene));

      assert.is(outcome.status, 139);
      assert.match(outcome.report ?? '', report);
    });
}

/** Far below the gigabytes, far above what one guest more takes. */
const mostGrowth = 200 * 2 ** 20;

for (const width of [64, 32] as const)
  memory(
    `x86-${width}: what nobody writes costs nothing, in bss and from calloc`,
    async ({ bench }) => {
      const sparse = { files: [testFile('guests/minios/sparse.c')], options: ['-O2'] };
      const before = process.memoryUsage.rss();

      const outcome = await bench.runGuest(sparse, width, { memory: 2200 * 2 ** 20 });

      assert.is(outcome.output.toString(), '0, 1\n', outcome.report);
      const growth = process.memoryUsage.rss() - before;
      assert.ok(growth < mostGrowth, `grown by ${Math.round(growth / 2 ** 20)} MiB`);
    },
  );

memory.run();

/** Event channels, callbacks, grants and pages of Mini-OS, from C. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Program, testFile, Workbench } from '../support/program.ts';

const events = suite<{ bench: Workbench }>('guests/events');

events.before((context) => {
  context.bench = new Workbench();
});
events.after(({ bench }) => bench.remove());

const program: Program = { files: [testFile('guests/minios/events.c')], options: ['-O2'] };

/** What each scene prints. */
const scenes: Readonly<Record<string, string>> = {
  masks: 'masked 0, open 1, sent 2, cleared 2\n',
  errors:
    'nobody -3, no port -22, port stays 99, send -22, to a closed end 0, from a closed end -22\n',
  holds: 'held 0, let go 1\n',
  waits: 'stages 7\n',
  jumps: 'jumped 1000 times\n',
  locks: '1 0 1 0, 0 clashes, readers together 1\n',
  virqs: 'bound 1, again -1, none -1\n',
  registers: '5.878030948121446 6844526596047703029, interrupted 1\n',
  grants: '1 1 1, ended 1 1 1, given 0\n',
  pages: '0 wrong, orders 0 1 8, too much 0\nzeros 0, 1 1, no such grant reference\nnext frame 1\n',
  words: 'printk 1\nxprintk two\nprint 3\nprint 4\n',
  queues: 'waiting 1 0, runnable 0, ready 1 1, in time 1, stopped 1\n',
  semaphores: 'mutex 1 0 0, open 1, closed 0, two 1 1 0, free 0\n',
  flags: 'held 1 0, off 1 0 1 1 1, aligned 1\n',
  handlers: 'bound 1, came 1\n',
  descriptors:
    'bound 1, quiet 0, poll 1 1 0, pending 1, none 1, masked 0, unmasked 1 1, virq 1, nobody 1, unbind 0 1, close 0 0\n',
};

for (const width of [64, 32] as const)
  for (const [scene, printed] of Object.entries(scenes))
    events(`x86-${width}: ${scene}`, async ({ bench }) => {
      const outcome = await bench.runGuest(program, width, {
        arguments: [scene],
        memory: 32 * 2 ** 20,
      });

      assert.is(outcome.output.toString(), printed, outcome.report);
      assert.is(outcome.status, 0);
    });

events.run();

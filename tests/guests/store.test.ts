/** The store from C: mini-os/xenbus.h, and Xen's client library over it. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Program, testFile, Workbench } from '../support/program.ts';

const store = suite<{ bench: Workbench }>('guests/store');

store.before((context) => {
  context.bench = new Workbench();
});
store.after(({ bench }) => bench.remove());

const program: Program = { files: [testFile('guests/minios/store.c')], options: ['-O2'] };

/** What each scene prints. */
const scenes: Readonly<Record<string, string>> = {
  nodes:
    'I am 1, write ok, read ok one, none ENOENT 1, printf ok 42 -1, ls ok a n, rm ok ok ENOENT\n',
  permissions: 'perms ok n1, set ok r1, not mine EACCES, bad path EINVAL\n',
  transactions: 'start ok, outside 0, end ok 0, now 1, late ok 1, aborted ok 0 2, unknown ENOENT\n',
  watches:
    'watch ok, first data/state token, state 1, state 3, value ok, switch ok 5, twice EEXIST, unwatch ok ENOENT\n',
  messages: '11 OK, 3 bytes, 16 E2BIG, EACCES, ENOSYS\n',
  library:
    'write 1, read value 5, none 1 1, mkdir 1, directory 2 y z, set 1 2 1, path /local/domain/7, in 1, end 1, watch 1 data/x mine, no more 1, rm 1 0\n',
  plain: 'opened 1, watch ok, unwatch ok ENOENT, of xs 1 1 0, introduced 0, closed\n',
  descriptor:
    'same 1, quiet 0, watch 1, read 0, select 1 data/x data/x/y, then 0, not to be read 1, closed 1\n',
};

for (const width of [64, 32] as const)
  for (const [scene, printed] of Object.entries(scenes))
    store(`x86-${width}: ${scene}`, async ({ bench }) => {
      const outcome = await bench.runGuest(program, width, {
        arguments: [scene],
        memory: 32 * 2 ** 20,
      });

      assert.is(outcome.output.toString(), printed, outcome.report);
      assert.is(outcome.status, 0);
    });

store.run();

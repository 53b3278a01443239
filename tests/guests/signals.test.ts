/** Signals of programs in C: what they see of them is what they see on Linux. */
import { constants } from 'node:os';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Width } from '../../toolchain/index.ts';
import { type GuestOutcome, isFull, testFile, Workbench } from '../support/program.ts';

const signals = suite<{ bench: Workbench }>('guests/signals');

signals.before((context) => {
  context.bench = new Workbench();
});
signals.after(({ bench }) => bench.remove());

const program = (name: string) => ({ files: [testFile(`guests/c/${name}.c`)], options: ['-O1'] });

for (const width of [64, 32] as const)
  for (const name of [
    'signals',
    'signal-faults',
    'signal-timers',
    'signal-threads',
    'signal-layout',
  ])
    signals(`x86-${width}: ${name}.c prints what it prints natively`, async ({ bench }) => {
      const native = await bench.runNative(program(name), width);

      const guest = await bench.runGuest(program(name), width);

      assert.ok(native.output.length > 100);
      assert.is(guest.output.toString(), native.output.toString());
      assert.is(guest.status, native.status, guest.report);
    });

const end = (bench: Workbench, width: Width, how: string): Promise<GuestOutcome> =>
  bench.runGuest(program('signal-ends'), width, { arguments: [how] });

const { SIGQUIT, SIGTERM, SIGKILL, SIGUSR1, SIGINT, SIGTSTP, SIGCHLD } = constants.signals;
const SIGRTMIN = 34;

interface Ending {
  readonly how: string;
  readonly status: number;
  readonly output?: string;
  /** Undefined where there is none. */
  readonly report?: RegExp;
}

// biome-ignore format: a table
const endings: readonly Ending[] = [
  { how: `${SIGTERM}`, status: 143, report: /^guest\.elf: ended by SIGTERM$/ },
  { how: `${SIGKILL}`, status: 137, report: /^guest\.elf: ended by SIGKILL$/ },
  { how: `${SIGUSR1}`, status: 138, report: /^guest\.elf: ended by SIGUSR1$/ },
  { how: `${SIGRTMIN + 2}`, status: 164, report: /^guest\.elf: ended by SIGRTMIN\+2$/ },
  { how: `${SIGINT}`, status: 130 },
  { how: `${SIGQUIT}`, status: 131, report: /^guest\.elf: ended by SIGQUIT\n(.*\n)* {4}.*\(main\+/ },
  // Nobody could continue a domain that has stopped.
  { how: `${SIGTSTP}`, status: 0, output: 'end\n' },
  { how: `${SIGCHLD}`, status: 0, output: 'end\n' },
  { how: 'unblock', status: 143, output: 'blocked\n', report: /ended by SIGTERM$/ },
  { how: 'abort', status: 134, output: 'handled 6\n', report: /abort\(\)\n/ },
  { how: 'no stack', status: 139, report: /stack overflow: .*; the handler of SIGSEGV has no stack to run on: .*\n/ },
  { how: 'blocked fault', status: 139, report: /#PF: writing to 0x70000000: .*; SIGSEGV is blocked, so its handler does not run\n/ },
  { how: 'ignored fault', status: 139, report: /#PF: writing to 0x70000000: no memory is there\n/ },
  { how: 'full', status: 139, report: /the handler of SIGUSR1 has no stack to run on: its alternate stack is full\n/ },
  { how: 'alarm', status: 142, report: /ended by SIGALRM$/ },
  { how: 'pipe', status: 141 },
];

/** What ends a domain is the same code in both widths. */
for (const width of isFull ? ([64, 32] as const) : ([64] as const))
  for (const { how, status, output = '', report } of endings)
    signals(`x86-${width}: ${how} ends with ${status}`, async ({ bench }) => {
      const outcome = await end(bench, width, how);

      assert.is(outcome.status, status, outcome.report);
      assert.is(outcome.output.toString(), output);
      if (report === undefined) assert.is(outcome.report, undefined);
      else assert.match(outcome.report ?? '', report);
    });

signals.run();

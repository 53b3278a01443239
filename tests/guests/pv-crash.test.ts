/** A PV guest that goes wrong ends with a report: the fault, registers, symbols, callers, and what its page tables say. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Ending } from '../../runtime/domain/domain.ts';
import { boot } from '../../runtime/index.ts';
import type { Width } from '../../runtime/memory/layout.ts';
import { buildPvGuest } from '../support/pv-guest.ts';

const crash = suite('guests/pv-crash');

async function run(width: Width, how: string): Promise<{ ending: Ending; text: string }> {
  const image = await buildPvGuest('../pv-crash', width);
  const domain = await boot(image, {
    ...{ name: 'crash', commandLine: how, memory: 16 * 2 ** 20, budget: 2 ** 30 },
  });
  return { ending: await domain.exited, text: domain.console.text };
}

interface Wrong {
  readonly how: string;
  readonly what: RegExp;
  readonly at: RegExp;
  /** Entries of the page walk. */
  readonly steps?: number;
}

const at = /\n {2}at {6}0x[0-9a-f]+ \(write_to\+0x[0-9a-f]+\): mov /;

const wrongs: readonly Wrong[] = [
  { how: 'nowhere', what: /#PF: writing to 0x40000000: not mapped at level 3;/, at, steps: 2 },
  {
    how: 'read-only',
    what: /#PF: writing to 0x[0-9a-f]+: mapped read-only at level 1;/,
    at,
    steps: 4,
  },
  { how: 'stale', what: /#PF: writing to 0x[0-9a-f]+: not mapped at level 1;/, at, steps: 4 },
  { how: 'ud2', what: /#UD: ud2 \(0f 0b\);/, at: /\(go_wrong\+0x[0-9a-f]+\): ud2 / },
  { how: 'privileged', what: /#GP: .*lgdt/, at: /\(go_wrong\+0x[0-9a-f]+\): lgdt / },
  {
    ...{ how: 'x', what: /#PF: executing at 0x40000000: not mapped/, steps: 2 },
    at: /\n {2}at {6}0x40000000: no code is there/,
  },
];

for (const { how, what, at: where, steps } of wrongs)
  crash(`${how}: the report says what, where, and how it came there`, async () => {
    const { ending } = await run(64, how);

    const { report = '' } = ending;
    assert.equal([ending.status, ending.reason], [3, 'fault']);
    assert.match(report, what);
    assert.match(report, /; the guest has no handler for it\n/);
    assert.match(report, where);
    assert.match(report, /\n {2}rsp [0-9a-f]{16} {2}rbp /);
    assert.match(report, /\n {2}rip [0-9a-f]{16} {2}eflags [0-9a-f]+ \[/);
    assert.match(report, /\n {2}called from\n[\s\S]*\(run\+0x[0-9a-f]+\)/);
    const walk = report.split('\n').filter((line) => /^ {4}level \d, frame 0x/.test(line));
    assert.is(walk.length, steps ?? 0);
  });

crash('a page that was given back is not written through what was known of it before', async () => {
  for (const width of [64, 32] as const) {
    const { ending, text } = await run(width, 'stale');

    assert.is(text, 'written\r\ngiven back: 1\r\n', ending.report);
    assert.match(ending.report ?? '', /not mapped at level 1/);
  }
});

crash.run();

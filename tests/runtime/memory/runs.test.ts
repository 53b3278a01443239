/** Which parts of a guest's addresses are runs, and how far they reach when tables change. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MachineMemory, pageFlags } from '../../../runtime/memory/machine-memory.ts';
import type { PageTables } from '../../../runtime/memory/page-tables.ts';
import { Runs, runBound, runBoundsBytes } from '../../../runtime/memory/runs.ts';
import type { PagedSpace } from '../../../runtime/minios/paged-space.ts';
import { type Frames, mapPages } from '../../support/paged-mapping.ts';

const test = suite('runtime/memory/runs');

const lo = 0x2000_0000_0000n;
const pages = 100;
const end = lo + BigInt(pages) * 0x1000n;

interface Guest {
  readonly memory: MachineMemory;
  readonly space: PagedSpace;
  readonly tables: PageTables;
  readonly runs: Runs;
  /** How many places a word of 8 bytes may begin at. */
  readonly bound: () => bigint;
}

function guestOf(frames: Frames): Guest {
  const memory = new MachineMemory(2 ** 24);
  const ranges = [{ lo, length: end - lo }];
  const { addressSpace: space, pageTables: tables } = mapPages(memory, 64, ranges, frames);
  const runs = new Runs(memory, tables, memory.allocate(runBoundsBytes));
  const bound = (): bigint => memory.view().getBigUint64(runBound(runs.start, 0, 3), true);
  return { memory, space, tables, runs, bound };
}

test('pages that lie one behind the other are a run, found from any of them', () => {
  const { runs, tables, bound } = guestOf('in order');
  assert.is(runs.at(lo), -1);

  runs.learn(lo + 0x5123n);

  assert.equal(
    runs.all.map((run) => run.pages),
    [pages],
  );
  assert.is(runs.all[0]?.host, tables.look(lo)?.host);
  assert.equal([runs.at(lo), runs.at(end - 1n), runs.at(end)], [0, 0, -1]);
  assert.is(bound(), end - lo - 7n);
});

test('where a last-level table is what it was, its pages are not looked at again', () => {
  const memory = new MachineMemory(2 ** 24);
  const ranges = [{ lo, length: end - lo }];
  const { addressSpace: space, pageTables } = mapPages(memory, 64, ranges, 'in order');
  let version = 1;
  let looked = 0;
  const tables = {
    isUser: false,
    markDirty: (address: bigint) => pageTables.markDirty(address),
    look: (address: bigint) => {
      looked++;
      return pageTables.look(address);
    },
    lastTable: () => ({ host: 0x1000, writable: true, user: true, version }),
  };
  const runs = new Runs(memory, tables, memory.allocate(runBoundsBytes));
  runs.learn(lo);
  runs.verify();

  looked = 0;
  runs.verify();
  assert.is(looked, 0);
  space.unmap(end - 0x3000n, 0x3000n);
  version++;
  runs.verify();

  assert.is(looked, pages - 2);
  assert.equal(
    runs.all.map((run) => run.pages),
    [pages - 3],
  );
});

test('scattered pages are none', () => {
  const { runs } = guestOf('scattered');

  runs.learn(lo);

  assert.equal(runs.all, []);
});

test('a run grows when the page behind it is met', () => {
  const { runs, space } = guestOf('in order');
  const behind = lo + 90n * 0x1000n;
  space.unmap(behind, end - behind);
  runs.learn(lo);
  assert.is(runs.at(behind), -1);
  space.protect(behind, 0x3000n, true);

  runs.learn(behind);

  assert.equal([runs.at(behind + 0x2fffn), runs.at(behind + 0x3000n)], [0, -1]);
  assert.is(runs.all.length, 1);
});

test('a run that was cut goes on when the page is back, though it is met further up', () => {
  const { runs, space } = guestOf('in order');
  runs.learn(lo);
  const entry = space.builder.entry(lo + 0x7000n);
  space.builder.setEntry(lo + 0x7000n, 0n);
  runs.changed(lo + 0x7000n);
  space.builder.setEntry(lo + 0x7000n, entry);

  runs.learn(lo + 0x9000n);

  assert.equal(
    runs.all.map((run) => run.pages),
    [pages],
  );
});

/** Where the run of these guests lies in the machine. */
function hostOf(frames: Frames): number {
  const { tables } = guestOf(frames);
  return tables.look(lo)?.host ?? 0;
}

test('a run gets the number that is expected, and what is expected before it is empty until it is met', () => {
  const host = hostOf('in order');
  const { runs } = guestOf('in order');
  const other = { lo: 0x40_0000n, host: 0x10_0000 };
  runs.expect([other, { lo, host }]);

  runs.learn(lo + 0x5000n);

  assert.equal([runs.at(lo), runs.at(other.lo)], [1, -1]);
  assert.equal(
    runs.all.map((run) => run.pages),
    [0, pages],
  );
});

test('an expected run that is met is its whole length, and stays where it was', () => {
  const { runs, space } = guestOf('in order');
  const half = lo + 0x32000n;
  const cut = space.builder.entry(half - 0x1000n);
  space.builder.setEntry(half - 0x1000n, 0n);
  const host = hostOf('in order') + 0x32000;
  runs.expect([
    { lo: 0x40_0000n, host: 0x10_0000 },
    { lo: half, host },
    { lo, host: host - 0x32000 },
  ]);
  runs.learn(lo);
  assert.equal([runs.at(lo), runs.at(half)], [-1, -1], 'too short');
  space.builder.setEntry(half - 0x1000n, cut);
  runs.learn(half);

  assert.is(runs.at(lo), 2);
  assert.equal(
    runs.all.map((run) => run.pages),
    [0, 0, pages],
  );
});

test('others come behind those that are expected, and where no number is left for that, nothing is expected', () => {
  for (const [count, number] of [
    [2, 2],
    [4, 0],
  ] as const) {
    const { runs } = guestOf('in order');
    runs.expect(
      Array.from({ length: count }, (_, i) => ({ lo: BigInt(i) << 24n, host: 0x10_0000 })),
    );

    runs.learn(lo);

    assert.is(runs.at(lo), number);
  }
});

test('a page of the machine is found in the runs that have it', () => {
  const { runs, tables } = guestOf('in order');
  runs.learn(lo);
  const host = tables.look(lo + 0x7000n)?.host ?? 0;

  assert.equal(runs.addressesOf(host), [lo + 0x7000n]);
  assert.equal(runs.addressesOf(host + pages * 0x1000), []);
});

test('a run ends where a page has gone, and stays where nothing has changed', () => {
  const { runs, space, bound } = guestOf('in order');
  runs.learn(lo);
  space.builder.setEntry(lo + 0x7000n, 0n);

  runs.changed(lo + 0x3000n);
  assert.is(runs.all[0]?.pages, pages);
  runs.changed(lo + 0x7000n);

  assert.is(runs.all[0]?.pages, 7);
  assert.is(bound(), 0x7000n - 7n);
});

test('a run that has lost its first page lets nothing through', () => {
  const { runs, space, bound } = guestOf('in order');
  runs.learn(lo);
  space.builder.setEntry(lo, 0n);

  runs.verify();

  assert.is(runs.at(lo), -1);
  assert.is(bound(), 0n);
});

test('a page that may not be written carries a flag while it is part of a run', () => {
  const { runs, space, tables, memory } = guestOf('in order');
  const host = tables.look(lo + 0x2000n)?.host ?? 0;
  space.protect(lo + 0x2000n, 1n, false);

  runs.learn(lo);
  assert.is(memory.flagsAt(host), pageFlags.readOnlyInRun);
  assert.is(memory.flagsAt(host + 0x1000), 0);
  space.protect(lo + 0x2000n, 1n, true);
  runs.changed(lo + 0x2000n);
  assert.is(memory.flagsAt(host), 0);

  space.protect(lo + 0x2000n, 1n, false);
  runs.changed(lo + 0x2000n);
  space.builder.setEntry(lo + 0x1000n, 0n);
  runs.changed(lo + 0x1000n);
  assert.is(memory.flagsAt(host), 0);
});

test('users have no runs of pages that are not theirs', () => {
  const { runs, tables, bound } = guestOf('in order');
  runs.learn(lo);
  const open = bound();
  tables.isUser = true;

  runs.levelChanged();
  assert.is(bound(), 0n);
  runs.verify();
  assert.is(bound(), 0n);

  tables.isUser = false;
  runs.levelChanged();
  assert.is(bound(), open);
});

test.run();

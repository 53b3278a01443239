/**
 * A PV guest that suspends: saved and left where it is, then saved and made another domain of, then again left. What it finds each
 * time was recorded on Xen 4.17 (`npm run golden pv`), by xl save and xl restore.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MemoryDisk } from '../../runtime/backends/block/memory-disk.ts';
import {
  type DomainWithConsole,
  Machine,
  type SuspendedDomain,
  UserError,
} from '../../runtime/index.ts';
import type { Width } from '../../runtime/memory/layout.ts';
import { pvTranscripts, suspendDisk, suspendFiles, suspendWords } from '../golden/record/pv.ts';
import { buildPvGuest } from '../support/pv-guest.ts';
import { whole as joined } from '../support/saved-domain.ts';

const test = suite('guests/pv-suspend');

const budget = 2 ** 40;
const options = { name: 'guest', commandLine: suspendWords, budget } as const;

/** The same on every machine: a back-end of each reads it. */
const disks = () => [{ vdev: 'xvda', disk: new MemoryDisk(suspendDisk()) }];

const guest = (width: Width): Promise<Uint8Array> =>
  buildPvGuest('../pv-suspend', width, suspendFiles);

const whole = (suspended: SuspendedDomain): Uint8Array => joined(suspended.save());

/** The last of what it says of a time. */
const looked = '-- looked';

const textOf = ({ console }: DomainWithConsole): string => console.text.replaceAll('\r\n', '\n');

for (const width of [64, 32] as const)
  test(`${width}: a guest that was saved finds what it finds on Xen, as the same domain and as another`, async () => {
    const machine = new Machine();
    const first = await machine.boot(await guest(width), { ...options, disks: disks() });

    const copied = await first.suspend();
    whole(copied);
    copied.resume();
    await first.console.expect(looked);
    const moved = await first.suspend();
    const saved = whole(moved);
    moved.end();
    const ending = await first.exited;
    const second = await machine.restore(saved, { budget, disks: disks() });
    await second.console.expect(looked);
    const again = await second.suspend();
    again.resume();
    const last = await second.exited;

    assert.is(ending.status, 2, ending.report);
    assert.is(last.status, 0, last.report);
    assert.is(second.name, 'guest');
    const recorded = readFileSync(join(pvTranscripts, `suspend-${width}.txt`), 'utf8');
    assert.is(textOf(first) + textOf(second), recorded);
  });

test('a domain is restored on another machine, with other frames', async () => {
  const first = await new Machine().boot(await guest(64), { ...options, disks: disks() });
  const suspended = await first.suspend();
  const saved = whole(suspended);
  suspended.end();
  await first.exited;
  const other = new Machine();
  const inTheWay = await other.boot(await guest(32), { ...options, memory: 8 * 2 ** 20 });

  const second = await other.restore(saved, { budget, disks: disks() });
  for (let i = 0; i < 2; i++) (await second.suspend()).resume();
  const ending = await second.exited;
  inTheWay.stop();
  await inTheWay.exited;

  assert.is(ending.status, 0, ending.report);
  assert.match(textOf(second), 'suspended: 0');
  assert.match(textOf(second), 'words that have changed: 0');
  assert.match(textOf(second), 'entries: 1');
});

test('a mapping of what is not its memory is named, and the guest goes on', async () => {
  const domain = await new Machine().boot(await guest(64), {
    ...{ ...options, commandLine: 'careless', disks: disks() },
  });
  const suspended = await domain.suspend();

  assert.throws(
    () => whole(suspended),
    (error: unknown) =>
      error instanceof UserError &&
      /entry \d+ of the level-1 table in page \d+/.test(error.message),
  );
  suspended.resume();
  for (let i = 0; i < 2; i++) (await domain.suspend()).resume();
  const ending = await domain.exited;

  assert.is(ending.status, 0, ending.report);
});

test('a guest that ends instead of suspending says so', async () => {
  const domain = await new Machine().boot(await guest(64), { ...options, disks: disks() });
  const suspending = domain.suspend();
  domain.stop();

  await suspending.then(
    () => assert.unreachable(),
    (error: unknown) => assert.instance(error, UserError),
  );
});

test('what is no saved domain, or not all of one, is refused in one line', async () => {
  const domain = await new Machine().boot(await guest(64), { ...options, disks: disks() });
  const suspended = await domain.suspend();
  const saved = whole(suspended);
  suspended.end();
  await domain.exited;
  const wrong: readonly Uint8Array[] = [
    new Uint8Array(0),
    saved.slice(0, 40),
    saved.slice(0, saved.length / 2),
    saved.slice(8),
  ];

  for (const bytes of wrong) {
    const error = await new Machine().restore(bytes, { budget }).catch((e: unknown) => e);
    assert.instance(error, UserError);
  }
});

test.run();

/** A front-end that lies in the store: random nodes and states, in any order. Nothing is thrown, and at the end nothing is held. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { serveBlockDevice } from '../../../../runtime/backends/block/block-device.ts';
import { MemoryDisk } from '../../../../runtime/backends/block/memory-disk.ts';
import { systemClock } from '../../../../runtime/domain/clock.ts';
import { XenError } from '../../../../runtime/errors.ts';
import type { StoreClient } from '../../../../runtime/xenstore/client.ts';
import { Xenstored } from '../../../../runtime/xenstore/xenstored.ts';
import { BlockFrontEnd } from '../../../support/block-front-end.ts';
import { FakeEventPort } from '../../../support/fake-event-port.ts';
import { freshSeed, type Random, random } from '../../../support/random.ts';

const fuzz = suite('runtime/backends/block/device-fuzz');

const cases = 20_000;
const casesInDomain = 200;
const seed = freshSeed();
process.stdout.write(`device-fuzz: SEED=${seed}\n`);

const names = [
  ...['ring-ref', 'ring-ref0', 'ring-ref1', 'ring-page-order', 'num-ring-pages', 'protocol'],
  ...['event-channel', 'feature-persistent', 'multi-queue-num-queues', 'queue-0', 'backend'],
];
const words = [
  '',
  '0',
  '1',
  '-1',
  '4',
  '5',
  '16',
  '99999999999',
  '0x5',
  ' 5',
  'x86_64-abi',
  'x86_32-abi',
  'é',
  '\0',
];

const pick = <T>(r: Random, from: readonly T[]): T => {
  const found = from[r.below(from.length)];
  if (found === undefined) throw new RangeError('nothing to pick from');
  return found;
};

/** What would connect, so that lies are not all refused at the first look. */
function likely(guest: BlockFrontEnd): Readonly<Record<string, string>> {
  const [first = 0, second = 0] = guest.references;
  return {
    ...{ 'ring-ref': `${first}`, 'ring-ref0': `${first}`, 'ring-ref1': `${second}` },
    ...{ 'event-channel': '5', 'ring-page-order': '1', protocol: `x86_${guest.width}-abi` },
    'multi-queue-num-queues': '1',
  };
}

const states = ['1', '1', '1', '3', '4', '4', '5', '6', '6', '6', '0', '2', '7', 'x'];

function lie(own: StoreClient, truth: Readonly<Record<string, string>>, r: Random): void {
  const path = (name: string): string => `device/vbd/51712/${name}`;
  const kind = r.below(10);
  if (kind < 4) own.write(path('state'), pick(r, states));
  else if (kind < 7)
    for (const [name, value] of Object.entries(truth)) own.write(path(name), value);
  else if (kind < 9) own.write(path(pick(r, names)), pick(r, words));
  else if (own.find(path('ring-ref')) !== undefined) own.remove(path('ring-ref'));
}

fuzz(`${cases} lies in the store, ${casesInDomain} a domain`, async () => {
  const r = random(seed);
  let connections = 0;
  for (let domain = 0; domain < cases / casesInDomain; domain++) {
    const disk = new MemoryDisk(new Uint8Array(64 * 512));
    const guest = new BlockFrontEnd(disk, { ringPages: 2 });
    const held = guest.grants.mapped;
    const xenstored = new Xenstored();
    xenstored.addDomain(1);
    const ports: FakeEventPort[] = [];
    const backend = serveBlockDevice(xenstored.connect(), 1, {
      specification: { vdev: 'xvda', disk },
      ...{ width: 64, memory: guest.memory, granted: guest.grants, clock: systemClock() },
      ports: {
        bind: (port) => {
          if (port !== 5) throw new XenError('EINVAL', `no port ${port}`);
          const bound = new FakeEventPort();
          ports.push(bound);
          return bound;
        },
      },
    });
    const own = xenstored.connect(1);
    const truth = likely(guest);
    for (let step = 0; step < casesInDomain; step++) {
      lie(own, truth, r);
      guest.setIndex('req_prod', r.below(8) === 0 ? r.u32() : 0);
      ports.at(-1)?.send();
      if (r.below(4) === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    connections += ports.length;
    await backend.close();
    assert.is(guest.grants.mapped, held, `seed ${seed}, domain ${domain}`);
    assert.ok(
      ports.every(({ isClosed }) => isClosed),
      `seed ${seed}, domain ${domain}`,
    );
  }
  assert.ok(connections > 200, `too tame: ${connections} connections`);
});

fuzz.run();

/** A block device in the store: what is offered, how a front-end connects, and what it may not say. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { XenbusState } from '../../../../runtime/abi/io/xenbus.ts';
import {
  type BlockDeviceSpecification,
  createEmptyDrive,
  serveBlockDevice,
} from '../../../../runtime/backends/block/block-device.ts';
import { MemoryDisk } from '../../../../runtime/backends/block/memory-disk.ts';
import { systemClock } from '../../../../runtime/domain/clock.ts';
import { XenError } from '../../../../runtime/errors.ts';
import { Xenstored } from '../../../../runtime/xenstore/xenstored.ts';
import { BlockFrontEnd } from '../../../support/block-front-end.ts';

const devices = suite('runtime/backends/block/block-device');

const back = '/local/domain/0/backend/vbd/1/51712';
const front = '/local/domain/1/device/vbd/51712';

function machine(
  specification: Partial<BlockDeviceSpecification> = {},
  ring: ConstructorParameters<typeof BlockFrontEnd>[1] = {},
) {
  const bytes = new Uint8Array(256 * 512).fill(7);
  const disk = new MemoryDisk(bytes);
  const guest = new BlockFrontEnd(disk, ring);
  const xenstored = new Xenstored();
  xenstored.addDomain(1);
  const store = xenstored.connect();
  const backend = serveBlockDevice(store, 1, {
    specification: { vdev: 'xvda', disk, ...specification },
    ...{
      width: guest.width,
      memory: guest.memory,
      granted: guest.grants,
      clock: { ...systemClock(), monotonic: () => 0n },
    },
    ports: {
      bind: (port) => {
        if (port === 5) return guest.port;
        throw new XenError('EINVAL', `no port ${port}`);
      },
    },
  });
  const own = xenstored.connect(1);
  const say = (nodes: Readonly<Record<string, string | number>>): void => {
    for (const [name, value] of Object.entries(nodes)) own.write(`device/vbd/51712/${name}`, value);
  };
  const state = (): string =>
    Object.entries(XenbusState).find(([, n]) => String(n) === store.read(`${back}/state`))?.[0] ??
    '';
  return { guest, store, own, say, state, backend, bytes };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

devices('an empty drive is there, and nobody comes to serve it', async () => {
  const xenstored = new Xenstored();
  xenstored.addDomain(1);
  const store = xenstored.connect();

  createEmptyDrive(store, 1, { vdev: 'hdc', disk: undefined });

  const own = xenstored.connect(1);
  const backend = own.read('device/vbd/5632/backend');
  assert.is(own.read('device/vbd/5632/device-type'), 'cdrom');
  own.write('device/vbd/5632/state', XenbusState.Initialised);
  await turn();
  assert.is(own.read(`${backend}/state`), String(XenbusState.Initialising));
});

devices('what is there before a front-end connects', () => {
  const { store, own, state } = machine({ target: '/images/disk.img' });

  assert.is(state(), 'InitWait');
  const nodes = Object.fromEntries(
    store.directory(back).map((name) => [name, store.read(`${back}/${name}`)]),
  );
  assert.equal(nodes, {
    ...{ frontend: front, 'frontend-id': '1', online: '1', state: '2' },
    ...{ params: 'aio:/images/disk.img', removable: '0', bootable: '1', dev: 'xvda' },
    ...{ type: 'qdisk', mode: 'w', 'device-type': 'disk' },
    ...{ 'feature-barrier': '1', 'feature-flush-cache': '1', 'feature-persistent': '1' },
    ...{
      'feature-discard': '1',
      'discard-granularity': '512',
      'discard-alignment': '0',
      'discard-secure': '0',
    },
    ...{
      'feature-max-indirect-segments': '256',
      'max-ring-page-order': '4',
      'max-ring-pages': '16',
    },
  });
  assert.is(own.read('device/vbd/51712/virtual-device'), '51712');
  assert.is(own.read('device/vbd/51712/device-type'), 'disk');
});

devices('a read-only CD-ROM says so, and without discard nothing is said of it', () => {
  const disk = new MemoryDisk(new Uint8Array(512), { isReadOnly: true });
  const { store, say, guest } = machine({ disk, isCdrom: true, discards: false });
  say({ 'ring-ref': guest.references[0] ?? 0, 'event-channel': 5, state: 3 });

  assert.is(store.read(`${back}/mode`), 'r');
  assert.is(store.read(`${back}/info`), '7');
  assert.is(store.read(`${back}/sectors`), '1');
  assert.is(store.read(`${back}/feature-discard`), '0');
  assert.is(store.find(`${back}/discard-granularity`), undefined);
});

for (const width of [64, 32] as const)
  devices(`x86-${width}: a front-end connects, reads, closes and connects again`, async () => {
    const { store, guest, say, state } = machine({}, { width });
    const page = guest.grants.page();
    const before = guest.grants.mapped;
    // Mini-OS names its protocol, others take what is native.
    const protocol = width === 32 ? { protocol: 'x86_32-abi' } : {};
    say({ 'ring-ref': guest.references[0] ?? 0, 'event-channel': 5, ...protocol, state: 3 });
    assert.is(state(), 'Connected');
    assert.equal(
      ['sectors', 'sector-size', 'info'].map((name) => store.read(`${back}/${name}`)),
      ['256', '512', '0'],
    );
    guest.queue(0, 1n, 0, guest.whole([page]));
    guest.push();
    assert.equal(guest.take(), [{ id: 1n, operation: 0, status: 0 }]);
    assert.is(guest.memory.bytes()[page.host], 7);

    say({ state: 5 });
    say({ state: 6 });
    await turn();
    assert.is(state(), 'Closed');
    assert.is(guest.grants.mapped, before);
    say({ state: 1 });
    say({ state: 4 });
    assert.is(state(), 'Connected');
  });

devices('requests that were there before it connected are served', async () => {
  const { guest, say } = machine();
  guest.setIndex('req_prod', 0);
  guest.queue(0, 9n, 0, guest.whole([guest.grants.page()]));
  guest.setIndex('req_prod', 1);
  say({ 'ring-ref': guest.references[0] ?? 0, 'event-channel': 5, state: 4 });

  assert.equal(await guest.answers(1), [{ id: 9n, operation: 0, status: 0 }]);
});

for (const unit of ['ring-page-order', 'num-ring-pages'])
  devices(`a ring of several pages, by ${unit}`, () => {
    const { guest, say, state } = machine({}, { ringPages: 4 });
    const references = guest.references.map((gref, n) => [`ring-ref${n}`, gref]);
    say({ [unit]: unit === 'ring-page-order' ? 2 : 4, ...Object.fromEntries(references) });
    say({ 'event-channel': 5, 'feature-persistent': 1, state: 3 });
    assert.is(state(), 'Connected');

    const whole = guest.whole([guest.grants.page()]);
    for (let n = 0; n < guest.size; n++) guest.queue(0, BigInt(n), 0, whole);
    guest.push();

    assert.is(guest.take().length, 128);
  });

devices('what a front-end may not say closes the device, and the store has the reason', () => {
  const wrong: readonly (readonly [Readonly<Record<string, string | number>>, RegExp])[] = [
    [{ 'ring-ref': 'x' }, /^EINVAL .*ring-ref: expected 0 to 4294967295, not x/],
    [{ 'ring-ref': 999 }, /^EINVAL no grant 999/],
    [{ 'event-channel': 6 }, /^EINVAL no port 6/],
    [{ 'event-channel': -1 }, /^EINVAL .*event-channel/],
    [{ protocol: 'arm-abi' }, /^EINVAL protocol: no arm-abi/],
    [{ protocol: 'toString' }, /^EINVAL protocol: no toString/],
    [{ 'ring-page-order': 5 }, /^EINVAL .*ring-page-order: expected 0 to 4/],
    [{ 'ring-page-order': 1 }, /^EINVAL .*ring-ref0/],
    [{ 'num-ring-pages': 3 }, /no power of 2/],
    [{ 'multi-queue-num-queues': 2 }, /^EINVAL .*multi-queue-num-queues/],
  ];
  for (const [nodes, message] of wrong) {
    const { store, guest, say, state } = machine();
    const before = guest.grants.mapped;
    say({ 'ring-ref': guest.references[0] ?? 0, 'event-channel': 5, ...nodes, state: 3 });

    assert.is(state(), 'Closing', JSON.stringify(nodes));
    assert.match(store.read('/local/domain/0/error/backend/vbd/1/51712/error'), message);
    assert.is(guest.grants.mapped, before);
  }
});

devices('a ring that is broken closes the device', () => {
  const { store, guest, say, state } = machine();
  say({ 'ring-ref': guest.references[0] ?? 0, 'event-channel': 5, state: 3 });

  guest.setIndex('req_prod', 5000);
  guest.port.send();

  assert.is(state(), 'Closing');
  assert.match(
    store.read('/local/domain/0/error/backend/vbd/1/51712/error'),
    /^EINVAL req_prod is 5000/,
  );
});

devices('what the guest leaves connected is let go of at its end', async () => {
  const { guest, say, backend } = machine();
  const before = guest.grants.mapped;
  say({ 'ring-ref': guest.references[0] ?? 0, 'event-channel': 5, state: 3 });

  await backend.close();

  assert.is(guest.grants.mapped, before);
  assert.ok(guest.port.isClosed);
});

devices.run();

/** A front-end of ours at the rings of a 9pfs device: the handshake, messages around the end of a ring, and lies. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { xen_9pfs_data_intf } from '../../../../runtime/abi/io/9pfs.ts';
import { MemoryFolder } from '../../../../runtime/backends/folder/memory-folder.ts';
import { serveP9Device } from '../../../../runtime/backends/p9/p9-device.ts';
import { systemClock } from '../../../../runtime/domain/clock.ts';
import { XenError } from '../../../../runtime/errors.ts';
import { MachineMemory, pageSize } from '../../../../runtime/memory/machine-memory.ts';
import { Xenstored } from '../../../../runtime/xenstore/xenstored.ts';
import { FakeEventPort } from '../../../support/fake-event-port.ts';
import { FakeGrants } from '../../../support/fake-grants.ts';
import { NinePClient } from '../../../support/nine-p-client.ts';
import { freshSeed, random } from '../../../support/random.ts';

const test = suite('runtime/backends/p9/p9-device');

const { offsets } = xen_9pfs_data_intf.layout(64);
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** One ring of 2^order pages. */
function machine(order = 1) {
  const memory = new MachineMemory();
  const grants = new FakeGrants(memory);
  const port = new FakeEventPort();
  const folder = new MemoryFolder(() => 0n);
  const xenstored = new Xenstored();
  xenstored.addDomain(1);
  const store = xenstored.connect();
  const backend = serveP9Device(store, 1, {
    ...{ id: 0, memory, granted: grants, clock: { ...systemClock(), monotonic: () => 0n } },
    specification: { tag: 'share', folder, isReadOnly: false },
    ports: {
      bind: (number) => {
        if (number === 5) return port;
        throw new XenError('EINVAL', `no port ${number}`);
      },
    },
  });
  const page = grants.page();
  const ring = Array.from({ length: 2 ** order }, () => grants.page());
  const half = (2 ** order * pageSize) / 2;
  const set = (name: keyof typeof offsets, value: number): void =>
    memory.view().setUint32(page.host + offsets[name], value, true);
  const get = (name: keyof typeof offsets): number =>
    memory.view().getUint32(page.host + offsets[name], true);
  set('ring_order', order);
  for (const [n, { gref }] of ring.entries())
    memory.view().setUint32(page.host + offsets.ref + 4 * n, gref, true);
  const own = xenstored.connect(1);
  const say = (nodes: Readonly<Record<string, string | number>>): void => {
    for (const [name, value] of Object.entries(nodes)) own.write(`device/9pfs/0/${name}`, value);
  };
  const connect = (): void =>
    say({ version: 1, 'num-rings': 1, 'ring-ref0': page.gref, 'event-channel-0': 5, state: 3 });
  const place = (at: number): number =>
    (ring[Math.floor(at / pageSize)]?.host ?? 0) + (at % pageSize);

  /** Sends a message and waits for its answer, byte by byte around the rings' ends. */
  const server = async (message: Uint8Array): Promise<Uint8Array> => {
    const [sent, got] = [get('out_prod'), get('in_cons')];
    for (const [n, byte] of message.entries())
      memory.bytes()[place(half + ((sent + n) & (half - 1)))] = byte;
    set('out_prod', (sent + message.length) >>> 0);
    port.send();
    while (get('in_prod') === got) await turn();
    const length = (get('in_prod') - got) >>> 0;
    const at = (n: number): number => place((got + n) & (half - 1));
    const answer = Uint8Array.from({ length }, (_, n) => memory.bytes()[at(n)] ?? 0);
    set('in_cons', (got + length) >>> 0);
    port.send();
    return answer;
  };
  const state = (): string => store.read('/local/domain/0/backend/9pfs/1/0/state');
  return { ...{ grants, port, folder, connect, say, server, state, store, set, backend }, half };
}

test('a folder is offered, connected, used around the rings’ ends, and let go', async () => {
  const { grants, connect, server, state, store, say, half, folder } = machine();
  assert.is(store.read('/local/domain/1/device/9pfs/0/tag'), 'share');
  connect();
  assert.is(state(), '4');
  const client = new NinePClient(server);
  assert.is(await client.mount(1 << 20), half, 'a message fits into its ring');
  await client.walk(1, '');
  await client.create(1, 'file', 2, 0o644);
  const content = random(8).bytes(50_000);
  const room = half - 100;
  for (let at = 0; at < content.length; at += room)
    await client.write(1, at, content.subarray(at, at + room));
  const parts: number[] = [];
  for (let at = 0; at < content.length; ) {
    const part = await client.read(1, at, 3000);
    parts.push(...part);
    at += part.length;
  }
  assert.equal(Uint8Array.from(parts), content);
  assert.is(folder.status(['file']).size, 50_000n);

  say({ state: 5 });
  say({ state: 6 });
  await turn();
  assert.is(state(), '6');
  assert.is(grants.mapped, 0);
});

test('front-ends that ask for what is not there are told why', async () => {
  const cases: readonly Readonly<Record<string, string | number>>[] = [
    { version: 2 },
    { 'num-rings': 0 },
    { 'num-rings': 9 },
    { 'event-channel-0': 6 },
    { 'ring-ref0': 9999 },
  ];
  for (const nodes of cases) {
    const { connect, say, state, grants } = machine();
    say({ version: 1, 'num-rings': 1, 'ring-ref0': 8, 'event-channel-0': 5, ...nodes, state: 1 });
    if (nodes['ring-ref0'] === undefined && nodes['event-channel-0'] === undefined) say(nodes);
    say({ state: 3 });
    await turn();
    assert.is(state(), '5', JSON.stringify(nodes));
    assert.is(grants.mapped, 0);
    void connect;
  }
});

test('rings that count what cannot be, or hold no message, end the device alone', async () => {
  const seed = freshSeed();
  const numbers = random(seed);
  for (let n = 0; n < 500; n++) {
    const { connect, set, port, state, half, grants, backend } = machine(1 + numbers.below(3));
    connect();
    for (let round = 0; round < 5; round++) {
      const some = (): number => (numbers.below(2) === 0 ? numbers.below(2 * half) : numbers.u32());
      set('out_prod', some());
      if (numbers.below(3) === 0) set('in_cons', some());
      port.send();
      await turn();
    }
    assert.ok(['4', '5'].includes(state()), `seed ${seed}`);
    await backend.close();
    assert.is(grants.mapped, 0, `seed ${seed}`);
  }
});

test.run();

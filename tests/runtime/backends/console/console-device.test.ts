/** A front-end of ours at a console beside the first: the handshake, what goes over the ring, and lies. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { xencons_interface } from '../../../../runtime/abi/io/console.ts';
import { serveConsole } from '../../../../runtime/backends/console/console-device.ts';
import { MemoryConsole } from '../../../../runtime/backends/console/memory-console.ts';
import { XenError } from '../../../../runtime/errors.ts';
import { MachineMemory } from '../../../../runtime/memory/machine-memory.ts';
import { Xenstored } from '../../../../runtime/xenstore/xenstored.ts';
import { FakeEventPort } from '../../../support/fake-event-port.ts';
import { FakeGrants } from '../../../support/fake-grants.ts';

const test = suite('runtime/backends/console/console-device');

const { offsets } = xencons_interface.layout(64);
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function machine() {
  const memory = new MachineMemory();
  const granted = new FakeGrants(memory);
  const port = new FakeEventPort();
  const console = new MemoryConsole();
  const xenstored = new Xenstored();
  xenstored.addDomain(1);
  const ports = {
    bind: (number: number) => {
      if (number === 5) return port;
      throw new XenError('EINVAL', `no port ${number}`);
    },
  };
  const specification = { id: 3, name: 'org.example', console: console.guest };
  const parts = { memory, granted, ports, specification };
  const backend = serveConsole(xenstored.connect(), 1, parts);
  const page = granted.page();
  const own = xenstored.connect(1);
  const connect = async (nodes: Readonly<Record<string, number>>): Promise<void> => {
    for (const [name, value] of Object.entries(nodes)) own.write(`device/console/3/${name}`, value);
    await turn();
  };
  const print = (text: string): void => {
    const produced = memory.view().getUint32(page.host + offsets.out_prod, true);
    for (const [n, byte] of Buffer.from(text).entries())
      memory.view().setUint8(page.host + offsets.out + produced + n, byte);
    memory.view().setUint32(page.host + offsets.out_prod, produced + text.length, true);
  };
  return { memory, granted, port, console, backend, page, own, connect, print };
}

test('its nodes are those that a toolstack makes of a channel', () => {
  const { own } = machine();

  const found = ['backend', 'backend-id', 'state', 'type', 'output', 'limit', 'name'].map((name) =>
    own.find(`device/console/3/${name}`),
  );

  const back = '/local/domain/0/backend/console/1/3';
  assert.equal(found, [back, '0', '1', 'ioemu', 'pty', '1048576', 'org.example']);
  assert.is(own.find(`${back}/state`), '2');
});

test('what was there before it connected is carried both ways, and the rest when it parts', async () => {
  const { memory, granted, port, console, backend, page, connect, print } = machine();
  console.write('typed');
  print('early');

  await connect({ 'ring-ref': page.gref, port: 5, state: 4 });

  assert.is(backend.state, 'Connected');
  assert.is(console.text, 'early');
  assert.is(memory.view().getUint32(page.host + offsets.in_prod, true), 5);
  assert.is(port.notified, 1);
  print(' late');
  await connect({ state: 5 });
  await connect({ state: 6 });
  assert.is(console.text, 'early late');
  assert.equal([backend.state, granted.mapped, port.isClosed], ['Closed', 0, true]);
});

test('a ring or a port that is not there closes it, and nothing stays mapped', async () => {
  for (const nodes of [
    { 'ring-ref': 999, port: 5 },
    { 'ring-ref': undefined, port: 6 },
  ]) {
    const { granted, backend, page, connect } = machine();

    await connect({ 'ring-ref': nodes['ring-ref'] ?? page.gref, port: nodes.port, state: 4 });

    assert.equal([backend.state, granted.mapped], ['Closing', 0]);
  }
});

test.run();

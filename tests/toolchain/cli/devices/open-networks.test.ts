import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readArp, writeArp } from '../../../../runtime/network/arp.ts';
import { parseNetOption, parseVif } from '../../../../toolchain/cli/devices/net-specification.ts';
import { openNetworks } from '../../../../toolchain/cli/devices/open-networks.ts';
import { assertRefused } from '../../../support/assert-refused.ts';

const test = suite('toolchain/cli/devices/open-networks');

const request = writeArp({
  ...{ operation: 1, senderMac: Uint8Array.of(2, 0, 0, 0, 0, 1) },
  ...{ sender: 0x0a00_020f, target: 0x0a00_0202 },
});

test('an interface is a station of a user network, and what passes is captured', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'stubdom-networks-'));
  const capture = join(directory, 'a.pcapng');
  const networks = await openNetworks([parseNetOption(`user,capture=${capture}`)], () => {});
  const [device] = networks.devices;
  assert.ok(device);
  const answers: number[] = [];
  device.link.listen(({ bytes }) => answers.push(readArp(bytes)?.sender ?? 0));

  device.link.send({ bytes: request });
  networks.close();

  assert.equal(answers, [0x0a00_0202]);
  assert.equal(device.mac, Uint8Array.of(0, 0x16, 0x3e, 0, 0, 1));
  const file = readFileSync(capture);
  assert.ok(file.includes(Buffer.from(request)));
  rmSync(directory, { recursive: true });
});

test('interfaces of one bridge hear each other, others do not', async () => {
  const vifs = ['bridge=a', 'bridge=b', 'bridge=a'].map(parseVif);
  const networks = await openNetworks(vifs, () => {});
  const heard: number[] = [];
  for (const { handle, link } of networks.devices) link.listen(() => heard.push(handle));

  networks.devices[0]?.link.send({ bytes: request });
  networks.close();

  assert.equal(heard.sort(), [0, 2]);
});

test('a port that is another’s is refused, and nothing stays open', async () => {
  const other = net.createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const address = other.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const free = await freePort();
  const option = parseNetOption(`user,forward=${free}:80,forward=${port}:80`);

  await assertRefused(
    () => openNetworks([option], () => {}),
    `127.0.0.1:${port}: cannot be forwarded: EADDRINUSE`,
  );

  const again = net.createServer().listen(free, '127.0.0.1');
  await once(again, 'listening');
  again.close();
  other.close();
});

test('a folder that is not there is refused', async () => {
  const option = parseNetOption('user,tftp=/no/such/folder');
  const message = '/no/such/folder: no such folder to serve by TFTP';
  await assertRefused(() => openNetworks([option], () => {}), message);
});

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' ? (address?.port ?? 0) : 0;
}

test.run();

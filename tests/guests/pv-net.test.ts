/** A PV guest with a network front-end of its own, in C, run by the command, against a server on the host's loopback. */
import dgram from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { runProcess } from '../../toolchain/process.ts';
import { buildPvGuest } from '../support/pv-guest.ts';

const test = suite('guests/pv-net');

const main = fileURLToPath(new URL('../../toolchain/cli/main.js', import.meta.url));
const expected = `mac 00:16:3e:00:00:01
arp sent: 0
the gateway is at 52:2, its answer has 42 bytes
datagrams sent: 500, come back the same: 500
lies: -1 -1 -1
closed, ring given back: 1
`;

for (const width of [64, 32] as const)
  test(`${width}: datagrams go to the host’s loopback and come back, and are captured`, async () => {
    const directory = mkdtempSync(join(tmpdir(), 'stubdom-net-'));
    const server = dgram.createSocket('udp4');
    server.on('message', (bytes, { port, address }) => server.send(bytes, port, address));
    server.bind(0, '127.0.0.1');
    await once(server, 'listening');
    const image = join(directory, 'net.elf');
    const capture = join(directory, 'net.pcapng');
    writeFileSync(
      image,
      await buildPvGuest('../pv-net', width, ['../pv-block/blkfront.c', '../pv-block/store.c']),
    );

    const words = ['run', '--net', `user,capture=${capture}`, '--trace', 'net'];
    const port = String(server.address().port);
    const { status, stdout, stderr } = await runProcess(
      process.execPath,
      [main, ...words, '--cmdline', port, image],
      { env: { ...process.env, STUBDOM_CACHE: directory } },
    );
    server.close();

    assert.is(stdout.replaceAll('\r\n', '\n'), expected, stderr.slice(-500));
    assert.is(status, 0);
    assert.match(stderr, 'vif1.0 sends arp who has 10.0.2.2, tell 10.0.2.15');
    assert.match(stderr, `vif1.0 sends udp 10.0.2.15:5000 > 10.0.2.2:${port} len 1000`);
    // An ARP request and its answer; of what was sent and came back, the one and the other.
    assert.is(packetsIn(readFileSync(capture)), 2 + 2 * 500);
    rmSync(directory, { recursive: true });
  });

/** Blocks of a little-endian pcapng file that hold a packet. */
function packetsIn(file: Buffer): number {
  let packets = 0;
  for (let at = 0; at < file.length; at += file.readUInt32LE(at + 4))
    if (file.readUInt32LE(at) === 6) packets++;
  return packets;
}

test.run();

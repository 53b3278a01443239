/** Linux as the guest: its own TCP, its DHCP client and its tools, at our cable. */
import dgram from 'node:dgram';
import { once } from 'node:events';
import net from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { systemClock } from '../../../runtime/domain/clock.ts';
import { nodeSockets } from '../../../runtime/host/node/host-sockets.ts';
import { cable, type Link } from '../../../runtime/network/frame.ts';
import { UserNetwork, type UserNetworkParts } from '../../../runtime/network/user-network.ts';
import { random } from '../../support/random.ts';
import { openTap } from '../../support/tap.ts';

const test = suite('runtime/network/user-network');
const tap = await openTap();
if (typeof tap === 'string') {
  process.stdout.write(`skipped: Linux as a station: ${tap}\n`);
} else {
  const { busybox } = tap;
  const addresses =
    `ip addr add 10.0.2.15/24 dev eth0; ip route add default via 10.0.2.2`.replaceAll(
      'ip ',
      `${busybox} ip `,
    );

  const withNetwork = async (
    options: Partial<UserNetworkParts>,
    body: (network: UserNetwork, link: Link) => Promise<void>,
  ): Promise<void> => {
    const [own, link] = cable();
    const numbers = random(11);
    const network = new UserNetwork({
      ...{ link: own, clock: systemClock(), sockets: nodeSockets },
      random: () => numbers.u32(),
      ...options,
    });
    try {
      await body(network, link);
    } finally {
      network.close();
    }
  };

  /** A server on the host's loopback: sends those bytes, and ends when it has heard all. */
  const serve = async (
    bytes: Uint8Array,
  ): Promise<{ port: number; heard: Promise<Buffer>; close: () => void }> => {
    const server = net.createServer({ allowHalfOpen: true });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const heard = new Promise<Buffer>((resolve) =>
      server.on('connection', (socket) => {
        const parts: Buffer[] = [];
        socket.on('data', (part: Buffer) => parts.push(part));
        socket.on('end', () => {
          socket.end();
          resolve(Buffer.concat(parts));
        });
        socket.write(bytes);
      }),
    );
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    return { port, heard, close: () => server.close() };
  };

  const content = random(4).bytes(3_000_000);

  test('a DHCP client gets an address, a router, a name server and an MTU', async () => {
    await withNetwork({}, async (_, link) => {
      const script = 'echo $1 $ip $subnet $router $dns $mtu';
      const { status, output } = await tap.run(
        link,
        `d=$(mktemp); printf '#!/bin/sh\\n${script}\\n' > $d; chmod +x $d; ${busybox} udhcpc -f -q -n -i eth0 -s $d`,
      );

      assert.is(status, 0, output);
      assert.match(output, 'bound 10.0.2.15 255.255.255.0 10.0.2.2 10.0.2.3 1500');
    });
  });

  test('a ping to the gateway is answered', async () => {
    await withNetwork({}, async (_, link) => {
      const { status, output } = await tap.run(
        link,
        `${addresses}; ${busybox} ping -c 2 -i 0.1 -s 4000 10.0.2.2`,
      );

      assert.is(status, 0, output);
      assert.match(output, '2 packets received');
    });
  });

  test('megabytes go over TCP both ways at once, whole, to the host’s loopback', async () => {
    const { port, heard, close } = await serve(content);
    await withNetwork({}, async (_, link) => {
      const { status, output } = await tap.run(
        link,
        `${addresses}; head -c 2000000 /dev/zero | tr '\\0' x | ${busybox} nc 10.0.2.2 ${port} | sha256sum`,
      );

      assert.is(status, 0, output);
      const sum = (await import('node:crypto')).createHash('sha256').update(content).digest('hex');
      assert.match(output, sum);
      assert.is((await heard).toString(), 'x'.repeat(2_000_000));
    });
    close();
  });

  test('a port that nobody listens on refuses, and what was not given is prohibited', async () => {
    const said: string[] = [];
    await withNetwork({ log: (line) => said.push(line) }, async (_, link) => {
      const { output } = await tap.run(
        link,
        `${addresses}; ${busybox} nc -w 3 10.0.2.2 1; ${busybox} nc -w 3 192.0.2.1 80`,
      );

      assert.match(output, /10\.0\.2\.2.*: Connection refused/);
      assert.match(output, /192\.0\.2\.1.*: No route to host/);
      assert.equal(said, ['network: 192.0.2.1 is outside, which the guest was not given']);
    });
  });

  test('a forwarded port of the host leads to a server of the guest', async () => {
    await withNetwork({}, async (network, link) => {
      const opened = await network.forward({
        ...{ protocol: 'tcp', address: '127.0.0.1', port: 0, guestPort: 7 },
      });
      const port = 'port' in opened ? opened.port : 0;
      const ended = tap.run(link, `${addresses}; ${busybox} nc -l -p 7 -e cat`);
      const socket = await connectWhenThere(port);
      socket.end('hello, guest\n');
      const [answer] = await once(socket, 'data');

      assert.is(String(answer), 'hello, guest\n');
      await ended;
    });
  });

  test('a datagram of any size gets to the host’s loopback and back, in fragments', async () => {
    const server = dgram.createSocket('udp4');
    server.on('message', (bytes, { port, address }) => server.send(bytes, port, address));
    server.bind(0, '127.0.0.1');
    await once(server, 'listening');
    await withNetwork({}, async (_, link) => {
      const { port } = server.address();
      const client = `const s = require('dgram').createSocket('udp4');
        s.on('message', (m) => { console.log(m.length, m.every((x) => x === 121)); s.close(); });
        s.send(Buffer.alloc(5000, 'y'), ${port}, '10.0.2.2')`;
      const { output } = await tap.run(link, `${addresses}; ${process.execPath} -e "${client}"`);

      assert.is(output, '5000 true\n');
    });
    server.close();
  });

  test('files of the folder are read by TFTP', async () => {
    const files = { read: async (name: string) => (name === 'kernel' ? content : undefined) };
    await withNetwork({ tftp: { files } }, async (_, link) => {
      const { output } = await tap.run(
        link,
        `${addresses}; ${busybox} tftp -g -b 1400 -r kernel -l - 10.0.2.2 | cmp -n ${content.length} - /dev/stdin < /dev/null; ${busybox} tftp -g -r kernel -l - 10.0.2.2 | wc -c; ${busybox} tftp -g -r none -l - 10.0.2.2`,
      );

      assert.match(output, '3000000');
      assert.match(output, 'none: no such file');
    });
  });
}

async function connectWhenThere(port: number): Promise<net.Socket> {
  for (;;) {
    const socket = net.connect(port, '127.0.0.1');
    const isRefused = await new Promise<boolean>((resolve) => {
      socket.once('error', () => resolve(true));
      socket.once('connect', () => setTimeout(() => resolve(socket.destroyed), 200));
    });
    if (!isRefused) return socket;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

test.run();

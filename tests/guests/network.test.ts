/** Sockets through lwip, netfront and user-mode networking, from C: names, long datagrams, many connections of the host's at once. */
import dgram from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { systemClock } from '../../runtime/domain/clock.ts';
import { nodeSockets } from '../../runtime/host/node/host-sockets.ts';
import { boot, type DomainWithConsole } from '../../runtime/index.ts';
import { cable } from '../../runtime/network/frame.ts';
import type { HostSockets } from '../../runtime/network/host-sockets.ts';
import { UserNetwork } from '../../runtime/network/user-network.ts';
import { isFull, type Program, testFile, Workbench } from '../support/program.ts';

const network = suite<{ bench: Workbench }>('guests/network');

network.before((context) => {
  context.bench = new Workbench();
});
network.after(({ bench }) => bench.remove());

const program: Program = { files: [testFile('guests/minios/network.c')], options: ['-O2'] };
const nameServer = '192.0.2.53';
const dnsPort = 53;

/** Knows guest.example, and that it knows nothing else (RFC 1035, 4.1). */
function dnsAnswer(question: Uint8Array): Uint8Array {
  const isKnown = Buffer.from(question).includes('\x05guest\x07example\x00');
  const [noName, answers] = isKnown ? [0, 1] : [3, 0];
  const head = Uint8Array.of(
    question[0] ?? 0,
    question[1] ?? 0,
    0x81,
    0x80 | noName,
    0,
    1,
    0,
    answers,
    0,
    0,
    0,
    0,
  );
  const record = [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 7];
  return Uint8Array.of(...head, ...question.subarray(12), ...(isKnown ? record : []));
}

/** The host's, with a name server of our own. */
const sockets: HostSockets = {
  ...nodeSockets,
  nameServer: () => nameServer,
  datagrams: (receive) => {
    const real = nodeSockets.datagrams(receive);
    return {
      send: (bytes, address, port) => {
        if (address !== nameServer || port !== dnsPort) real.send(bytes, address, port);
        else queueMicrotask(() => receive(dnsAnswer(bytes), address, port));
      },
      close: () => real.close(),
    };
  },
};

interface Guest {
  readonly domain: DomainWithConsole;
  readonly network: UserNetwork;
}

async function start(image: string, words: readonly string[]): Promise<Guest> {
  const [link, other] = cable();
  const parts = { link: other, clock: systemClock(), sockets, random: () => 0x1234_5678 };
  const mac = Uint8Array.of(0, 0x16, 0x3e, 0, 0, 1);
  const domain = await boot(new Uint8Array(readFileSync(image)), {
    ...{ name: 'guest.elf', arguments: words, networks: [{ handle: 0, mac, link }] },
    budget: 1_000_000_000,
  });
  return { domain, network: new UserNetwork(parts) };
}

async function ended({ domain, network }: Guest): Promise<string> {
  domain.console.end();
  const { status, report } = await domain.exited;
  network.close();
  assert.is(status, 0, report);
  return domain.console.text;
}

for (const width of isFull ? ([64, 32] as const) : ([64] as const)) {
  network(`x86-${width}: names are asked of the name server that DHCP gave`, async ({ bench }) => {
    const guest = await start(await bench.image(program, width), ['names']);

    assert.is(
      await ended(guest),
      'guest.example: 192.0.2.7 port 80\nnobody.example: Name or service not known\n' +
        '10.0.2.2: 10.0.2.2 port 80\nlocalhost: 127.0.0.1 port 80\n',
    );
  });

  network(`x86-${width}: it goes on with an address of the program’s own`, async ({ bench }) => {
    const guest = await start(await bench.image(program, width), ['addresses']);

    assert.is(
      await ended(guest),
      'from 10.0.2.77, 0 10.0.2.77, Name or service not known, 6 80 1, 1 Unknown host, mark 0\n',
    );
  });

  network(
    `x86-${width}: datagrams longer than a frame go and come in fragments`,
    async ({ bench }) => {
      const server = dgram.createSocket('udp4');
      server.on('message', (bytes, { port, address }) => server.send(bytes, port, address));
      server.bind(0, '127.0.0.1');
      await once(server, 'listening');
      const words = ['datagrams', String(server.address().port)];

      const text = await ended(await start(await bench.image(program, width), words));
      server.close();

      assert.is(text, '100 of 100 came back, from 10.0.2.15\n');
    },
  );

  network(`x86-${width}: one poll serves many connections of the host's`, async ({ bench }) => {
    const guest = await start(await bench.image(program, width), ['many']);
    const forward = { protocol: 'tcp', address: '127.0.0.1', port: 0, guestPort: 7 } as const;
    const listener = await guest.network.forward(forward);
    const port = 'port' in listener ? listener.port : 0;
    await guest.domain.console.expect('listening');

    const texts = Array.from({ length: 40 }, (_, n) => `connection ${n} `.repeat(100));
    const clients = texts.map((text) => connect(port, '127.0.0.1').end(text));
    const answers = await Promise.all(clients.map(readAll));
    connect(port, '127.0.0.1')
      .on('error', () => {})
      .end('stop');

    assert.equal(answers, texts);
    assert.is(await ended(guest), 'listening\n41 accepted, 40 ended\n');
  });
}

async function readAll(socket: ReturnType<typeof connect>): Promise<string> {
  let text = '';
  for await (const chunk of socket) text += chunk as Buffer;
  return text;
}

network.run();

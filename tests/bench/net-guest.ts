/**
 * Megabits a second that an application in C moves by TCP through lwip in its image, netfront and user-mode networking to another process
 * on the host's loopback, and what Node's own sockets move between the same two processes.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../runtime/domain/clock.ts';
import { prepareEngine } from '../../runtime/host/node/engine.ts';
import { nodeSockets } from '../../runtime/host/node/host-sockets.ts';
import { boot } from '../../runtime/index.ts';
import { cable } from '../../runtime/network/frame.ts';
import { UserNetwork } from '../../runtime/network/user-network.ts';
import type { Width } from '../../toolchain/index.ts';
import { buildProgram } from './build-program.ts';

export const netTarget = 300;

export interface StreamSpeed {
  readonly sent: number;
  readonly received: number;
}

export interface GuestNetSpeed {
  readonly width: Width;
  readonly guest: StreamSpeed;
  readonly node: StreamSpeed;
}

export async function measureGuestNet(
  width: Width,
  { directory, megabytes = 300 }: { readonly directory: string; readonly megabytes?: number },
): Promise<GuestNetSpeed> {
  prepareEngine();
  const image = await buildProgram('net/stream', width, directory);
  const peer = spawn(process.execPath, [fileURLToPath(new URL('net-peer.js', import.meta.url))], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const [line] = await once(peer.stdout, 'data');
    const port = Number(String(line));
    const guest = await guestSpeed(image, port, megabytes);
    const bytes = megabytes * 1e6;
    for (const move of [send, receive]) await move(port, bytes / 10);
    const node = { sent: await send(port, bytes), received: await receive(port, bytes) };
    return { width, guest, node };
  } finally {
    peer.kill();
  }
}

async function guestSpeed(
  image: Uint8Array,
  port: number,
  megabytes: number,
): Promise<StreamSpeed> {
  const [link, other] = cable();
  const random = (): number => randomBytes(4).readUInt32LE();
  const parts = { link: other, clock: systemClock(), sockets: nodeSockets, random };
  const network = new UserNetwork(parts);
  const mac = Uint8Array.from([0, 0x16, 0x3e, 0, 0, 1]);
  try {
    const domain = await boot(image, {
      ...{ name: 'stream', arguments: [String(port), String(megabytes)], memory: 64 * 2 ** 20 },
      networks: [{ handle: 0, mac, link }],
    });
    const { report } = await domain.exited;
    const speed = (name: string): number => {
      const found = new RegExp(`${name} (\\d+) (\\d+)`).exec(domain.console.text);
      if (found === null || Number(found[1]) !== megabytes * 1e6)
        throw new Error(`the guest says ${domain.console.text} ${report ?? ''}`);
      return (megabytes * 8e9) / Number(found[2]);
    };
    return { sent: speed('sent'), received: speed('received') };
  } finally {
    network.close();
  }
}

async function timed(bytes: number, move: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await move();
  return (bytes * 8) / 1e3 / (performance.now() - start);
}

const send = (port: number, bytes: number): Promise<number> =>
  timed(bytes, async () => {
    const socket = connect(port, '127.0.0.1');
    const block = Buffer.alloc(256 * 1024);
    const answered = once(socket, 'data');
    socket.write(`take ${bytes}\n`);
    for (let left = bytes; left > 0; left -= block.length)
      if (!socket.write(left < block.length ? block.subarray(0, left) : block))
        await once(socket, 'drain');
    await answered;
    socket.destroy();
  });

const receive = (port: number, bytes: number): Promise<number> =>
  timed(bytes, async () => {
    const socket = connect(port, '127.0.0.1');
    socket.write(`give ${bytes}\n`);
    let done = 0;
    for await (const chunk of socket) done += (chunk as Buffer).length;
    if (done !== bytes) throw new Error(`${done} bytes came of ${bytes}`);
  });

export function guestNetText({ width, guest, node }: GuestNetSpeed): string {
  const line = (what: 'sent' | 'received'): string =>
    `TCP ${what} through lwip, x86-${width}: ${Math.round(guest[what])} Mbit/s; Node's own loopback ${Math.round(node[what])}; target ${netTarget}: ${guest[what] >= netTarget ? 'met' : 'not met'}`;
  return [line('sent'), line('received')].join('\n');
}

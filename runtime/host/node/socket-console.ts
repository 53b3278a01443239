/**
 * A console that a program of the host's reaches by a socket of its own, one at a time, as QEMU's servers are: what is printed while
 * nobody is there is lost, and what nobody reads is waited for.
 */
import { lstatSync, unlinkSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { ByteQueue } from '../../backends/console/byte-queue.ts';
import type { Console } from '../../backends/console/console.ts';
import { UserError } from '../../errors.ts';

/** Input that nobody reads is left in the socket beyond this. */
const mostInput = 64 * 1024;

/** At a path, where a socket that somebody has left is taken away. */
export async function openSocketConsole(path: string): Promise<SocketConsole> {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSocket()) unlinkSync(path);
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) =>
      reject(new UserError(`${path}: no socket can be made there`, { cause })),
    );
    server.listen(path, resolve);
  });
  return new SocketConsole(server);
}

export class SocketConsole implements Console {
  readonly isTerminal = false;
  readonly #server: Server;
  readonly #queue = new ByteQueue();
  #client: Socket | undefined;
  #isFull = false;
  #isClosed = false;
  #changed = (): void => {};

  constructor(server: Server) {
    this.#server = server.on('error', () => {});
    server.on('connection', (socket) => this.#meet(socket));
  }

  write(bytes: Uint8Array): 'taken' | 'full' | 'closed' {
    if (this.output !== 'open') return this.output;
    // The bytes may be the guest's, which has them back.
    if (this.#client?.write(bytes.slice()) === false) this.#isFull = true;
    return 'taken';
  }

  read(count: number): Uint8Array | undefined {
    if (this.input === 'ended') return undefined;
    const bytes = this.#queue.take(count);
    if (this.#queue.length < mostInput) this.#client?.resume();
    return bytes;
  }

  get input(): 'waiting' | 'ready' | 'ended' {
    return this.#isClosed ? 'ended' : this.#queue.length > 0 ? 'ready' : 'waiting';
  }

  get output(): 'open' | 'full' | 'closed' {
    return this.#isClosed ? 'closed' : this.#isFull ? 'full' : 'open';
  }

  listen(changed: () => void): void {
    this.#changed = changed;
  }

  async flush(): Promise<void> {
    const client = this.#client;
    if (client === undefined) return;
    await new Promise<void>((resolve) => {
      client.once('close', resolve);
      client.write('', () => resolve());
    });
  }

  /** The path goes, too. */
  close(): void {
    this.#isClosed = true;
    this.#client?.end();
    this.#server.close();
  }

  #meet(socket: Socket): void {
    socket.on('error', () => {});
    if (this.#client !== undefined || this.#isClosed) {
      socket.destroy();
      return;
    }
    this.#client = socket;
    socket.on('data', (bytes) => {
      this.#queue.push(bytes);
      if (this.#queue.length >= mostInput) socket.pause();
      this.#changed();
    });
    socket.on('drain', () => this.#hasRoom());
    socket.on('close', () => {
      this.#client = undefined;
      this.#hasRoom();
    });
  }

  #hasRoom(): void {
    this.#isFull = false;
    this.#changed();
  }
}

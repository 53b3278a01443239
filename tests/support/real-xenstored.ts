/** Xen's own xenstored, as Debian has it, run without Xen: `real-xenstored.c` stands for what it would ask of a machine. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RequestName, XS } from '../../runtime/abi/io/xs-wire.ts';
import { fetchDebianPackage } from '../../toolchain/debian/packages.ts';
import { runProcess } from '../../toolchain/process.ts';
import { projectDirectory } from './source-files.ts';
import {
  latin1,
  parseMessages,
  type StoreMessage,
  showMessage,
  storeMessage,
} from './store-guest.ts';

const versions = `
VERS_1.0 { global: xengnttab_*; xenevtchn_open; xenevtchn_fd; xenevtchn_bind_*; xenevtchn_unbind;
  xenevtchn_unmask; xenevtchn_pending; xenevtchn_notify; };
VERS_1.2 { global: xenevtchn_fdopen; } VERS_1.0;
VERS_4.17.0 { global: xc_*; };
`;

/** Answers in time, or something is wrong. */
const patience = 10_000;

export class RealXenstored {
  readonly #directory: string;
  readonly #process: ChildProcess;
  readonly #clients: StoreSocket[] = [];

  private constructor(directory: string, process: ChildProcess) {
    this.#directory = directory;
    this.#process = process;
  }

  static async start(): Promise<RealXenstored> {
    const tree = await fetchDebianPackage('xen-utils-4.17');
    const directory = mkdtempSync(join(tmpdir(), 'stubdom-xenstored-'));
    for (const name of ['lib', 'run', 'rings']) mkdirSync(join(directory, name));
    await buildStandIn(directory);
    const child = spawn(join(tree, 'usr/lib/xen-4.17/bin/xenstored'), ['-N'], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: {
        ...process.env,
        LD_LIBRARY_PATH: join(directory, 'lib'),
        STUBDOM_RINGS: join(directory, 'rings'),
        XENSTORED_RUNDIR: join(directory, 'run'),
        XENSTORED_ROOTDIR: join(directory, 'run'),
      },
    });
    return new RealXenstored(directory, child);
  }

  /** A privileged client. */
  async tools(): Promise<StoreSocket> {
    return await this.#connect(join(this.#directory, 'run/socket'));
  }

  /** Through the ring of a domain that has been introduced. */
  async domain(domid: number): Promise<StoreSocket> {
    return await this.#connect(join(this.#directory, 'rings', String(domid)));
  }

  async #connect(path: string): Promise<StoreSocket> {
    for (const end = Date.now() + patience; ; ) {
      const socket = existsSync(path) ? await open(path) : undefined;
      if (socket !== undefined) {
        const client = new StoreSocket(socket);
        this.#clients.push(client);
        return client;
      }
      if (Date.now() > end || this.#process.exitCode !== null)
        throw new Error(`xenstored does not listen at ${path}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  stop(): void {
    for (const client of this.#clients) client.close();
    this.#process.kill();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

async function buildStandIn(directory: string): Promise<void> {
  const [map, library] = [join(directory, 'versions'), join(directory, 'lib/libxenctrl.so.4.17')];
  writeFileSync(map, versions);
  const { status, stderr } = await runProcess('gcc', [
    ...['-shared', '-fPIC', '-O1', '-pthread', `-Wl,--version-script=${map}`],
    ...['-Wl,-soname,libxenctrl.so.4.17', '-o', library],
    join(projectDirectory, 'tests/support/real-xenstored.c'),
  ]);
  if (status !== 0) throw new Error(stderr);
  for (const name of ['libxenevtchn.so.1', 'libxengnttab.so.1'])
    symlinkSync(library, join(directory, 'lib', name));
}

const open = (path: string): Promise<Socket | undefined> =>
  new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => resolve(socket));
    socket.once('error', () => resolve(undefined));
  });

export class StoreSocket {
  readonly #socket: Socket;
  #rest = new Uint8Array();
  #messages: StoreMessage[] = [];
  #came = (): void => {};
  #next = 1;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (bytes) => {
      const { messages, rest } = parseMessages(
        new Uint8Array(Buffer.concat([this.#rest, Buffer.from(bytes)])),
      );
      this.#rest = new Uint8Array(rest);
      this.#messages.push(...messages);
      this.#came();
    });
  }

  /** The answer, and the events before and behind it. */
  async ask(name: RequestName, payload: string, transaction = 0): Promise<string[]> {
    const asked = await this.#one(name, payload, transaction);
    return [...asked, ...(await this.#waiting())].map((message) => showMessage(message, name));
  }

  /** What has come by now. */
  async events(): Promise<string[]> {
    return (await this.#waiting()).map((message) => showMessage(message, ''));
  }

  /** All that was told before the answer to one more question. */
  async #waiting(): Promise<StoreMessage[]> {
    const messages = await this.#one('GET_DOMAIN_PATH', '0|', 0);
    return messages.filter(({ request }) => request === 0);
  }

  async #one(name: RequestName, payload: string, transaction: number): Promise<StoreMessage[]> {
    const request = this.#next++;
    const bytes = latin1(payload.replaceAll('|', '\0'));
    this.#socket.write(storeMessage(XS[name], bytes, { request, transaction }));
    while (!this.#messages.some((message) => message.request === request)) await this.#more(name);
    const messages = this.#messages;
    this.#messages = [];
    return messages;
  }

  #more(name: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`no answer to ${name}`)), patience);
      this.#came = () => {
        clearTimeout(late);
        resolve();
      };
    });
  }

  close(): void {
    this.#socket.destroy();
  }
}

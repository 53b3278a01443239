/**
 * A folder that a guest reaches by fsif (xen/io/fsif.h), older than xenbus and its states: the back-end's domain lists exports, a
 * front-end asks for one by a node of its own, and both say how far they are in words. Paths and order as the Xen tree's fs-back had
 * them; an export is one domain's, and is mounted once at a time.
 */
import { STATE } from '../../abi/io/fsif.ts';
import type { Clock } from '../../domain/clock.ts';
import type { EventPorts } from '../../domain/event-port.ts';
import type { GrantedMemory } from '../../domain/granted-memory.ts';
import { XenError } from '../../errors.ts';
import type { MachineMemory } from '../../memory/machine-memory.ts';
import type { Trace } from '../../trace.ts';
import type { StoreClient } from '../../xenstore/client.ts';
import { domainPath } from '../../xenstore/path.ts';
import type { Folder } from '../folder/folder.ts';
import { type FrontendNodes, frontendNodes } from '../handshake.ts';
import { allOrNothing, type Held } from '../held.ts';
import { FsBackend } from './fs-backend.ts';
import { FsSession } from './fs-session.ts';
import { GuestPages } from './guest-pages.ts';

export interface FsSpecification {
  /** For whoever looks into the store. */
  readonly name: string;
  readonly folder: Folder;
  readonly isReadOnly: boolean;
}

export interface FsDeviceParts {
  readonly specification: FsSpecification;
  readonly memory: MachineMemory;
  readonly granted: GrantedMemory;
  readonly ports: EventPorts;
  readonly clock: Clock;
  readonly trace?: Trace | undefined;
}

const root = `${domainPath(0)}/backend/vfs`;
const exportsPath = `${root}/exports`;
const requestsPath = `${exportsPath}/requests`;
const mostRingPages = 16;
const longestPath = 256;

/** What a front-end has mounted. */
interface Mount {
  readonly frontend: string;
  readonly held: Held;
  readonly backend: FsBackend;
  readonly stopWatching: () => void;
}

export class FsDevice {
  readonly #store: StoreClient;
  readonly #domain: number;
  readonly #parts: FsDeviceParts;
  /** Of the export, and of whoever mounts it. */
  readonly #id: number;
  readonly #stopWatching: () => void;
  #mount: Mount | undefined;
  /** What is being let go of. */
  #parting: Promise<void> | undefined;

  constructor(store: StoreClient, domain: number, parts: FsDeviceParts) {
    this.#store = store;
    this.#domain = domain;
    this.#parts = parts;
    this.#id = createExport(store, domain, parts.specification.name);
    this.#stopWatching = store.watch(`${this.#request}/frontend`, () => this.#asked());
  }

  /** Lets go of the front-end, whatever it does, and takes the export away. */
  async close(): Promise<void> {
    this.#stopWatching();
    await this.#part();
    for (const path of [this.#own, `${exportsPath}/${this.#id}`, this.#request])
      if (this.#store.find(path) !== undefined) this.#store.remove(path);
  }

  get #request(): string {
    return `${requestsPath}/${this.#domain}/${this.#id}`;
  }

  get #own(): string {
    return `${root}/${this.#id}`;
  }

  /** Each request is answered once. What is wrong with it is said where dom0's errors are. */
  #asked(): void {
    const frontend = this.#store.find(`${this.#request}/frontend`);
    if (frontend === undefined || frontend === '') return;
    this.#store.remove(`${this.#request}/frontend`);
    if (this.#mount !== undefined || this.#parting !== undefined) return;
    try {
      this.#connect(frontend);
    } catch (error) {
      if (!(error instanceof XenError)) throw error;
      this.#fail(error);
    }
  }

  #connect(frontend: string): void {
    const { name } = this.#parts.specification;
    const isOwn = frontend.startsWith(`${domainPath(this.#domain)}/`);
    if (!isOwn || frontend.length > longestPath)
      throw new XenError('EINVAL', `no front-end of d${this.#domain}: ${frontend}`);
    const front = frontendNodes(this.#store, frontend);
    if (front.find('state') !== STATE.READY)
      throw new XenError('EINVAL', `${frontend}/state: expected ${STATE.READY}`);
    this.#write('', name);
    this.#store.setPermissions(this.#own, ['n0', `r${this.#domain}`]);
    this.#say(STATE.INITIALISED);
    this.#mount = allOrNothing((held) => this.#open(frontend, front, held));
    this.#store.write(`${frontend}/backend`, this.#own);
    this.#say(STATE.READY);
    const { backend } = this.#mount;
    queueMicrotask(() => backend.serve());
  }

  #open(frontend: string, front: FrontendNodes, held: Held): Mount {
    const { memory, granted, ports, clock, trace, specification } = this.#parts;
    const pages = ringReferences(front).map((reference) => held.page(granted, reference));
    const port = held.port(ports, front.port('event-channel'));
    const { folder, isReadOnly } = specification;
    const session = new FsSession({ folder, isReadOnly, pages: new GuestPages(memory, granted) });
    const backend = new FsBackend({
      ...{ name: `vfs${this.#domain}.${this.#id}`, memory, pages, port, session, clock, trace },
      onBroken: (reason) => this.#fail(new XenError('EINVAL', reason)),
    });
    const path = `${frontend}/state`;
    const stopWatching = this.#store.watch(path, () => {
      if (this.#store.find(path) !== STATE.READY) void this.#part();
    });
    return { frontend, held, backend, stopWatching };
  }

  /** Says `closing` at once, and `closed` when nothing is under way any more. */
  async #part(): Promise<void> {
    const mount = this.#mount;
    this.#mount = undefined;
    if (mount !== undefined) this.#parting = this.#letGo(mount);
    await this.#parting;
  }

  async #letGo({ backend, held, stopWatching }: Mount): Promise<void> {
    stopWatching();
    this.#say(STATE.CLOSING);
    await backend.close();
    held.release();
    this.#say(STATE.CLOSED);
    this.#parting = undefined;
  }

  #fail(error: XenError): void {
    const path = `${domainPath(0)}/error/backend/vfs/${this.#id}/error`;
    this.#store.write(path, `${error.errno} ${error.message}`);
    this.#say(STATE.CLOSING);
  }

  #say(state: string): void {
    this.#write('/state', state);
  }

  #write(name: string, value: string): void {
    this.#store.write(`${this.#own}${name}`, value);
  }
}

/** The export's number: the lowest that is free. Only its domain may read it and ask for it. */
function createExport(store: StoreClient, domain: number, name: string): number {
  return store.transaction((t) => {
    if (t.find(requestsPath) === undefined) {
      t.makeDirectory(requestsPath);
      t.setPermissions(exportsPath, ['r0']);
    }
    const taken = new Set(t.directory(exportsPath));
    let id = 0;
    while (taken.has(String(id))) id++;
    const path = `${exportsPath}/${id}`;
    t.makeDirectory(path);
    t.setPermissions(path, ['n0', `r${domain}`]);
    t.write(`${path}/name`, name);
    const request = `${requestsPath}/${domain}/${id}`;
    t.makeDirectory(request);
    t.setPermissions(request, ['n0', `b${domain}`]);
    const front = `${domainPath(domain)}/device/vfs`;
    if (t.find(front) === undefined) {
      t.makeDirectory(front);
      t.setPermissions(front, [`n${domain}`, 'r0']);
    }
    return id;
  });
}

/** Of one page in the older form. */
function ringReferences(front: FrontendNodes): number[] {
  if (front.find('ring-size') === undefined) return [front.reference('ring-ref')];
  const count = front.number('ring-size', mostRingPages);
  if (count === 0) throw new XenError('EINVAL', 'ring-size: none');
  return Array.from({ length: count }, (_, n) => front.reference(`ring-ref-${n}`));
}

/**
 * How a back-end and a front-end come together and part (xen/io/xenbus.h; the states as Linux's back-ends go through
 * them): one table for all devices. A device says what it offers and does; nothing but this file writes its state.
 */
import { XenbusState } from '../abi/io/xenbus.ts';
import { XenError } from '../errors.ts';
import type { StoreClient } from '../xenstore/client.ts';
import { domainPath } from '../xenstore/path.ts';
import {
  backendPath,
  type Device,
  type DeviceNodes,
  frontendPath,
  readState,
  watchState,
  writeState,
} from './xenbus.ts';

/** The front-end's directory, which a guest writes: to be checked, and to be read once for each use. */
export interface FrontendNodes {
  find(name: string): string | undefined;
  /** A decimal number from 0 to `most`; XenError(EINVAL) where there is another or none. */
  number(name: string, most: number): number;
  /** An event channel's port. */
  port(name: string): number;
  /** A grant reference, or a machine frame where a device is older than grants. */
  reference(name: string): number;
}

/** What a device does at the back-end. An XenError from `connect` is told in the store, and closes the device. */
export interface BackendDevice {
  /** Nodes for its own directory, from the start. */
  advertise(): DeviceNodes;
  /** Takes up the front-end's rings and ports; nodes that are to be there when it is connected. */
  connect(front: FrontendNodes): DeviceNodes;
  /** Lets go of all that it took up, once nothing is under way any more; also where nothing was taken up. */
  disconnect(): void | Promise<void>;
}

type StateName = Exclude<keyof typeof XenbusState, 'Reconfiguring' | 'Reconfigured'>;
type Action = 'advertise' | 'connect' | 'disconnect' | 'nothing';

/** The back-end's state, the front-end's, what is done then, and the back-end's next state. */
// biome-ignore format: a state table
export const handshakes: readonly (readonly [StateName, StateName, Action, StateName])[] = [
  ['Closed',    'Initialising', 'advertise',  'InitWait'],
  ['InitWait',  'Initialised',  'connect',    'Connected'],
  ['InitWait',  'Connected',    'connect',    'Connected'],
  ['InitWait',  'Closing',      'nothing',    'Closing'],
  ['InitWait',  'Closed',       'nothing',    'Closed'],
  ['InitWait',  'Unknown',      'nothing',    'Closed'],
  ['Connected', 'Closing',      'nothing',    'Closing'],
  ['Connected', 'Closed',       'disconnect', 'Closed'],
  ['Connected', 'Unknown',      'disconnect', 'Closed'],
  ['Closing',   'Closed',       'disconnect', 'Closed'],
  ['Closing',   'Unknown',      'disconnect', 'Closed'],
];

export interface BackendParts {
  readonly store: StoreClient;
  /** Both of its directories are there (`createDevice`). */
  readonly place: Device;
  readonly device: BackendDevice;
}

export class Backend {
  readonly #parts: BackendParts;
  readonly #stopWatching: () => void;
  #state: StateName = 'Closed';
  /** What is being let go of; until then nothing else is done. */
  #parting: Promise<void> | undefined;

  constructor(parts: BackendParts) {
    this.#parts = parts;
    this.#advertise();
    this.#switchTo('InitWait');
    this.#stopWatching = watchState(parts.store, frontendPath(parts.place), () => this.#look());
  }

  get state(): StateName {
    return this.#state;
  }

  /** Lets go of the front-end, whatever it does; the directories stay. */
  async close(): Promise<void> {
    this.#stopWatching();
    await this.#parting;
    await this.#parts.device.disconnect();
    this.#state = 'Closed';
  }

  #look(): void {
    if (this.#parting !== undefined) return;
    const { store, place } = this.#parts;
    const front = readState(store, frontendPath(place));
    const row = handshakes.find(
      ([own, other]) => own === this.#state && XenbusState[other] === front,
    );
    if (row === undefined) return;
    const [, , action, next] = row;
    const under = this.#do(action);
    if (under === 'failed') return;
    if (under === undefined) this.#switchTo(next);
    else this.#parting = under.then(() => this.#parted(next));
  }

  #parted(next: StateName): void {
    this.#parting = undefined;
    this.#switchTo(next);
    this.#look();
  }

  #do(action: Action): Promise<void> | 'failed' | undefined {
    if (action === 'advertise') this.#advertise();
    if (action === 'connect' && !this.#connect()) return 'failed';
    return action === 'disconnect' ? (this.#parts.device.disconnect() ?? undefined) : undefined;
  }

  #advertise(): void {
    this.#write(this.#parts.device.advertise());
  }

  #connect(): boolean {
    const { store, place, device } = this.#parts;
    try {
      this.#write(device.connect(frontendNodes(store, frontendPath(place))));
      return true;
    } catch (error) {
      if (!(error instanceof XenError)) throw error;
      this.fail(error);
      return false;
    }
  }

  /** The device cannot go on: says so in the store, and waits for the front-end to close. */
  fail(error: XenError): void {
    const { store, place } = this.#parts;
    const path = `${domainPath(place.backend)}/error/${backendPath(place).split('/').slice(4).join('/')}`;
    store.write(`${path}/error`, `${error.errno} ${error.message}`);
    this.#switchTo('Closing');
  }

  /** Not where the directory is gone: that would make one that nobody has given to the front-end. */
  #write(nodes: DeviceNodes): void {
    const { store, place } = this.#parts;
    if (store.find(backendPath(place)) === undefined) return;
    for (const [name, value] of Object.entries(nodes))
      store.write(`${backendPath(place)}/${name}`, value);
  }

  /** A directory that is gone says that the device is unplugged: nobody reads its state any more. */
  #switchTo(next: StateName): void {
    const { store, place } = this.#parts;
    this.#state = next;
    if (store.find(backendPath(place)) !== undefined)
      writeState(store, backendPath(place), XenbusState[next]);
  }
}

/** Of the FIFO ABI, which has the most. */
const mostPort = 0x1_ffff;
const mostReference = 0xffff_ffff;

export const frontendNodes = (store: StoreClient, path: string): FrontendNodes => {
  const find = (name: string): string | undefined => store.find(`${path}/${name}`);
  const number = (name: string, most: number): number => {
    const text = find(name);
    const value = /^\d{1,10}$/.test(text ?? '') ? Number(text) : Number.NaN;
    if (value <= most) return value;
    throw new XenError('EINVAL', `${path}/${name}: expected 0 to ${most}, not ${text}`);
  };
  return {
    ...{ find, number },
    port: (name) => number(name, mostPort),
    reference: (name) => number(name, mostReference),
  };
};

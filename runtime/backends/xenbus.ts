/** A device's two directories in the store, as a toolstack makes them (libxl), and the states in them (xen/io/xenbus.h). */
import { XenbusState } from '../abi/io/xenbus.ts';
import type { StoreAccess, StoreClient, StoreValue } from '../xenstore/client.ts';
import { domainPath } from '../xenstore/path.ts';

export interface Device {
  /** As in its path: `vbd`, `vif`, `console`. */
  readonly type: string;
  readonly frontend: number;
  readonly backend: number;
  /** A disk's virtual device number, or a count. */
  readonly id: number;
}

export type DeviceNodes = Readonly<Record<string, StoreValue>>;

export const frontendPath = ({ type, frontend, id }: Device): string =>
  `${domainPath(frontend)}/device/${type}/${id}`;

export const backendPath = ({ type, frontend, backend, id }: Device): string =>
  `${domainPath(backend)}/backend/${type}/${frontend}/${id}`;

const toolstackPath = ({ type, frontend, id }: Device): string =>
  `/libxl/${frontend}/device/${type}/${id}`;

export interface DeviceDescription {
  /** What the front-end finds in its directory, and owns. */
  readonly frontend: DeviceNodes;
  /** What the back-end finds in its own, and the front-end may read. */
  readonly backend: DeviceNodes;
}

/** Makes both, anew, in one transaction; both ends are Initialising. */
export function createDevice(
  store: StoreClient,
  device: Device,
  { frontend, backend }: DeviceDescription,
): void {
  const [front, back] = [frontendPath(device), backendPath(device)];
  const ends = { frontend: front, backend: back };
  const state = XenbusState.Initialising;
  store.transaction((t) => {
    for (const path of [toolstackPath(device), front, back]) removeIfThere(t, path);
    makeDirectory(t, front, [`n${device.frontend}`, `r${device.backend}`], {
      backend: back,
      'backend-id': device.backend,
      state,
      ...frontend,
    });
    const described = { 'frontend-id': device.frontend, online: 1, state, ...backend };
    makeDirectory(t, back, [`n${device.backend}`, `r${device.frontend}`], {
      frontend: front,
      ...described,
    });
    makeDirectory(t, toolstackPath(device), undefined, { ...ends, ...described });
  });
}

/** Both ends, and the toolstack's copy; what becomes empty above the back-end's goes, too. */
export function removeDevice(store: StoreClient, device: Device): void {
  const back = backendPath(device);
  const above = [1, 2, 3].map((levels) => back.split('/').slice(0, -levels).join('/'));
  store.transaction((t) => {
    for (const path of [toolstackPath(device), frontendPath(device), back]) removeIfThere(t, path);
    for (const path of above)
      if (t.find(path) !== undefined && t.directory(path).length === 0) t.remove(path);
  });
}

function removeIfThere(store: StoreAccess, path: string): void {
  if (store.find(path) !== undefined) store.remove(path);
}

/** What is made in it has its permissions. */
function makeDirectory(
  store: StoreAccess,
  path: string,
  permissions: readonly string[] | undefined,
  nodes: DeviceNodes,
): void {
  store.makeDirectory(path);
  if (permissions !== undefined) store.setPermissions(path, permissions);
  for (const [name, value] of Object.entries(nodes)) store.write(`${path}/${name}`, value);
}

/** The state in a device's directory; Unknown where there is none, or no number that is one. */
export function readState(store: StoreAccess, path: string): XenbusState {
  const text = store.find(`${path}/state`);
  return Object.values(XenbusState).find((state) => String(state) === text) ?? XenbusState.Unknown;
}

export function writeState(store: StoreAccess, path: string, state: XenbusState): void {
  store.write(`${path}/state`, state);
}

/** Calls with the state as it is, and whenever it has changed. The answer ends it. */
export function watchState(
  store: StoreClient,
  path: string,
  changed: (state: XenbusState) => void,
): () => void {
  let last: XenbusState | undefined;
  return store.watch(`${path}/state`, () => {
    const state = readState(store, path);
    if (state === last) return;
    last = state;
    changed(state);
  });
}

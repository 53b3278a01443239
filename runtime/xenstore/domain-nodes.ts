/**
 * The nodes that a toolstack makes for a domain: names, order, values and permissions as libxl's (docs/misc/
 * xenstore-paths), so that a guest finds here what it finds on Xen.
 */
import type { StoreAccess, StoreClient, StoreValue } from './client.ts';
import { domainPath } from './path.ts';

export interface SharedPage {
  /** Frame number, as the domain's start info has it. */
  readonly ringRef: number | bigint;
  /** The domain's own end. */
  readonly port: number;
}

export interface DomainDescription {
  readonly domid: number;
  readonly name: string;
  readonly uuid: string;
  readonly memoryKiB: number;
  readonly vcpus: number;
  /** As the toolstack was given it. */
  readonly kernel: string;
  readonly ramdisk?: string;
  readonly commandLine?: string;
  /** Seconds since 1970. */
  readonly startTime: number;
  /** Of a domain whose kernel is its own. */
  readonly store?: SharedPage;
  readonly console?: SharedPage & { readonly tty?: string };
}

/** What a guest may ask of its control directory. */
const guestControl = [
  'control/shutdown',
  'control/feature-poweroff',
  'control/feature-reboot',
  'control/feature-suspend',
  'control/sysrq',
];

/** Directories that are the guest's own. */
const guestDirectories = ['data', 'drivers', 'feature', 'attr', 'error'];

/** Of domain 0, once for a machine. */
export function createHostNodes(store: StoreClient): void {
  for (const feature of ['poweroff', 'reboot', 'suspend'])
    store.write(`${domainPath(0)}/control/feature-${feature}`, 1);
  store.write(`${domainPath(0)}/domid`, 0);
  store.write(`${domainPath(0)}/name`, 'Domain-0');
}

export function createDomainNodes(store: StoreClient, domain: DomainDescription): void {
  const { domid, uuid, console } = domain;
  const readable = ['n0', `r${domid}`];
  store.transaction((t) => {
    makeDirectory(t, domainPath(domid), readable);
    for (const [name, value, isGuests] of homeNodes(domain)) {
      t.write(`${domainPath(domid)}/${name}`, value);
      if (isGuests) t.setPermissions(`${domainPath(domid)}/${name}`, [`n${domid}`]);
    }
    makeDirectory(t, `/vm/${uuid}`, readable);
    writeAll(t, `/vm/${uuid}`, vmNodes(domain));
    makeDirectory(t, `/libxl/${domid}/device`, ['n0']);
    if (console !== undefined) makeConsole(t, domid, console, readable);
    t.write(`/libxl/${domid}/type`, 'pv');
  });
}

/** Below its own directory, and which of them are the guest's to write. */
function homeNodes(domain: DomainDescription): (readonly [string, StoreValue, boolean])[] {
  const { domid, name, uuid, memoryKiB, vcpus, store } = domain;
  const cpus = Array.from({ length: vcpus }, (_, i) => `cpu/${i}/availability`);
  const fixed = (nodes: Readonly<Record<string, StoreValue>>) =>
    Object.entries(nodes).map(([node, value]) => [node, value, false] as const);
  const guests = (nodes: readonly string[]) => nodes.map((node) => [node, '', true] as const);
  return [
    ...fixed({ vm: `/vm/${uuid}`, name }),
    ...cpus.map((cpu) => [cpu, 'online', false] as const),
    ...fixed({
      'memory/static-max': memoryKiB,
      'memory/target': memoryKiB,
      'memory/videoram': 0,
      'device/suspend': '',
    }),
    ...guests(['device/suspend/event-channel', ...guestControl]),
    ...fixed({
      'control/platform-feature-multiprocessor-suspend': 1,
      'control/platform-feature-xs_reset_watches': 1,
    }),
    ...guests(guestDirectories),
    ...fixed({
      domid,
      ...(store && { 'store/port': store.port, 'store/ring-ref': store.ringRef }),
    }),
  ];
}

const vmNodes = (domain: DomainDescription): Readonly<Record<string, StoreValue>> => ({
  name: domain.name,
  uuid: domain.uuid,
  'image/ostype': 'linux',
  'image/kernel': domain.kernel,
  ...(domain.ramdisk !== undefined && { 'image/ramdisk': domain.ramdisk }),
  ...(domain.commandLine !== undefined && { 'image/cmdline': domain.commandLine }),
  start_time: domain.startTime.toFixed(2),
});

/** The first console has no state machine, and its directory is the toolstack's. */
function makeConsole(
  store: StoreAccess,
  domid: number,
  { ringRef, port, tty }: NonNullable<DomainDescription['console']>,
  readable: readonly string[],
): void {
  const [front, back] = [
    `${domainPath(domid)}/console`,
    `${domainPath(0)}/backend/console/${domid}/0`,
  ];
  const ends = { frontend: front, backend: back };
  const described = { 'frontend-id': domid, online: 1, state: 1, protocol: 'vt100' };
  makeDirectory(store, front, readable);
  const nodes: Readonly<Record<string, StoreValue>> = {
    backend: back,
    'backend-id': 0,
    limit: 1048576,
    type: 'xenconsoled',
    output: 'pty',
    ...(tty !== undefined && { tty }),
    port,
    'ring-ref': ringRef,
  };
  writeAll(store, front, nodes);
  store.setPermissions(`${front}/backend-id`, [`n${domid}`, 'r0']);
  makeDirectory(store, back, readable);
  writeAll(store, back, { frontend: front, ...described });
  writeAll(store, `/libxl/${domid}/device/console/0`, { ...ends, ...described });
}

function makeDirectory(store: StoreAccess, path: string, permissions: readonly string[]): void {
  store.makeDirectory(path);
  store.setPermissions(path, permissions);
}

function writeAll(
  store: StoreAccess,
  path: string,
  nodes: Readonly<Record<string, StoreValue>>,
): void {
  for (const [name, value] of Object.entries(nodes)) store.write(`${path}/${name}`, value);
}

/** When the domain is no more. Devices are removed before it, each by its own. */
export function removeDomainNodes(store: StoreClient, domid: number): void {
  store.transaction((t) => {
    const machine = t.find(`${domainPath(domid)}/vm`);
    const back = `${domainPath(0)}/backend/console/${domid}`;
    for (const path of [machine, domainPath(domid), `/libxl/${domid}`, back])
      if (path !== undefined && t.find(path) !== undefined) t.remove(path);
  });
}

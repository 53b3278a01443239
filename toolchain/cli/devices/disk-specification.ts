/** A disk as xl's cfg files specify it: xl-disk-configuration(5), with the deprecated forms. What is not supported yet says so. */
import { deviceNumber } from '../../../runtime/backends/block/device-number.ts';
import { UserError } from '../../../runtime/errors.ts';
import type { DiskMode } from '../../../runtime/host/node/file-disk.ts';

export type DiskFormat = 'raw' | 'qcow2';

export interface DiskSpecification {
  /** As xl names it; a name that stands for a number. */
  readonly vdev: string;
  /** Undefined: a drive without a disk. */
  readonly path: string | undefined;
  readonly format: DiskFormat;
  readonly mode: DiskMode;
  readonly isCdrom: boolean;
  /** Undefined: offered where the disk knows it. */
  readonly discards: boolean | undefined;
  readonly isDirectIoSafe: boolean;
}

type Name = 'target' | 'format' | 'vdev' | 'access' | 'devtype' | 'backendtype';

/** What has been said so far. Empty is as good as not said. */
interface Draft {
  readonly text: string;
  readonly values: Map<Name, string>;
  /** Positional parameters that have been taken, empty ones, too. */
  readonly taken: Set<Name>;
  hasPrefix: boolean;
  isDirectIoSafe: boolean;
  discards: boolean | undefined;
}

export function parseDiskSpecification(text: string): DiskSpecification {
  const draft: Draft = {
    ...{ text, values: new Map(), taken: new Set(), hasPrefix: false },
    ...{ isDirectIoSafe: false, discards: undefined },
  };
  let rest = text;
  while (rest.trim() !== '') {
    rest = rest.trimStart();
    const target = /^target=(.*)$/s.exec(rest)?.[1];
    if (target !== undefined) {
      set(draft, 'target', target);
      break;
    }
    rest = withoutPrefix(draft, rest);
    const comma = rest.indexOf(',');
    take(draft, comma < 0 ? rest : rest.slice(0, comma));
    rest = comma < 0 ? '' : rest.slice(comma + 1);
  }
  return finish(draft);
}

function fail({ text }: Draft, reason: string): never {
  throw new UserError(`disk '${text}': ${reason}`);
}

/** Each at most once, but for what was empty. */
function set(draft: Draft, name: Name, value: string): void {
  const before = draft.values.get(name);
  if (before !== undefined && before !== '' && before !== value)
    fail(draft, `${name} is given twice, ${before} and ${value}`);
  draft.values.set(name, value);
  draft.taken.add(name);
}

const ignoredPrefixes = new Set(['tapdisk', 'tap', 'tap2', 'aio', 'ioemu', 'file', 'phy']);
const formatPrefixes = new Set(['raw', 'qcow', 'qcow2', 'vhd']);
const scriptPrefixes = new Set(['iscsi', 'nbd', 'enbd', 'drbd']);

/** `tap:aio:raw:` and so on, in front of a positional target. */
function withoutPrefix(draft: Draft, text: string): string {
  const [whole, prefix] = /^([a-z][a-z0-9]*):/.exec(text) ?? [];
  if (whole === undefined || prefix === undefined || draft.taken.has('target')) return text;
  if (scriptPrefixes.has(prefix)) fail(draft, `scripts (${prefix}:) are not supported yet`);
  if (formatPrefixes.has(prefix)) set(draft, 'format', prefix);
  else if (!ignoredPrefixes.has(prefix)) fail(draft, `no prefix ${prefix}:`);
  draft.hasPrefix = true;
  return withoutPrefix(draft, text.slice(whole.length));
}

function take(draft: Draft, parameter: string): void {
  const flag = Object.hasOwn(flags, parameter) ? flags[parameter] : undefined;
  if (flag !== undefined) {
    flag(draft);
    return;
  }
  const [, name, value = ''] = /^([A-Za-z][\w-]*)=(.*)$/s.exec(parameter) ?? [];
  if (name === undefined) takePositional(draft, parameter);
  else if (isName(name)) set(draft, name, value);
  else takeOther(draft, name, value);
}

const names: readonly string[] = ['format', 'vdev', 'access', 'devtype', 'backendtype'];
const isName = (name: string): name is Name => names.includes(name);

const flags: Readonly<Record<string, (draft: Draft) => void>> = {
  cdrom: (draft) => set(draft, 'devtype', 'cdrom'),
  'direct-io-safe': (draft) => {
    draft.isDirectIoSafe = true;
  },
  discard: (draft) => {
    draft.discards = true;
  },
  'no-discard': (draft) => {
    draft.discards = false;
  },
  // What they stand for is so anyway.
  'no-colo': () => {},
  trusted: () => {},
  colo: (draft) => fail(draft, 'colo is not supported'),
  untrusted: (draft) => fail(draft, 'untrusted is not supported yet'),
};

const unsupported =
  /^(backend|script|colo-host|colo-port|colo-export|active-disk|hidden-disk|grant_usage)$/;

function takeOther(draft: Draft, name: string, value: string): void {
  if (name === 'specification') {
    if (value !== 'xen') fail(draft, `specification=${value} is not supported, only xen`);
  } else if (unsupported.test(name)) fail(draft, `${name}= is not supported yet`);
  else fail(draft, `no parameter ${name}`);
}

function takePositional(draft: Draft, text: string): void {
  const { taken, hasPrefix } = draft;
  if (text.includes('='))
    fail(draft, `what is ${text}? A target with = in it is given as target=…`);
  if (!taken.has('target')) set(draft, 'target', text);
  else if (!hasPrefix && !taken.has('format')) takeFormat(draft, text);
  else if (!taken.has('vdev')) takeDevice(draft, text);
  else if (!taken.has('access')) set(draft, 'access', text);
  else fail(draft, `${text} is one parameter too many; expected target,format,vdev,access`);
}

/** xend's way to say that a drive is empty has the device here: `,hdc:cdrom,r`. */
function takeFormat(draft: Draft, text: string): void {
  if (draft.values.get('target') === '' && text.includes(':')) {
    set(draft, 'format', 'empty');
    takeDevice(draft, text);
  } else set(draft, 'format', text);
}

/** `hdc:cdrom` */
function takeDevice(draft: Draft, text: string): void {
  const colon = text.lastIndexOf(':');
  set(draft, 'vdev', colon < 0 ? text : text.slice(0, colon));
  if (colon >= 0) set(draft, 'devtype', text.slice(colon + 1));
}

const accesses: Readonly<Record<string, DiskMode>> = { r: 'ro', ro: 'ro', w: 'rw', rw: 'rw' };
const backends = ['', 'phy', 'tap', 'qdisk'];

function finish(draft: Draft): DiskSpecification {
  const value = (name: Name): string => draft.values.get(name) ?? '';
  const format = value('format');
  const [path, vdev, devtype] = [value('target'), value('vdev'), value('devtype')];
  if (!['', 'cdrom', 'disk'].includes(devtype)) fail(draft, `no device type ${devtype}`);
  const isCdrom = devtype === 'cdrom';
  if (!['', 'raw', 'qcow2', 'empty'].includes(format)) fail(draft, unknownFormat(format));
  const access = value('access') || (isCdrom ? 'r' : 'w');
  const mode = Object.hasOwn(accesses, access) ? accesses[access] : undefined;
  if (mode === undefined) fail(draft, `no access ${access}; expected rw, w, ro or r`);
  if (!backends.includes(value('backendtype')))
    fail(draft, `backendtype=${value('backendtype')} is not supported, only phy, tap and qdisk`);
  if (vdev === '') fail(draft, noDevice(path));
  const isEmpty = path === '' || format === 'empty';
  if (isEmpty && !isCdrom) fail(draft, 'it names no target, and only a CD-ROM drive may be empty');
  if (format === 'empty' && path !== '') fail(draft, `format=empty, and a target, ${path}`);
  checkDevice(draft, vdev);
  const { discards, isDirectIoSafe } = draft;
  return {
    ...{ vdev, path: isEmpty ? undefined : path, format: format === 'qcow2' ? format : 'raw' },
    ...{ mode, isCdrom, discards, isDirectIoSafe },
  };
}

const noDevice = (path: string): string =>
  /,\s*vdev=/.test(path)
    ? 'it names no device (vdev), since target= takes all that is behind it; put it last'
    : 'it names no device (vdev), such as xvda';

const unknownFormat = (format: string): string =>
  ['qcow', 'vhd', 'qed'].includes(format)
    ? `format ${format} is not supported, only raw and qcow2`
    : `no format ${format}`;

function checkDevice(draft: Draft, vdev: string): void {
  try {
    deviceNumber(vdev);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    fail(draft, error.message);
  }
}

/**
 * `--disk xvda=disk.img`, and behind it `:ro`, `:cow` or `:rw`. What a file holds does not say its format, since a guest writes into
 * raw ones what it likes; its name does.
 */
export function parseDiskOption(text: string): DiskSpecification {
  const [, vdev, path, mode = 'rw'] = /^([^=]*)=(.*?)(?::(ro|cow|rw))?$/s.exec(text) ?? [];
  if (!vdev || !path)
    throw new UserError(
      `--disk ${text}: expected NAME=FILE, perhaps with :ro or :cow, such as xvda=disk.img`,
    );
  try {
    deviceNumber(vdev);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(`--disk ${text}: ${error.message}`);
  }
  const isMode = (word: string): word is DiskMode => ['ro', 'cow', 'rw'].includes(word);
  return {
    ...{ vdev, path, format: path.endsWith('.qcow2') ? 'qcow2' : 'raw' },
    mode: isMode(mode) ? mode : 'rw',
    ...{ isCdrom: false, discards: undefined, isDirectIoSafe: false },
  };
}

/** The requests of the wire protocol (docs/misc/xenstore.txt): how each is read, done and answered. */
import { type RequestName, XENSTORE_PAYLOAD_MAX, XS } from '../abi/io/xs-wire.ts';
import { XenError } from '../errors.ts';
import {
  makeNode,
  type Request,
  readNode,
  removeNode,
  setPermissions,
  writeValue,
} from './operations.ts';
import { absolute, domainPath } from './path.ts';
import { formatPermission, parsePermission } from './permissions.ts';
import type { Session } from './session.ts';
import type { Store } from './store.ts';
import { fromBytes } from './trace-line.ts';
import {
  addWatch,
  endTransaction,
  findTransaction,
  removeWatch,
  resetSession,
  startTransaction,
  tellFirst,
} from './watches.ts';

/** What only a privileged domain may ask for. */
export interface Administration {
  /** XenError where the domain has no such page or port. */
  introduce(domid: number, port: number): void;
  release(domid: number): void;
  resume(domid: number): void;
  setTarget(domid: number, target: number): void;
}

export interface WireRequest {
  readonly store: Store;
  readonly session: Session;
  readonly administration: Administration;
  readonly type: number;
  readonly transaction: number;
  readonly payload: Uint8Array;
}

export interface WireReply {
  readonly payload: Uint8Array;
  /** What follows the reply. */
  readonly after?: () => void;
}

export const toBytes = (text: string): Uint8Array =>
  Uint8Array.from(text, (character) => character.charCodeAt(0));

const strings = (...texts: readonly string[]): WireReply => ({
  payload: toBytes(texts.map((text) => `${text}\0`).join('')),
});

const done = strings('OK');

const invalid = (): XenError => new XenError('EINVAL', 'xenstore: a malformed request');

/** Each string that has its NUL. */
const terminated = (payload: Uint8Array): string[] => fromBytes(payload).split('\0').slice(0, -1);

function one(payload: Uint8Array): string {
  const texts = fromBytes(payload).split('\0');
  if (texts.length !== 2 || texts[1] !== '') throw invalid();
  return texts[0] ?? '';
}

/** The first strings, at least so many. */
function first(payload: Uint8Array, count: number): string[] {
  const texts = terminated(payload);
  if (texts.length < count) throw invalid();
  return texts.slice(0, count);
}

function exactly(payload: Uint8Array, count: number): string[] {
  if (terminated(payload).length !== count) throw invalid();
  return first(payload, count);
}

/** As C's atoi, whose result is then a domid or an offset. */
const number = (text = ''): number => Number(/^\s*([+-]?\d{1,15})/.exec(text)?.[1] ?? 0) >>> 0;

type Row = (request: WireRequest, nodes: Request) => WireReply;

/** A request about the one node that it names. */
const onNode =
  (body: (request: Request, path: string) => WireReply): Row =>
  ({ payload, session }, request) =>
    body(request, absolute(one(payload), session.domid));

/** A request about the one domain that it names, which is not the first. */
const onDomain =
  (body: (administration: Administration, domid: number) => void): Row =>
  ({ payload, store, administration }) => {
    const domid = number(one(payload));
    if (domid === 0) throw invalid();
    store.domains.introduced(domid);
    body(administration, domid);
    return done;
  };

const domidSelf = 0x7ff0;

const rows: Readonly<Partial<Record<RequestName, Row>>> = {
  DIRECTORY: onNode((request, path) => strings(...readNode(request, path).children)),
  DIRECTORY_PART: ({ payload, session }, request) => {
    const [path = '', offset] = exactly(payload, 2);
    const { children, generation } = readNode(request, absolute(path, session.domid));
    return { payload: part(`${generation}`, strings(...children).payload, number(offset)) };
  },
  READ: onNode((request, path) => ({ payload: readNode(request, path).value })),
  GET_PERMS: onNode((request, path) =>
    strings(...readNode(request, path).permissions.map(formatPermission)),
  ),
  WATCH: ({ store, session, payload }) => {
    const [path = '', token = ''] = exactly(payload, 2);
    const watch = addWatch(store, session, path, token);
    return { ...done, after: () => tellFirst(store, session, watch) };
  },
  UNWATCH: ({ store, session, payload }) => {
    const [path = '', token = ''] = exactly(payload, 2);
    removeWatch(store, session, path, token);
    return done;
  },
  TRANSACTION_START: ({ store, session, transaction }) => {
    if (transaction !== 0) throw new XenError('EBUSY', 'xenstore: transactions do not nest');
    return strings(String(startTransaction(store, session)));
  },
  TRANSACTION_END: ({ session, transaction, payload }) => {
    const answer = one(payload);
    if (answer !== 'T' && answer !== 'F') throw invalid();
    endTransaction(session, transaction, answer === 'T');
    return done;
  },
  INTRODUCE: ({ administration, payload }) => {
    const [domid, , port] = first(payload, 3);
    if ((number(port) | 0) <= 0) throw invalid();
    administration.introduce(number(domid), number(port));
    return done;
  },
  RELEASE: onDomain((administration, domid) => administration.release(domid)),
  GET_DOMAIN_PATH: ({ payload }) => strings(domainPath(number(one(payload)))),
  WRITE: ({ payload, session }, request) => {
    const [path = ''] = first(payload, 1);
    writeValue(request, absolute(path, session.domid), payload.slice(path.length + 1));
    return done;
  },
  MKDIR: onNode((request, path) => {
    makeNode(request, path);
    return done;
  }),
  RM: onNode((request, path) => {
    removeNode(request, path);
    return done;
  }),
  SET_PERMS: ({ payload, session }, request) => {
    const [path = '', ...permissions] = terminated(payload);
    if (permissions.length === 0) throw invalid();
    const count = permissions.length;
    if (!session.isPrivileged && count > request.store.quotas.permissions)
      throw new XenError('ENOSPC', `xenstore: ${count} permissions are too many`);
    setPermissions(request, absolute(path, session.domid), permissions.map(parsePermission));
    return done;
  },
  IS_DOMAIN_INTRODUCED: ({ store, payload }) => {
    const domid = number(one(payload));
    const isThere = domid === domidSelf || store.domains.find(domid)?.isIntroduced === true;
    return strings(isThere ? 'T' : 'F');
  },
  RESUME: onDomain((administration, domid) => administration.resume(domid)),
  SET_TARGET: ({ administration, payload }) => {
    const [domid, target] = first(payload, 2);
    administration.setTarget(number(domid), number(target));
    return done;
  },
  RESET_WATCHES: ({ store, session }) => {
    resetSession(store, session);
    return done;
  },
};

/** The names from an offset on, as many as fit whole, with an empty one behind the last of all. */
function part(generation: string, list: Uint8Array, offset: number): Uint8Array {
  const room = XENSTORE_PAYLOAD_MAX - generation.length - 2;
  let end = offset;
  for (let next = end; next < list.length; ) {
    const nul = list.indexOf(0, next);
    if (nul - offset >= room) break;
    next = nul + 1;
    end = next;
  }
  const isLast = end >= list.length;
  const head = toBytes(`${generation}\0`);
  const names = list.slice(offset, end);
  const reply = new Uint8Array(head.length + names.length + (isLast ? 1 : 0));
  reply.set(head);
  reply.set(names, head.length);
  return reply;
}

const rowOf: ReadonlyMap<string, Row | undefined> = new Map(Object.entries(rows));

const names: ReadonlyMap<number, string> = new Map(
  Object.entries(XS).map(([name, type]) => [type, name]),
);

export const requestName = (type: number): string => names.get(type) ?? `${type}`;

const privileged: ReadonlySet<number> = new Set<number>([
  XS.CONTROL,
  XS.INTRODUCE,
  XS.RELEASE,
  XS.IS_DOMAIN_INTRODUCED,
  XS.RESUME,
  XS.SET_TARGET,
]);

/** The transaction that the header names means nothing to these. */
const outsideTransactions: ReadonlySet<number> = new Set<number>([XS.WATCH, XS.UNWATCH]);

/** XenError where the answer is an error. */
export function answer(request: WireRequest): WireReply {
  const { store, session, type, transaction } = request;
  const name = requestName(type);
  if (privileged.has(type) && !session.isPrivileged)
    throw new XenError('EACCES', `xenstore: ${name} is for privileged domains`);
  const row = rowOf.get(name);
  if (row === undefined) throw new XenError('ENOSYS', `xenstore: there is no ${name} here`);
  const isOutside = transaction === 0 || outsideTransactions.has(type);
  const nodes = isOutside ? store : findTransaction(session, transaction);
  const reply = row(request, { store, session, nodes });
  if (reply.payload.length > XENSTORE_PAYLOAD_MAX)
    throw new XenError('E2BIG', `xenstore: the reply to ${name} would be too long`);
  return reply;
}

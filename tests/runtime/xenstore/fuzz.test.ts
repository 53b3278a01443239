/** Hostile domains: whatever is in the ring and its indices, the store stays whole and the others are served. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { XENSTORE_RECONNECT, XS } from '../../../runtime/abi/io/xs-wire.ts';
import { pageSize } from '../../../runtime/memory/machine-memory.ts';
import type { TraceEvent } from '../../../runtime/trace.ts';
import type { StoreClient } from '../../../runtime/xenstore/client.ts';
import { createDomainNodes } from '../../../runtime/xenstore/domain-nodes.ts';
import { Xenstored } from '../../../runtime/xenstore/xenstored.ts';
import { freshSeed, type Random, random } from '../../support/random.ts';
import { StoreGuest, storeMessage } from '../../support/store-guest.ts';

const fuzz = suite('runtime/xenstore/fuzz');

const seed = Number(process.env['STUBDOM_SEED'] ?? freshSeed());
const rounds = Number(process.env['STUBDOM_FUZZ'] ?? 60_000);

const paths = [
  ...['data', 'data/a', 'data/a/b', 'data/c', 'control/shutdown', 'device', 'error/x/y', 'attr'],
  ...['/local/domain/1/data', '/local/domain/2/data/a', '/tool', '/', '/local', '/secret'],
  ...['@releaseDomain', '', 'é', 'data//a', 'a'.repeat(2048), `data/${'b'.repeat(500)}`],
];
const values = ['', '1', 'T', 'F', '-1', '4294967295', 'token', 'x'.repeat(900)];
const permissions = ['n1', 'n2', 'r1', 'r2', 'b1', 'b2', 'w1', 'b0', 'n7', 'n9', 'x', 'n'];

const likely = ['READ', 'WRITE', 'WRITE', 'WRITE', 'RM', 'MKDIR', 'DIRECTORY'] as const;
const lessLikely = ['SET_PERMS', 'WATCH', 'UNWATCH', 'TRANSACTION_START'] as const;

/** What each request is given, so that some of them go well. */
function strings(type: number, { below }: Random): readonly string[] {
  const one = (of: readonly string[]): string => of[below(of.length)] ?? '';
  const path = below(4) === 0 ? one(paths) : (paths[below(6)] ?? '');
  // A directory that the toolstack has made, a domain can remove but not make again.
  const removed = below(50) === 0 ? path : one(['data/a', 'data/a/b', 'data/c']);
  const watch = [path, one(['t', 'u', values[7] ?? ''])];
  const shapes: Readonly<Record<number, readonly string[]>> = {
    [XS.TRANSACTION_END]: [below(3) === 0 ? 'F' : 'T'],
    [XS.TRANSACTION_START]: [''],
    [XS.RESET_WATCHES]: [''],
    [XS.WATCH]: watch,
    [XS.UNWATCH]: watch,
    [XS.WRITE]: [path, one(values)],
    [XS.RM]: [removed],
    [XS.DIRECTORY_PART]: [path, String(below(20))],
    [XS.SET_PERMS]: [path, ...Array.from({ length: 1 + below(2) }, () => one(permissions))],
  };
  return shapes[type] ?? [path];
}

function somePayload(type: number, numbers: Random): Uint8Array {
  const { below, bytes } = numbers;
  if (below(30) === 0) return bytes(below(300));
  const parts = [...strings(type, numbers)];
  if (below(20) === 0) parts.push(values[below(values.length)] ?? '');
  const isOpen = type === XS.WRITE || below(30) === 0;
  return Uint8Array.from(Buffer.from(parts.join('\0') + (isOpen ? '' : '\0'), 'latin1'));
}

/** Most name a transaction that may be open. */
function someMessage(numbers: Random, latest: number): Uint8Array {
  const { below, u32 } = numbers;
  const names = [...likely, ...(below(2) === 0 ? lessLikely : likely)];
  const any = below(40) === 0 ? u32() : (Object.values(XS)[below(22)] ?? XS.READ);
  const type = below(4) === 0 ? any : XS[names[below(names.length)] ?? 'READ'];
  const isEnd = type === XS.TRANSACTION_END;
  const transaction = isEnd || below(3) === 0 ? Math.max(1, latest - below(4)) : 0;
  const payload = somePayload(type, numbers);
  const message = storeMessage(type, payload, {
    transaction: type === XS.TRANSACTION_START && below(20) > 0 ? 0 : transaction,
    request: u32(),
  });
  if (below(2000) === 0) message.set(numbers.bytes(4), below(13));
  return message;
}

/** A message that does not fit whole would make garbage of all that follow. */
function send(guest: StoreGuest, message: Uint8Array, mayBreak: boolean): void {
  const room = 1024 - ((guest.page.req_prod - guest.page.req_cons) >>> 0);
  if (mayBreak || message.length <= room) guest.put(message);
}

/** What a hostile domain does next. */
function misbehave(guest: StoreGuest, numbers: Random, latest: number): void {
  const { below, u32 } = numbers;
  const index = (['req_cons', 'req_prod', 'rsp_cons', 'rsp_prod'] as const)[below(4)] ?? 'req_prod';
  switch (below(2000)) {
    case 0:
      guest.page[index] = u32();
      break;
    case 1:
      guest.page[index] += below(2100) - 1050;
      break;
    case 2:
      guest.memory.bytes().set(numbers.bytes(64), guest.host + below(2048 - 64));
      break;
    case 3:
      guest.page.connection = below(3) === 0 ? u32() : XENSTORE_RECONNECT;
      break;
    case 4:
      guest.page.server_features = u32();
      guest.page.error = u32();
      break;
    case 5:
      break;
    default:
      send(guest, someMessage(numbers, latest), below(200) === 0);
  }
  // Some leave what they are told lying.
  if (below(3) > 0) guest.page.rsp_cons = guest.page.rsp_prod;
  if (guest.page.error !== 0 && below(4) === 0) guest.page.connection = XENSTORE_RECONNECT;
  guest.port.send();
}

interface Owned {
  nodes: number;
  memory: number;
}

/** Every child that is listed is there; what each domain owns. */
function walk(store: StoreClient, path = '/', owned = new Map<string, Owned>()) {
  const permissions = store.permissions(path);
  const names = store.directory(path);
  assert.is(new Set(names).size, names.length, path);
  const owner = permissions[0]?.slice(1) ?? '';
  const { nodes, memory } = owned.get(owner) ?? { nodes: 0, memory: 0 };
  const described = 24 + 8 * permissions.length + store.readBytes(path).length + path.length;
  const listed = names.reduce((sum, name) => sum + name.length + 1, 0);
  owned.set(owner, { nodes: nodes + 1, memory: memory + described + listed });
  for (const name of names) walk(store, path === '/' ? `/${name}` : `${path}/${name}`, owned);
  return owned;
}

/** Where nothing is under way, a domain is charged for its nodes and no more. */
function checkUsage(xenstored: Xenstored, store: StoreClient, at: string): void {
  const owned = walk(store);
  assert.equal([...owned.keys()].sort().join(''), '012', at);
  for (const domid of [1, 2])
    assert.equal(xenstored.usage(domid), { watches: 0, ...owned.get(String(domid)) }, at);
}

fuzz(`${rounds} acts of hostile domains (STUBDOM_SEED=${seed})`, () => {
  const numbers = random(seed);
  /** The newest transaction of each domain. */
  const latest = new Map<number, number>();
  const trace = ({ text }: TraceEvent): void => {
    const [, domid, id] = /^d(\d) TRANSACTION_START.* = "(\d+)"$/.exec(text) ?? [];
    if (id !== undefined) latest.set(Number(domid), Number(id));
  };
  const xenstored = new Xenstored({ trace });
  const store = xenstored.connect();
  store.write('/secret', 'kept');
  const born = (domid: number): StoreGuest => {
    const guest = StoreGuest.introduce(xenstored, domid);
    const fixed = { name: 'x', memoryKiB: 1, vcpus: 1, kernel: 'k', startTime: 0 };
    createDomainNodes(store, { ...fixed, domid, uuid: `u${domid}` });
    const before = guest.host - pageSize;
    guest.memory.bytes().fill(0xee, before, guest.host);
    guest.memory.bytes().fill(0xee, guest.host + pageSize, guest.host + 2 * pageSize);
    return guest;
  };
  const guests = [born(1), born(2)];
  const honest = StoreGuest.introduce(xenstored, 7);

  for (let round = 0; round < rounds; round++) {
    const which = numbers.below(2);
    const guest = guests[which];
    if (guest === undefined) break;
    misbehave(guest, numbers, latest.get(which + 1) ?? 1);
    if (round % 1000 === 999) {
      const at = `seed ${seed}, round ${round}`;
      assert.is(store.read('/secret'), 'kept', at);
      for (const { page, port } of guests) {
        page.connection = XENSTORE_RECONNECT;
        port.send();
      }
      checkUsage(xenstored, store, at);
      assert.equal(honest.ask('GET_DOMAIN_PATH', '7|'), ['/local/domain/7|'], at);
      assertUntouched(guest, at);
    }
    if (round % 5000 === 4999) {
      xenstored.removeDomain(which + 1);
      checkGone(store, which + 1);
      store.remove(`/vm/u${which + 1}`);
      store.remove(`/libxl/${which + 1}`);
      guests[which] = born(which + 1);
    }
  }
});

function assertUntouched({ memory, host }: StoreGuest, at: string): void {
  for (const start of [host - pageSize, host + pageSize])
    assert.ok(
      memory
        .bytes()
        .subarray(start, start + pageSize)
        .every((byte) => byte === 0xee),
      at,
    );
}

/** Nodes that the toolstack owns stay, and go with their directory. */
function checkGone(store: StoreClient, domid: number): void {
  const owned = (path: string): string[] =>
    store.directory(path).flatMap((name) => {
      const child = path === '/' ? `/${name}` : `${path}/${name}`;
      const isOwned = store.permissions(child)[0]?.slice(1) === String(domid);
      return [...(isOwned ? [child] : []), ...owned(child)];
    });
  assert.equal(owned('/'), []);
  if (store.find(`/local/domain/${domid}`) !== undefined) store.remove(`/local/domain/${domid}`);
}

fuzz.run();

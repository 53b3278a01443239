/** A front-end of ours at the ring of fsif: how it asks for an export, and what it gets when it lies. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  fsif_read_request,
  fsif_request_head,
  fsif_response,
  REQ,
} from '../../../../runtime/abi/io/fsif.ts';
import { sring } from '../../../../runtime/abi/io/ring.ts';
import { MemoryFolder } from '../../../../runtime/backends/folder/memory-folder.ts';
import { FsDevice } from '../../../../runtime/backends/fs/fs-device.ts';
import { systemClock } from '../../../../runtime/domain/clock.ts';
import { XenError } from '../../../../runtime/errors.ts';
import { MachineMemory, pageSize } from '../../../../runtime/memory/machine-memory.ts';
import { Xenstored } from '../../../../runtime/xenstore/xenstored.ts';
import { FakeEventPort } from '../../../support/fake-event-port.ts';
import { FakeGrants } from '../../../support/fake-grants.ts';
import { freshSeed, random } from '../../../support/random.ts';

const test = suite('runtime/backends/fs/fs-device');

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const head = fsif_request_head.layout(64);
const slotSize = fsif_response.size(64);
const { offsets, size: ringHead } = sring.layout(64);
const entries = 64;
const exportsPath = '/local/domain/0/backend/vfs/exports';
const own = '/local/domain/1/device/vfs/0';

type Nodes = Readonly<Record<string, string | number>>;

function machine() {
  const memory = new MachineMemory();
  const grants = new FakeGrants(memory);
  const port = new FakeEventPort();
  const folder = new MemoryFolder(() => 0n);
  const xenstored = new Xenstored();
  for (const domid of [1, 2]) xenstored.addDomain(domid);
  const store = xenstored.connect();
  const device = new FsDevice(store, 1, {
    ...{ memory, granted: grants, clock: { ...systemClock(), monotonic: () => 0n } },
    specification: { name: 'data', folder, isReadOnly: false },
    ports: {
      bind: (number) => {
        if (number === 5) return port;
        throw new XenError('EINVAL', `no port ${number}`);
      },
    },
  });
  const ring = grants.page();
  const guest = xenstored.connect(1);
  const ask = async (nodes: Nodes = {}, path = own): Promise<void> => {
    const all = { 'ring-size': 1, 'ring-ref-0': ring.gref, 'event-channel': 5, state: 'ready' };
    for (const [name, value] of Object.entries({ ...all, ...nodes }))
      guest.write(`${own}/${name}`, value);
    guest.write(`${exportsPath}/requests/1/0/frontend`, path);
    await turn();
  };
  const set = (name: 'req_prod' | 'rsp_event', value: number): void =>
    memory.view().setUint32(ring.host + offsets[name], value, true);
  let produced = 0;
  /** Its answer, as a number. */
  const request = async (type: number, body: Uint8Array): Promise<bigint> => {
    const at = ring.host + ringHead + (produced % entries) * slotSize;
    Object.assign(head.at(memory.bytes(), at), { type, id: 7 });
    memory.bytes().set(body.subarray(0, slotSize - head.size), at + head.size);
    set('rsp_event', produced + 1);
    set('req_prod', ++produced);
    port.send();
    await turn();
    return memory.view().getBigInt64(at + 8, true);
  };
  const state = (): string | undefined => store.find('/local/domain/0/backend/vfs/0/state');
  return {
    ...{ memory, grants, port, folder, store, xenstored, device, ask, request, state, guest, set },
  };
}

/** A page with a text, and the reference of a request for it. */
function named({ grants, memory }: ReturnType<typeof machine>, text: string): Uint8Array {
  const { gref, host } = grants.page();
  memory.bytes().fill(0, host, host + pageSize);
  memory.bytes().set(new TextEncoder().encode(text), host);
  return new Uint8Array(Uint32Array.of(gref).buffer);
}

interface Extent {
  readonly fd?: number;
  readonly len?: bigint;
  readonly offset?: bigint;
  readonly gref?: number;
}

function extent({ fd = 0, len = 0n, offset = 0n, gref = 0 }: Extent): Uint8Array {
  const body = new Uint8Array(fsif_read_request.size(64));
  Object.assign(fsif_read_request.layout(64).at(body, 0), { fd, len, offset, grefs: [gref] });
  return body;
}

test('an export is asked for, used and let go', async () => {
  const guest = machine();
  const { folder, ask, request, state, store, grants, port } = guest;
  assert.is(store.read(`${exportsPath}/0/name`), 'data');
  await ask();
  assert.is(state(), 'ready');
  assert.is(store.read(`${own}/backend`), '/local/domain/0/backend/vfs/0');

  const file = new Uint8Array(12);
  new DataView(file.buffer).setInt32(4, 0o644, true);
  file.set(named(guest, 'file'), 8);
  assert.is(await request(REQ.CREATE, file), 0n);
  const page = grants.page();
  const written = extent({ len: 100n, offset: 5n, gref: page.gref });
  assert.is(await request(REQ.FILE_WRITE, written), 100n);
  assert.is(folder.status(['file']).size, 105n);
  assert.is(await request(REQ.FILE_READ, extent({ len: 4096n, gref: page.gref })), 105n);

  guest.guest.write(`${own}/state`, 'closing');
  await turn();
  assert.is(state(), 'closed');
  assert.is(grants.mapped, 0);
  assert.ok(port.isClosed);
  await guest.device.close();
  assert.equal(store.directory(exportsPath), ['requests']);
});

test('another domain can neither read an export nor ask for it', () => {
  const { xenstored } = machine();
  const other = xenstored.connect(2);
  assert.equal(other.directory(exportsPath), ['requests', '0']);
  assert.throws(() => other.read(`${exportsPath}/0/name`));
  assert.throws(() => other.write(`${exportsPath}/requests/1/0/frontend`, own));
});

test('front-ends that describe what cannot be are told so where errors are', async () => {
  const cases: readonly (readonly [Nodes, string, RegExp])[] = [
    [{ state: 'init' }, own, /expected ready/],
    [{ 'ring-size': 17 }, own, /ring-size: expected 0 to 16/],
    [{ 'ring-size': 0 }, own, /none/],
    [{ 'ring-ref-0': 9999 }, own, /no grant/],
    [{ 'event-channel': 6 }, own, /no port/],
    [{}, '/local/domain/2/device/vfs/0', /no front-end of d1/],
    [{}, '/local/domain/12/device', /no front-end of d1/],
  ];
  for (const [nodes, path, reason] of cases) {
    const { ask, state, store, grants } = machine();

    await ask(nodes, path);

    assert.is.not(state(), 'ready');
    assert.match(store.read('/local/domain/0/error/backend/vfs/0/error'), reason);
    assert.is(grants.mapped, 0);
  }
});

test('requests for what is not there fail alone', async () => {
  const guest = machine();
  const { ask, request } = guest;
  await ask();
  const errors = { EBADF: -9n, ENOENT: -2n, EINVAL: -22n, EOPNOTSUPP: -95n, EISDIR: -21n };

  assert.is(await request(99, new Uint8Array(40)), errors.EOPNOTSUPP);
  assert.is(await request(REQ.FILE_OPEN, named(guest, 'none')), errors.ENOENT);
  assert.is(await request(REQ.FILE_OPEN, new Uint8Array(4)), errors.EINVAL);
  assert.is(await request(REQ.FILE_READ, extent({ fd: 0xffff_ffff })), errors.EBADF);
  assert.is(await request(REQ.FILE_OPEN, named(guest, '/')), 0n);
  assert.is(await request(REQ.FILE_READ, extent({ len: 1n })), errors.EISDIR);
  assert.is(await request(REQ.FILE_READ, extent({ len: 2n ** 40n })), errors.EINVAL);
  assert.is(await request(REQ.FILE_WRITE, extent({ offset: 2n ** 63n })), errors.EINVAL);
  guest.guest.write(`${own}/state`, 'closing');
  await turn();
  assert.is(guest.grants.mapped, 0);
});

test('a front-end that counts too far is not looked at any more', async () => {
  const { ask, port, set, state } = machine();
  await ask();

  set('req_prod', 1000);
  port.send();
  await turn();

  assert.is(state(), 'closing');
});

test('random requests end in answers', async () => {
  const seed = freshSeed();
  const { bytes, below } = random(seed);
  const guest = machine();
  await guest.ask();
  for (let n = 0; n < 500; n++) {
    const body = bytes(48);
    if (below(2) === 0) body.set(named(guest, 'x/../y'), 4 * below(3));

    await guest.request(below(15), body);
  }

  assert.is(guest.state(), 'ready', `seed ${seed}`);
  await guest.device.close();
  assert.is(guest.grants.mapped, 0);
});

test.run();

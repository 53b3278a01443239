/** A domain's ring: messages in pieces, around its end, more than fit, and by the rules that a domain may break. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { XENSTORE_ERROR, XENSTORE_RECONNECT, XS } from '../../../runtime/abi/io/xs-wire.ts';
import type { TraceEvent } from '../../../runtime/trace.ts';
import { Xenstored } from '../../../runtime/xenstore/xenstored.ts';
import { latin1, StoreGuest, storeMessage } from '../../support/store-guest.ts';

const ring = suite('runtime/xenstore/ring-session');

function machine(trace?: (event: TraceEvent) => void) {
  const xenstored = new Xenstored({ trace });
  const guest = StoreGuest.introduce(xenstored, 1);
  const tools = xenstored.connect();
  tools.makeDirectory('/local/domain/1');
  tools.setPermissions('/local/domain/1', ['n1']);
  return { xenstored, guest, tools };
}

const read = (path: string, request = 7): Uint8Array =>
  storeMessage(XS.READ, latin1(`${path}\0`), { request });

ring('a message that comes byte by byte is answered when it is whole', () => {
  const { guest } = machine();
  const bytes = read('/tool');

  for (const byte of bytes.subarray(0, -1)) guest.put(Uint8Array.of(byte));
  assert.equal(guest.take(), []);
  guest.put(bytes.subarray(-1));

  assert.equal(guest.take(), [{ type: 'ERROR', request: 7, transaction: 0, payload: 'EACCES\0' }]);
});

ring('messages lie around the end of the ring, and indices around 2^32', () => {
  const { guest, tools } = machine();
  tools.write('/local/domain/1/name', 'guest');
  guest.page.req_cons = 0xffff_fff0;
  guest.page.req_prod = 0xffff_fff0;
  guest.page.rsp_cons = 0xffff_fffd;
  guest.page.rsp_prod = 0xffff_fffd;

  guest.put(read('name'));

  assert.is(guest.page.req_prod, 5);
  assert.equal(
    guest.take().map(({ payload }) => payload),
    ['guest'],
  );
});

ring('several requests at once are answered in their order', () => {
  const { guest, tools } = machine();
  tools.write('/local/domain/1/name', 'guest');

  guest.put(Uint8Array.from([1, 2, 3].flatMap((id) => [...read('name', id)])));

  assert.equal(
    guest.take().map(({ request }) => request),
    [1, 2, 3],
  );
  assert.ok(guest.port.notified > 0);
});

ring('a reply larger than the ring comes in pieces', () => {
  const { guest, tools } = machine();
  const value = 'x'.repeat(4000);
  tools.write('/local/domain/1/long', value);

  guest.put(read('long'));

  assert.is(guest.page.rsp_prod - guest.page.rsp_cons, 1024);
  assert.equal(
    guest.take().map(({ payload }) => payload),
    [value],
  );
});

ring('who does not take replies is not served, until it does', () => {
  const { guest, tools } = machine();
  tools.write('/local/domain/1/long', 'x'.repeat(2000));
  const request = read('long');

  let sent = 0;
  while (guest.put(request) === request.length) sent++;

  assert.is(guest.page.req_prod - guest.page.req_cons > 900, true);
  assert.ok(sent < 70, `${sent}`);
  const replies = guest.take().length;
  assert.is(replies, sent);
});

ring('the same event waits once, another one is queued', () => {
  const { guest, tools } = machine();
  guest.ask('WATCH', 'a|t|');
  tools.write('/local/domain/1/fill', 'x'.repeat(2000));
  guest.put(read('fill'));

  for (let i = 0; i < 100; i++) tools.write('/local/domain/1/a', i);
  tools.write('/local/domain/1/a/b', 1);

  assert.equal(
    guest
      .take()
      .slice(1)
      .map(({ payload }) => payload),
    ['a\0t\0', 'a/b\0t\0'],
  );
});

ring('a message that is too long ends the connection, and reconnecting begins it anew', () => {
  const { guest, tools } = machine();
  guest.ask('WATCH', 'a|t|');
  const [id] = guest.ask('TRANSACTION_START', '|');
  assert.is(id, '1|');
  guest.put(storeMessage(XS.READ, new Uint8Array(4097)).subarray(0, 16));

  assert.is(guest.page.error, XENSTORE_ERROR.PROTO);
  guest.put(read('a'));
  tools.write('/local/domain/1/a', 1);
  assert.equal(guest.take(), []);

  guest.page.connection = XENSTORE_RECONNECT;
  guest.port.send();
  assert.equal([guest.page.connection, guest.page.error, guest.page.req_prod], [0, 0, 0]);
  tools.write('/local/domain/1/a', 2);
  assert.equal(guest.ask('READ', 'a|'), ['2']);
  assert.equal(guest.ask('TRANSACTION_END', 'F|', 1), ['ERROR ENOENT|']);
});

ring('indices that are too far apart end it', () => {
  for (const [name, value] of [
    ['req_prod', 1025],
    ['rsp_cons', 1],
  ] as const) {
    const { guest } = machine();
    guest.put(read('a').subarray(0, 10));
    guest.page[name] = value + (name === 'req_prod' ? 10 : 0);
    guest.put(read('a').subarray(10));
    guest.port.send();

    assert.is(guest.page.error, XENSTORE_ERROR.RINGIDX, name);
  }
});

ring('reconnecting drops half a message and what waits to be taken', () => {
  const { guest, tools } = machine();
  tools.write('/local/domain/1/long', 'x'.repeat(2000));
  guest.put(read('long'));
  guest.put(read('long').subarray(0, 20));

  guest.page.connection = XENSTORE_RECONNECT;
  guest.port.send();

  assert.equal([guest.page.req_prod, guest.page.rsp_prod, guest.page.connection], [0, 0, 0]);
  assert.equal(guest.ask('GET_DOMAIN_PATH', '1|'), ['/local/domain/1|']);
  assert.is(guest.page.server_features, 3);
});

ring('a value that cannot be told for its length is E2BIG only as a list', () => {
  const { guest, tools } = machine();
  tools.write('/local/domain/1/whole', 'x'.repeat(4096));
  tools.write('/local/domain/1/more', 'x'.repeat(4097));

  assert.is(guest.ask('READ', 'whole|')[0]?.length, 4096);
  assert.equal(guest.ask('READ', 'more|'), ['ERROR E2BIG|']);
});

ring('a domain whose port is bound anew begins anew', () => {
  const { xenstored, guest } = machine();
  const { port } = guest;
  guest.ask('WATCH', 'a|t|');
  const other = new StoreGuest();

  xenstored.serve(1, other.ring);

  assert.ok(port.isClosed);
  assert.equal(other.ask('WATCH', 'a|t|').length, 2);
});

ring('what it says is traced, a line each', () => {
  const lines: string[] = [];
  const { guest } = machine(({ text }) => lines.push(text));
  lines.length = 0;

  guest.ask('WATCH', 'a|t|');
  guest.ask('WRITE', 'a|x|y');
  guest.ask('TRANSACTION_START', '|');
  guest.ask('READ', 'b|', 1);
  guest.putAll(storeMessage(99, new Uint8Array()));

  assert.equal(lines, [
    'd1 WATCH("a", "t") = "OK"',
    'd1 WATCH_EVENT("a", "t")',
    'd1 WRITE("a", "x", "y") = "OK"',
    'd1 WATCH_EVENT("a", "t")',
    'd1 TRANSACTION_START("") = "1"',
    'd1 READ[1]("b") = ENOENT',
    'd1 99("") = ENOSYS',
  ]);
});

ring.run();

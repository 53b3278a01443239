/** Messages of a domain whose kernel is in here. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { XENSTORE_PAYLOAD_MAX, XS } from '../../../runtime/abi/io/xs-wire.ts';
import { Xenstored } from '../../../runtime/xenstore/xenstored.ts';

const messages = suite('runtime/xenstore/message-session');

const bytes = (...texts: readonly string[]): Uint8Array =>
  new TextEncoder().encode(texts.map((text) => `${text}\0`).join(''));
const text = (payload: Uint8Array | undefined): string | undefined =>
  payload && new TextDecoder().decode(payload);

function guest() {
  const daemon = new Xenstored();
  daemon.addDomain(1);
  daemon.serve(1);
  const tools = daemon.connect();
  tools.makeDirectory('/local/domain/1/data');
  tools.setPermissions('/local/domain/1/data', ['n1']);
  let changes = 0;
  const session = daemon.converse(1, () => {
    changes++;
  });
  return { daemon, tools, session, changes: () => changes };
}

messages('a request is answered as through a ring, with the rights of its domain', () => {
  const { session, tools } = guest();

  const written = session.request(XS.WRITE, 0, Uint8Array.of(...bytes('data/a'), 0x31));
  const refused = session.request(XS.WRITE, 0, bytes('/local/domain/0/x'));

  assert.is(text(written.payload), 'OK\0');
  assert.equal([refused.type, text(refused.payload)], [XS.ERROR, 'EACCES\0']);
  assert.is(tools.read('/local/domain/1/data/a'), '1');
});

messages('what is too long, or no request, is an error', () => {
  const { session } = guest();

  const long = session.request(XS.WRITE, 0, new Uint8Array(XENSTORE_PAYLOAD_MAX + 1));
  const unknown = session.request(77, 0, new Uint8Array());

  assert.equal([text(long.payload), text(unknown.payload)], ['E2BIG\0', 'ENOSYS\0']);
});

messages('events wait to be taken, each once, and their domain pays for them', () => {
  const { session, tools, daemon, changes } = guest();
  session.request(XS.WATCH, 0, bytes('data', 'token'));
  const first = text(session.takeEvent());
  const before = daemon.usage(1).memory;

  tools.write('/local/domain/1/data/b', 1);
  tools.write('/local/domain/1/data/b', 2);
  const held = daemon.usage(1).memory;
  const events = [text(session.takeEvent()), text(session.takeEvent())];

  assert.is(first, 'data\0token\0');
  assert.equal(events, ['data/b\0token\0', undefined]);
  assert.ok(changes() > 0);
  assert.ok(held > before);
});

messages('nobody who is not there converses', () => {
  assert.throws(() => new Xenstored().converse(5, () => {}), /no domain 5/);
});

messages.run();

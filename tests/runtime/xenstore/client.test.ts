/** The store for parts of this program. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { TraceEvent } from '../../../runtime/trace.ts';
import { Xenstored } from '../../../runtime/xenstore/xenstored.ts';
import { errnoOf } from '../../support/errno-of.ts';

const client = suite('runtime/xenstore/client');

client('what is written is read, and missing parents are made', () => {
  const store = new Xenstored().connect();

  store.write('/local/domain/1/memory/target', 32768);

  assert.is(store.read('/local/domain/1/memory/target'), '32768');
  assert.is(store.read('/local/domain/1'), '');
  assert.equal(store.directory('/'), ['tool', 'local']);
  assert.equal(store.directory('/local/domain/1'), ['memory']);
  assert.is(store.find('/local/domain/2'), undefined);
  assert.is(
    errnoOf(() => store.read('/local/domain/2')),
    'ENOENT',
  );
});

client('a value is any bytes, and text is UTF-8', () => {
  const store = new Xenstored().connect();
  const bytes = Uint8Array.of(0, 255, 128);

  store.write('/a', bytes);
  bytes.fill(1);
  store.write('/b', 'é');

  assert.equal(store.readBytes('/a'), Uint8Array.of(0, 255, 128));
  assert.equal(store.readBytes('/b'), Uint8Array.of(0xc3, 0xa9));
  assert.is(store.read('/b'), 'é');
});

client('removing takes all below with it', () => {
  const store = new Xenstored().connect();
  store.write('/a/b/c', 1);
  store.write('/a/d', 2);

  store.remove('/a/b');

  assert.equal(store.directory('/a'), ['d']);
  assert.is(store.find('/a/b/c'), undefined);
  store.remove('/a/b');
  assert.is(
    errnoOf(() => store.remove('/a/b/c')),
    'ENOENT',
  );
  assert.is(
    errnoOf(() => store.remove('/')),
    'EINVAL',
  );
});

client('permissions are inherited and changed', () => {
  const xenstored = new Xenstored();
  xenstored.addDomain(5);
  const store = xenstored.connect();
  store.makeDirectory('/a');

  store.setPermissions('/a', ['n5', 'r0']);
  store.write('/a/b', '');

  assert.equal(store.permissions('/a/b'), ['n5', 'r0']);
  assert.is(
    errnoOf(() => store.setPermissions('/a', ['n6'])),
    'ENOENT',
  );
  assert.is(
    errnoOf(() => store.setPermissions('/a', ['x5'])),
    'EINVAL',
  );
});

client('a watch is told at once, of every change below, and of none once it is ended', () => {
  const store = new Xenstored().connect();
  const told: string[] = [];
  store.write('/a/b', '');

  const stop = store.watch('/a', (path) => told.push(path));
  store.write('/a/b', 'x');
  store.write('/ab', 'x');
  store.write('/a/c/d', 'x');
  store.remove('/a');
  stop();
  store.write('/a', 'x');

  assert.equal(told, ['/a', '/a/b', '/a/c/d', '/a']);
});

client('who hears of a change may change the store in turn, after the change is done', () => {
  const store = new Xenstored().connect();
  const order: string[] = [];
  store.watch('/a', () => {
    const value = store.find('/a');
    order.push(`a is ${value}`);
    if (value === '1') store.write('/b', 1);
    if (value === '1') order.push('a is handled');
  });
  store.watch('/b', () => order.push(`b is ${store.find('/b')}`));
  order.length = 0;

  store.write('/a', 1);

  assert.equal(order, ['a is 1', 'a is handled', 'b is 1']);
});

client('changes can be awaited, and those that nobody has taken yet are one', async () => {
  const store = new Xenstored().connect();
  const seen: string[] = [];
  const changes = store.changes('/a');

  seen.push((await changes.next()).value);
  store.write('/a/b', 1);
  store.write('/a/b', 2);
  store.write('/a/c', 3);
  for await (const path of changes) {
    seen.push(path);
    if (path === '/a/c') break;
  }

  assert.equal(seen, ['/a', '/a/b', '/a/c']);
});

client('a transaction is seen when it is committed, with its events, and not before', () => {
  const store = new Xenstored().connect();
  const told: string[] = [];
  store.watch('/a', (path) => told.push(path));

  const transaction = store.begin();
  transaction.write('/a/b', 1);
  transaction.write('/a/c', 2);
  assert.is(transaction.read('/a/b'), '1');
  assert.is(store.find('/a'), undefined);
  transaction.commit();

  assert.is(store.read('/a/b'), '1');
  assert.equal(told, ['/a', '/a/b', '/a/c']);
});

client('a transaction that comes too late does not happen', () => {
  const store = new Xenstored().connect();
  store.write('/a', 1);

  const late = store.begin();
  late.write('/b', late.read('/a'));
  store.write('/a', 2);

  assert.is(
    errnoOf(() => late.commit()),
    'EAGAIN',
  );
  assert.is(store.find('/b'), undefined);
  assert.is(
    errnoOf(() => late.read('/a')),
    'ENOENT',
  );
});

client('a transaction as a function is tried until nothing interferes', () => {
  const store = new Xenstored().connect();
  let attempts = 0;
  store.write('/count', 1);

  const result = store.transaction((t) => {
    const count = Number(t.read('/count'));
    if (++attempts < 3) store.write('/count', count + 10);
    t.write('/count', count + 1);
    return count;
  });

  assert.equal([attempts, result, store.read('/count')], [3, 21, '22']);
});

client('one that throws is undone', () => {
  const store = new Xenstored().connect();

  assert.throws(
    () =>
      store.transaction((t) => {
        t.write('/a', 1);
        throw new Error('no');
      }),
    'no',
  );

  assert.is(store.find('/a'), undefined);
});

client('a client of a domain has its rights and its relative paths', () => {
  const xenstored = new Xenstored();
  xenstored.addDomain(3);
  const tools = xenstored.connect();
  tools.makeDirectory('/local/domain/3/data');
  tools.setPermissions('/local/domain/3', ['n0', 'r3']);
  tools.setPermissions('/local/domain/3/data', ['n3']);
  const told: string[] = [];

  const guest = xenstored.connect(3);
  guest.watch('data', (path) => told.push(path));
  guest.write('data/x', 'y');

  assert.is(tools.read('/local/domain/3/data/x'), 'y');
  assert.equal(told, ['data', 'data/x']);
  assert.is(
    errnoOf(() => guest.write('name', 'mine')),
    'EACCES',
  );
  assert.is(
    errnoOf(() => guest.read('/local/domain/4')),
    'EACCES',
  );
});

client('a client that is closed hears nothing more', () => {
  const xenstored = new Xenstored();
  const store = xenstored.connect();
  const told: string[] = [];
  store.watch('/a', (path) => told.push(path));

  store.close();
  xenstored.connect().write('/a', 1);

  assert.equal(told, ['/a']);
});

client('each request and event is a line for whoever traces', () => {
  const lines: string[] = [];
  const trace = ({ text }: TraceEvent): unknown => lines.push(text);
  const store = new Xenstored({ trace }).connect();

  store.watch('/a', () => {});
  const transaction = store.begin();
  transaction.write('/a', 'x"\n\\');
  transaction.abort();
  assert.is(store.find('/a'), undefined);
  store.directory('/');

  assert.equal(lines, [
    'd0 WATCH("/a", "1") = OK',
    'd0 WATCH_EVENT("/a", "1")',
    'd0 TRANSACTION_START() = 1',
    'd0 WRITE[1]("/a", "x\\"\\n\\\\") = OK',
    'd0 TRANSACTION_END[1]("F") = OK',
    'd0 READ("/a") = ENOENT',
    'd0 DIRECTORY("/") = "tool"',
  ]);
});

client.run();

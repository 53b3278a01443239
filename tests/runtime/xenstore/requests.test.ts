/** Every request of the wire protocol, as a domain asks it: replies, errors, and the order of events. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Xenstored } from '../../../runtime/xenstore/xenstored.ts';
import { StoreGuest } from '../../support/store-guest.ts';

const requests = suite('runtime/xenstore/requests');

/** Domain 1, with the directory that a toolstack gives it, which it may write. */
function machine(quotas = {}) {
  const xenstored = new Xenstored({ quotas });
  const guest = StoreGuest.introduce(xenstored, 1);
  const tools = xenstored.connect();
  tools.makeDirectory('/local/domain/1');
  tools.setPermissions('/local/domain/1', ['n1']);
  const ask = guest.ask.bind(guest);
  return { xenstored, guest, tools, ask };
}

requests('READ, WRITE, MKDIR, DIRECTORY and RM', () => {
  const { ask } = machine();

  assert.equal(ask('WRITE', 'a/b|value'), ['OK|']);
  assert.equal(ask('WRITE', 'a/b|with|nul'), ['OK|']);
  assert.equal(ask('READ', 'a/b|'), ['with|nul']);
  assert.equal(ask('READ', '/local/domain/1/a|'), ['']);
  assert.equal(ask('MKDIR', 'a/c/d|'), ['OK|']);
  assert.equal(ask('MKDIR', 'a/b|'), ['OK|']);
  assert.equal(ask('READ', 'a/b|'), ['with|nul']);
  assert.equal(ask('DIRECTORY', 'a|'), ['b|c|']);
  assert.equal(ask('DIRECTORY', 'a/c/d|'), ['']);
  assert.equal(ask('RM', 'a|'), ['OK|']);
  assert.equal(ask('RM', 'a|'), ['OK|']);
  assert.equal(ask('READ', 'a/b|'), ['ERROR ENOENT|']);
  assert.equal(ask('RM', 'a/b|'), ['ERROR ENOENT|']);
});

requests('what is not well-formed is EINVAL', () => {
  const { ask } = machine();
  const bad = [
    ...(['READ', 'DIRECTORY', 'MKDIR', 'RM', 'GET_PERMS'] as const).flatMap((name) =>
      ['', 'a', 'a|b|', 'a|b', 'a b|', 'a//b|', '/|/|', 'a/|'].map((p) => [name, p] as const),
    ),
    ['WRITE', ''],
    ['WRITE', 'a'],
    ['WRITE', 'a.b|x'],
    ['WRITE', '@releaseDomain|x'],
    ['SET_PERMS', 'a|'],
    ['SET_PERMS', 'a|n1'],
    ['SET_PERMS', 'a|x1|'],
    ['SET_PERMS', '@other|n1|'],
    ['DIRECTORY_PART', 'a|'],
    ['DIRECTORY_PART', 'a|0|0|'],
    ['WATCH', 'a|'],
    ['WATCH', 'a|t|1|'],
    ['WATCH', '/a/|t|'],
    ['UNWATCH', 'a|'],
    ['TRANSACTION_END', ''],
    ['TRANSACTION_END', 'X|'],
    ['GET_DOMAIN_PATH', '1'],
  ] as const;

  for (const [name, payload] of bad)
    assert.equal(ask(name, payload), ['ERROR EINVAL|'], `${name} ${payload}`);
});

requests(
  'a domain may do nothing where it has no right, and learns nothing of what is there',
  () => {
    const { ask, tools } = machine();
    tools.write('/secret/key', 'x');
    tools.write('/open', 'x');
    tools.setPermissions('/open', ['r0']);

    for (const path of ['/secret', '/secret/key', '/secret/none', '/none', '/local/domain/2/a'])
      for (const name of ['READ', 'DIRECTORY', 'GET_PERMS', 'RM', 'MKDIR'] as const)
        assert.equal(ask(name, `${path}|`), ['ERROR EACCES|'], `${name} ${path}`);
    assert.equal(ask('WRITE', '/secret/key|y'), ['ERROR EACCES|']);
    assert.equal(ask('READ', '/open|'), ['x']);
    assert.equal(ask('READ', '/open/none|'), ['ERROR ENOENT|']);
    assert.equal(ask('WRITE', '/open|y'), ['ERROR EACCES|']);
    assert.equal(ask('SET_PERMS', '/open|b1|'), ['ERROR EACCES|']);
  },
);

requests(
  'permissions are told and set; only the owner sets them, and does not give a node away',
  () => {
    const { ask, xenstored, tools } = machine();
    xenstored.addDomain(2);
    ask('WRITE', 'a|x');

    assert.equal(ask('GET_PERMS', 'a|'), ['n1|']);
    assert.equal(ask('SET_PERMS', 'a|n1|r2|'), ['OK|']);
    assert.equal(ask('GET_PERMS', 'a|'), ['n1|r2|']);
    assert.is(xenstored.connect(2).read('/local/domain/1/a'), 'x');
    assert.equal(ask('SET_PERMS', 'a|n2|'), ['ERROR EPERM|']);
    assert.equal(ask('SET_PERMS', 'a|n9|'), ['ERROR ENOENT|']);
    assert.equal(ask('SET_PERMS', 'a|n1|r2|r3|r4|r5|r6|'), ['ERROR ENOSPC|']);
    tools.write('/given', '');
    tools.setPermissions('/given', ['b0']);
    assert.equal(ask('SET_PERMS', '/given|b0|b1|'), ['ERROR EACCES|']);
    assert.equal(ask('SET_PERMS', '@releaseDomain|b1|'), ['ERROR EACCES|']);
  },
);

requests('what a domain makes it owns', () => {
  const { ask, tools } = machine();
  tools.makeDirectory('/shared');
  tools.setPermissions('/shared', ['n0', 'b1']);

  assert.equal(ask('WRITE', '/shared/mine/x|1'), ['OK|']);

  assert.equal(tools.permissions('/shared/mine'), ['n1', 'b1']);
});

requests('a watch is told at once and at each change, by the path that was asked for', () => {
  const { ask, guest, tools } = machine();

  assert.equal(ask('WATCH', 'a|tok/en|'), ['OK|', 'WATCH_EVENT a|tok/en|']);
  assert.equal(ask('WATCH', '/local/domain/1|abs|'), ['OK|', 'WATCH_EVENT /local/domain/1|abs|']);
  assert.equal(ask('WRITE', 'a/b|1'), [
    'WATCH_EVENT a/b|tok/en|',
    'WATCH_EVENT /local/domain/1/a/b|abs|',
    'OK|',
  ]);
  tools.write('/local/domain/1/a', 1);
  assert.is(guest.take().length, 2);
  assert.equal(ask('RM', 'a|'), [
    'WATCH_EVENT a|tok/en|',
    'WATCH_EVENT /local/domain/1/a|abs|',
    'OK|',
  ]);
  assert.equal(ask('WATCH', 'a|tok/en|'), ['ERROR EEXIST|']);
  assert.equal(ask('UNWATCH', 'a|tok/en|'), ['OK|']);
  assert.equal(ask('UNWATCH', 'a|tok/en|'), ['ERROR ENOENT|']);
  assert.equal(ask('MKDIR', 'a|'), ['WATCH_EVENT /local/domain/1/a|abs|', 'OK|']);
  assert.equal(ask('RESET_WATCHES', '|'), ['OK|']);
  assert.equal(ask('WRITE', 'a|'), ['OK|']);
});

requests('a watch below what is removed is told by its own path', () => {
  const { ask } = machine();
  ask('WRITE', 'a/b/c|1');
  ask('WATCH', 'a/b|t|');
  ask('WATCH', 'a/b/c/d|u|');

  assert.equal(ask('RM', 'a|'), ['WATCH_EVENT a/b|t|', 'OK|']);
});

requests('a domain hears of nothing that it may not read', () => {
  const { ask, guest, tools } = machine();
  ask('WATCH', '/secret|t|');
  ask('WATCH', '@releaseDomain|t|');

  tools.write('/secret', 1);

  assert.equal(guest.take(), []);
});

requests('a domain that may no longer read hears of that', () => {
  const { ask, guest, tools } = machine();
  tools.write('/a', 1);
  tools.setPermissions('/a', ['r0']);
  ask('WATCH', '/a|t|');

  tools.setPermissions('/a', ['n0']);
  assert.equal(
    guest.take().map(({ payload }) => payload),
    ['/a\0t\0'],
  );
  tools.write('/a', 2);

  assert.equal(guest.take(), []);
});

requests('transactions: numbers, commit, abort, conflict', () => {
  const { ask, tools } = machine();

  assert.equal(ask('TRANSACTION_START', '|'), ['1|']);
  assert.equal(ask('TRANSACTION_START', '|'), ['2|']);
  assert.equal(ask('TRANSACTION_START', '|', 1), ['ERROR EBUSY|']);
  assert.equal(ask('WRITE', 'a|1', 1), ['OK|']);
  assert.equal(ask('READ', 'a|', 1), ['1']);
  assert.equal(ask('READ', 'a|', 2), ['ERROR ENOENT|']);
  assert.equal(ask('READ', 'a|'), ['ERROR ENOENT|']);
  assert.equal(ask('TRANSACTION_END', 'T|', 1), ['OK|']);
  assert.equal(ask('READ', 'a|'), ['1']);
  assert.equal(ask('WRITE', 'b|1', 2), ['OK|']);
  assert.equal(ask('TRANSACTION_END', 'T|', 2), ['ERROR EAGAIN|']);
  assert.equal(ask('READ', 'b|'), ['ERROR ENOENT|']);
  assert.equal(ask('READ', 'a|', 2), ['ERROR ENOENT|']);
  assert.equal(ask('TRANSACTION_END', 'T|'), ['ERROR ENOENT|']);
  assert.equal(ask('TRANSACTION_START', '|'), ['3|']);
  ask('RM', 'a|', 3);
  assert.equal(ask('TRANSACTION_END', 'F|', 3), ['OK|']);
  assert.is(tools.read('/local/domain/1/a'), '1');
});

requests('the events of a transaction come when it ends, in the order of what it met', () => {
  const { ask } = machine();
  ask('WRITE', 'a/b|');
  ask('WATCH', 'a|t|');
  const [id = ''] = ask('TRANSACTION_START', '|');
  const transaction = Number(id.slice(0, -1));

  assert.equal(ask('WRITE', 'a/c|1', transaction), ['OK|']);
  assert.equal(ask('RM', 'a/b|', transaction), ['OK|']);

  assert.equal(ask('TRANSACTION_END', 'T|', transaction), [
    'WATCH_EVENT a/c|t|',
    'WATCH_EVENT a/b|t|',
    'OK|',
  ]);
});

requests('a list that is too long comes in parts', () => {
  const { ask, tools } = machine();
  const names = Array.from({ length: 1000 }, (_, i) => `child-${i}`);
  for (const name of names) tools.write(`/local/domain/1/many/${name}`, '');

  assert.equal(ask('DIRECTORY', 'many|'), ['ERROR E2BIG|']);
  let list = '';
  const generations = new Set<string>();
  for (let isDone = false; !isDone; ) {
    const [reply = ''] = ask('DIRECTORY_PART', `many|${list.length}|`);
    const [generation = '', ...rest] = reply.split('|');
    generations.add(generation);
    isDone = rest.at(-2) === '';
    list += rest.slice(0, isDone ? -2 : -1).join('|') + (isDone ? '' : '|');
  }

  assert.equal(
    list.split('|').filter((name) => name !== ''),
    names,
  );
  assert.is(generations.size, 1);
  assert.match(ask('DIRECTORY_PART', 'many|99999|')[0] ?? '', /^\d+\|\|$/);
  assert.match(ask('DIRECTORY_PART', 'many/child-1|0|')[0] ?? '', /^\d+\|\|$/);
});

requests('what is for privileged domains only is refused, and what nobody knows', () => {
  const { ask } = machine();

  for (const name of ['CONTROL', 'INTRODUCE', 'RELEASE', 'RESUME', 'SET_TARGET'] as const)
    assert.equal(ask(name, '1|1|1|'), ['ERROR EACCES|'], name);
  assert.equal(ask('IS_DOMAIN_INTRODUCED', '1|'), ['ERROR EACCES|']);
  assert.equal(ask('WATCH_EVENT', 'a|b|'), ['ERROR ENOSYS|']);
  assert.equal(ask('ERROR', 'EINVAL|'), ['ENOSYS|']);
  assert.equal(ask('READ', 'domid|', 99), ['ERROR ENOENT|']);
  assert.equal(ask('GET_DOMAIN_PATH', '0017|'), ['/local/domain/17|']);
});

requests('a privileged domain introduces others, ends them, and gives them targets', () => {
  const other = new StoreGuest();
  const xenstored = new Xenstored({ findRing: () => other.ring });
  const dom0 = new StoreGuest();
  xenstored.serve(0, dom0.ring);
  xenstored.addDomain(5);
  const ask = dom0.ask.bind(dom0);
  assert.equal(ask('WATCH', '@introduceDomain|t|').length, 2);
  assert.equal(ask('WATCH', '@releaseDomain|t|').length, 2);

  assert.equal(ask('IS_DOMAIN_INTRODUCED', '5|'), ['F|']);
  assert.equal(ask('INTRODUCE', '5|0|'), ['ERROR EINVAL|']);
  assert.equal(ask('INTRODUCE', '5|0|0|'), ['ERROR EINVAL|']);
  assert.equal(ask('INTRODUCE', '6|0|1|'), ['ERROR ENOENT|']);
  assert.equal(ask('INTRODUCE', '5|0|1|'), ['WATCH_EVENT @introduceDomain|t|', 'OK|']);
  assert.equal(ask('IS_DOMAIN_INTRODUCED', '5|'), ['T|']);
  assert.equal(ask('IS_DOMAIN_INTRODUCED', '32752|'), ['T|']);
  assert.equal(other.ask('GET_DOMAIN_PATH', '5|'), ['/local/domain/5|']);
  ask('WRITE', '/local/domain/0/x|1');
  assert.equal(other.ask('READ', '/local/domain/0/x|'), ['ERROR EACCES|']);
  assert.equal(ask('SET_TARGET', '5|0|'), ['OK|']);
  assert.equal(other.ask('READ', '/local/domain/0/x|'), ['1']);
  assert.equal(ask('SET_TARGET', '5|7|'), ['ERROR ENOENT|']);
  assert.equal(ask('RESUME', '5|'), ['OK|']);
  assert.equal(ask('RESUME', '0|'), ['ERROR EINVAL|']);
  assert.equal(ask('RELEASE', '5|'), ['WATCH_EVENT @releaseDomain|t|', 'OK|']);
  assert.equal(ask('RELEASE', '5|'), ['ERROR ENOENT|']);
  assert.equal(ask('CONTROL', 'check|'), ['ERROR ENOSYS|']);
});

requests.run();

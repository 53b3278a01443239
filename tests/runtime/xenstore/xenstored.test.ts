/** Domains come and go, and use no more of the store than they may. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Xenstored } from '../../../runtime/xenstore/xenstored.ts';
import { errnoOf } from '../../support/errno-of.ts';
import { StoreGuest } from '../../support/store-guest.ts';

const daemon = suite('runtime/xenstore/xenstored');

function machine(quotas = {}) {
  const xenstored = new Xenstored({ quotas });
  const guest = StoreGuest.introduce(xenstored, 1);
  const tools = xenstored.connect();
  tools.makeDirectory('/local/domain/1');
  tools.setPermissions('/local/domain/1', ['n1']);
  const ask = guest.ask.bind(guest);
  return { xenstored, guest, tools, ask };
}

daemon('the ends of domains are told: shut down once, until it is resumed, and removed', () => {
  const xenstored = new Xenstored();
  const tools = xenstored.connect();
  const told: string[] = [];
  for (const event of ['@introduceDomain', '@releaseDomain'])
    tools.watch(event, (path) => told.push(path));
  const since = (): string[] => told.splice(0);
  since();

  xenstored.addDomain(1);
  assert.equal(since(), []);
  xenstored.serve(1);
  assert.equal(since(), ['@introduceDomain']);
  xenstored.shutDown(1);
  xenstored.shutDown(1);
  assert.equal(since(), ['@releaseDomain']);
  xenstored.resume(1);
  xenstored.shutDown(1);
  assert.equal(since(), ['@releaseDomain']);
  xenstored.removeDomain(1);
  xenstored.removeDomain(1);
  assert.equal(since(), ['@releaseDomain']);
  assert.not(xenstored.isIntroduced(1));
  assert.is(
    errnoOf(() => xenstored.connect(1)),
    'ENOENT',
  );
});

daemon('what a domain owned goes with it, and a new one of its number inherits nothing', () => {
  const { xenstored, tools, guest, ask } = machine();
  tools.write('/kept/own', 1);
  tools.write('/kept/own/below', 1);
  tools.write('/kept/shared', 1);
  tools.setPermissions('/kept/own', ['n1']);
  tools.setPermissions('/kept/shared', ['n0', 'b1']);
  assert.equal(ask('READ', '/kept/shared|'), ['1']);

  xenstored.removeDomain(1);
  assert.ok(guest.port.isClosed);
  assert.equal(tools.directory('/kept'), ['shared']);
  assert.is(tools.find('/local/domain/1'), undefined);
  const next = StoreGuest.introduce(xenstored, 1);

  assert.equal(tools.permissions('/kept/shared'), ['n0', 'b1']);
  assert.equal(next.ask('READ', '/kept/shared|'), ['ERROR EACCES|']);
  tools.write('/kept/shared', 2);
  assert.equal(next.ask('READ', '/kept/shared|'), ['ERROR EACCES|']);
  tools.setPermissions('/kept/shared', ['n0', 'b1']);
  assert.equal(next.ask('READ', '/kept/shared|'), ['2']);
});

daemon('a domain that may watch for ends hears of them, and forgets that when it goes', () => {
  const { xenstored, tools, guest, ask } = machine();
  tools.setPermissions('@releaseDomain', ['n0', 'r1']);
  ask('WATCH', '@releaseDomain|t|');

  StoreGuest.introduce(xenstored, 2);
  xenstored.removeDomain(2);
  assert.equal(
    guest.take().map(({ payload }) => payload),
    ['@releaseDomain\0t\0'],
  );
  xenstored.removeDomain(1);
  const next = StoreGuest.introduce(xenstored, 1);
  next.ask('WATCH', '@releaseDomain|t|');
  xenstored.addDomain(3);
  xenstored.serve(3);
  xenstored.removeDomain(3);

  assert.equal(next.take(), []);
});

daemon('nodes: as many as the quota says, and again as many when they are gone', () => {
  const { ask } = machine({ nodes: 5 });

  assert.equal(
    ['a', 'b', 'c/d', 'e', 'e/f'].map((path) => ask('MKDIR', `${path}|`)[0]),
    ['OK|', 'OK|', 'OK|', 'ERROR ENOSPC|', 'ERROR ENOSPC|'],
  );
  ask('RM', 'c|');
  assert.equal(ask('MKDIR', 'x/y/z|'), ['ERROR ENOSPC|']);
  assert.equal(ask('DIRECTORY', '/local/domain/1|'), ['a|b|']);
  assert.equal(ask('MKDIR', 'x/y|'), ['OK|']);
});

daemon('nodes in a transaction count when it ends', () => {
  const { ask } = machine({ nodes: 4 });
  ask('TRANSACTION_START', '|');
  for (const name of ['a', 'b', 'c', 'd']) assert.equal(ask('MKDIR', `${name}|`, 1), ['OK|'], name);

  assert.equal(ask('TRANSACTION_END', 'T|', 1), ['ERROR ENOSPC|']);
  assert.equal(ask('DIRECTORY', '/local/domain/1|'), ['']);
});

daemon('what fails within a transaction spoils it', () => {
  const { ask } = machine();
  ask('TRANSACTION_START', '|');
  ask('WRITE', 'a|1', 1);

  assert.equal(ask('WRITE', `b|${'x'.repeat(2048)}`, 1), ['ERROR ENOSPC|']);

  assert.equal(ask('TRANSACTION_END', 'T|', 1), ['ERROR ENOMEM|']);
  assert.equal(ask('READ', 'a|'), ['ERROR ENOENT|']);
});

daemon('the nodes that a transaction meets are bounded', () => {
  const { ask } = machine({ transactionNodes: 6 });
  ask('TRANSACTION_START', '|');

  const answers = ['a', 'b', 'c', 'd'].map((name) => ask('READ', `${name}|`, 1)[0]);

  assert.equal(answers, ['ERROR ENOENT|', 'ERROR ENOENT|', 'ERROR ENOENT|', 'ERROR ENOENT|']);
  assert.equal(ask('READ', 'e/f|', 1), ['ERROR ENOSPC|']);
  assert.equal(ask('TRANSACTION_END', 'T|', 1), ['ERROR ENOMEM|']);
});

daemon('a node is so large and no larger', () => {
  const { ask } = machine();

  assert.equal(ask('WRITE', `a|${'x'.repeat(2047 - 32)}`), ['OK|']);
  assert.equal(ask('WRITE', `b|${'x'.repeat(2048 - 32)}`), ['ERROR ENOSPC|']);
  assert.equal(ask('READ', 'b|'), ['ERROR ENOENT|']);
  for (let i = 0; ask('MKDIR', `many/${'c'.repeat(90)}${i}|`)[0] === 'OK|'; i++) assert.ok(i < 30);
  assert.equal(ask('READ', 'many|'), ['']);
});

daemon('watches and transactions are bounded', () => {
  const { ask } = machine({ watches: 2, transactions: 2 });

  const watches = ['a', 'b', 'c', 'd'].map((path) => ask('WATCH', `${path}|t|`)[0]);
  const transactions = [1, 2, 3, 4].map(() => ask('TRANSACTION_START', '|')[0]);

  assert.equal(watches, ['OK|', 'OK|', 'OK|', 'ERROR E2BIG|']);
  assert.equal(transactions, ['1|', '2|', '3|', 'ERROR ENOSPC|']);
  ask('UNWATCH', 'a|t|');
  assert.equal(ask('WATCH', 'd|t|')[0], 'OK|');
});

daemon(
  'memory is bounded, what is given back can be used again, and events beyond are lost',
  () => {
    const { ask, guest, tools } = machine({ memory: 20_000 });
    let made = 0;
    while (ask('WRITE', `n${made}|${'x'.repeat(1900)}`)[0] === 'OK|') made++;
    assert.ok(made > 7 && made < 11, `${made}`);

    ask('RM', 'n0|');
    assert.equal(ask('WRITE', `n0|${'y'.repeat(1900)}`), ['OK|']);
    tools.makeDirectory('/open');
    tools.setPermissions('/open', ['r0']);
    ask('WATCH', '/open|t|');
    for (let i = 0; i < 1000; i++) tools.write(`/open/${i}`, 1);

    const events = guest.take().length;
    assert.ok(events > 5 && events < 1000, `${events}`);
    assert.equal(ask('READ', 'n0|'), ['ERROR ENOMEM|']);
    ask('RM', 'n1|');
    assert.equal(ask('READ', 'n0|')[0]?.length, 1900);
    tools.write('/local/domain/1/n0', 'x'.repeat(20_000));
  },
);

daemon('a domain has what its target has', () => {
  const { xenstored, tools } = machine();
  const model = StoreGuest.introduce(xenstored, 2);
  tools.write('/local/domain/1/data', 'x');
  assert.equal(model.ask('READ', '/local/domain/1/data|'), ['ERROR EACCES|']);

  xenstored.setTarget(2, 1);

  assert.equal(model.ask('READ', '/local/domain/1/data|'), ['x']);
  assert.equal(model.ask('WRITE', '/local/domain/1/data|y'), ['OK|']);
  assert.equal(model.ask('SET_PERMS', '/local/domain/1/data|n1|r2|'), ['OK|']);
  assert.equal(model.ask('SET_PERMS', '/local/domain/1/data|n2|'), ['ERROR EPERM|']);
});

daemon.run();

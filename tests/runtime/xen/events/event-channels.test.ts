import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { DOMID, VIRQ } from '../../../../runtime/abi/xen.ts';
import { eventDomains } from '../../../support/event-domain.ts';
import { answer, bothWidths } from '../../../support/xen-answers.ts';

const test = suite('runtime/xen/events/event-channels');

test('two domains wake each other through a channel', () => {
  for (const width of bothWidths) {
    const { one, two } = eventDomains(width);
    const there = one.channels.allocateUnbound(2);
    const here = two.channels.bindInterdomain(1, there);
    const toldOnBinding = two.bits.isPending(here);

    two.channels.send(here);
    one.channels.send(there);

    assert.ok(toldOnBinding);
    assert.ok(one.bits.isPending(there));
    assert.is(one.wakes(), 1);
  }
});

test('only the domain that a port waits for may bind it, and once', () => {
  const { one, two } = eventDomains(64);
  const forSelf = one.channels.allocateUnbound(DOMID.SELF);
  const forTwo = one.channels.allocateUnbound(2);

  assert.is(
    answer(() => two.channels.bindInterdomain(1, forSelf)),
    'EINVAL',
  );
  assert.is(
    answer(() => two.channels.bindInterdomain(7, 1)),
    'ESRCH',
  );
  assert.is(
    answer(() => two.channels.bindInterdomain(1, 5000)),
    'EINVAL',
  );
  assert.is(
    answer(() => two.channels.bindInterdomain(1, forTwo)),
    1,
  );
  assert.is(
    answer(() => two.channels.bindInterdomain(1, forTwo)),
    'EINVAL',
  );
});

test('a domain can bind to itself', () => {
  const { one } = eventDomains(64);
  const port = one.channels.allocateUnbound(DOMID.SELF);
  const other = one.channels.bindInterdomain(DOMID.SELF, port);

  one.channels.send(other);

  assert.is(other, port + 1);
  assert.ok(one.bits.isPending(port));
});

test('whoever closes leaves the other end unbound, to be bound again', () => {
  const { one, two } = eventDomains(64);
  const there = one.channels.allocateUnbound(2);
  const here = two.channels.bindInterdomain(1, there);

  two.channels.close(here);

  assert.equal(one.channels.channel(there), { state: 'unbound', domid: 2 });
  assert.not(two.bits.isPending(here));
  assert.is(
    answer(() => one.channels.send(there)),
    0,
  );
  assert.is(two.channels.bindInterdomain(1, there), here);
});

test('closing a channel to oneself leaves the other end unbound', () => {
  const { one } = eventDomains(64);
  const port = one.channels.allocateUnbound(DOMID.SELF);
  const other = one.channels.bindInterdomain(DOMID.SELF, port);

  one.channels.close(port);

  assert.equal(one.channels.channel(other), { state: 'unbound', domid: 1 });
  assert.equal(one.channels.channel(port), { state: 'free' });
});

test('a VIRQ is bound once and sent where it is bound', () => {
  const { one } = eventDomains(64);
  const port = one.channels.bindVirq(VIRQ.TIMER, 0);

  one.channels.sendVirq(VIRQ.TIMER);
  one.channels.sendVirq(VIRQ.DEBUG);

  assert.ok(one.bits.isPending(port));
  assert.is(
    answer(() => one.channels.bindVirq(VIRQ.TIMER, 0)),
    'EEXIST',
  );
  assert.is(
    answer(() => one.channels.bindVirq(VIRQ.TIMER, 1)),
    'ENOENT',
  );
  assert.is(
    answer(() => one.channels.bindVirq(VIRQ.CONSOLE, 1)),
    'EINVAL',
  );
  assert.is(
    answer(() => one.channels.bindVirq(24, 0)),
    'EINVAL',
  );
  one.channels.close(port);
  assert.is(one.channels.bindVirq(VIRQ.TIMER, 0), port);
});

test('an IPI comes back to who sends it', () => {
  const { one } = eventDomains(64);
  const port = one.channels.bindIpi(0);

  one.channels.send(port);

  assert.ok(one.bits.isPending(port));
  assert.is(
    answer(() => one.channels.bindIpi(1)),
    'ENOENT',
  );
});

test('what is free, reserved or a VIRQ is not sent through', () => {
  const { one } = eventDomains(64);
  const virq = one.channels.bindVirq(VIRQ.TIMER, 0);

  for (const port of [0, 5, virq, 64, 0xffff_ffff])
    assert.is(
      answer(() => one.channels.send(port)),
      'EINVAL',
    );
  assert.is(
    answer(() => one.channels.close(0)),
    'EINVAL',
  );
});

test('a domain has 1023 ports, and what was closed is given again', () => {
  const { one } = eventDomains(64);
  for (let port = 1; port <= 1023; port++) assert.is(one.channels.allocateUnbound(0), port);

  assert.is(
    answer(() => one.channels.allocateUnbound(0)),
    'ENOSPC',
  );
  one.channels.close(500);
  assert.is(one.channels.allocateUnbound(0), 500);
});

test('a reset closes all that a domain has bound', () => {
  const { one, two } = eventDomains(64);
  const there = one.channels.allocateUnbound(2);
  const here = two.channels.bindInterdomain(1, there);
  two.channels.bindVirq(VIRQ.TIMER, 0);

  two.channels.reset();

  assert.equal(two.channels.channel(here), { state: 'free' });
  assert.equal(one.channels.channel(there), { state: 'unbound', domid: 2 });
  assert.is(two.channels.bindVirq(VIRQ.TIMER, 0), 1);
});

test.run();

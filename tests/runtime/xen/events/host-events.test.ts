import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { eventDomains } from '../../../support/event-domain.ts';
import { answer } from '../../../support/xen-answers.ts';

const test = suite('runtime/xen/events/host-events');

test('a back-end and a guest wake each other', async () => {
  const { one, host } = eventDomains(64);
  const port = one.channels.allocateUnbound(0);
  const end = host.portsOf(one.channels).bind(port);
  let heard = 0;
  end.listen(() => {
    heard++;
  });

  end.notify();
  one.channels.send(port);
  one.channels.send(port);
  const before = heard;
  await Promise.resolve();

  assert.ok(one.bits.isPending(port));
  assert.is(before, 0);
  assert.is(heard, 1);
});

test('what a guest sends before anybody listens is heard', async () => {
  const { one, host } = eventDomains(64);
  const port = one.channels.allocateUnbound(0);
  const end = host.portsOf(one.channels).bind(port);
  one.channels.send(port);
  await Promise.resolve();
  let heard = 0;

  end.listen(() => {
    heard++;
  });
  await Promise.resolve();

  assert.is(heard, 1);
});

test('a port that does not wait for the host is refused', () => {
  const { one, host } = eventDomains(64);
  const port = one.channels.allocateUnbound(2);

  assert.is(
    answer(() => host.portsOf(one.channels).bind(port)),
    'EINVAL',
  );
  assert.is(
    answer(() => host.portsOf(one.channels).bind(4000)),
    'EINVAL',
  );
});

test('a guest that has closed its end is not woken, and may let the host bind again', () => {
  const { one, host } = eventDomains(64);
  const port = one.channels.allocateUnbound(0);
  const end = host.portsOf(one.channels).bind(port);
  one.channels.close(port);

  end.notify();
  end.close();

  assert.not(one.bits.isPending(port));
  assert.equal(one.channels.channel(port), { state: 'free' });
});

test('a host that closes leaves the guest an unbound port', async () => {
  const { one, host } = eventDomains(64);
  const port = one.channels.allocateUnbound(0);
  const end = host.portsOf(one.channels).bind(port);
  let heard = 0;
  end.listen(() => {
    heard++;
  });
  one.channels.send(port);

  end.close();
  await Promise.resolve();

  assert.equal(one.channels.channel(port), { state: 'unbound', domid: 0 });
  assert.is(heard, 0);
  host.portsOf(one.channels).bind(port);
});

test('who has been told at once is not told again, and what it answers counts', async () => {
  const { one, host } = eventDomains(64);
  const port = one.channels.allocateUnbound(0);
  const end = host.portsOf(one.channels).bind(port);
  let heard = 0;
  end.listen(() => {
    heard++;
    end.notify();
  });
  one.channels.send(port);

  const told = [host.tell(one.channels), host.tell(one.channels)];
  await Promise.resolve();

  assert.equal(told, [true, false]);
  assert.is(heard, 1);
});

test('who is told at once and answers later has not answered', async () => {
  const { one, host } = eventDomains(64);
  const port = one.channels.allocateUnbound(0);
  const end = host.portsOf(one.channels).bind(port);
  end.listen(() => queueMicrotask(() => end.notify()));
  one.channels.send(port);

  const told = host.tell(one.channels);
  const before = one.bits.isPending(port);
  await Promise.resolve();

  assert.equal([told, before, one.bits.isPending(port)], [false, false, true]);
});

test('events of one guest are not told for another', () => {
  const { one, two, host } = eventDomains(64);
  const port = one.channels.allocateUnbound(0);
  const end = host.portsOf(one.channels).bind(port);
  end.listen(() => end.notify());
  one.channels.send(port);

  assert.equal([host.tell(two.channels), host.tell(one.channels)], [false, true]);
});

test('no guest binds to a port of the host', () => {
  const { one } = eventDomains(64);

  assert.is(
    answer(() => one.channels.bindInterdomain(0, 1)),
    'EINVAL',
  );
});

test.run();

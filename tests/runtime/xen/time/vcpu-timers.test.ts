import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { SHUTDOWN } from '../../../../runtime/abi/sched.ts';
import { VIRQ } from '../../../../runtime/abi/xen.ts';
import { SystemTime } from '../../../../runtime/xen/time/system-time.ts';
import { VcpuTimers } from '../../../../runtime/xen/time/vcpu-timers.ts';
import { answer } from '../../../support/xen-answers.ts';
import { testDomain } from '../../../support/xen-domain.ts';

const test = suite('runtime/xen/time/vcpu-timers');

const make = () => {
  const { domain, clock } = testDomain(64);
  const time = new SystemTime(clock);
  const sent: number[] = [];
  const timers = new VcpuTimers(time, domain.vcpu, (virq) => {
    sent.push(virq);
  });
  return { vcpu: domain.vcpu, clock, time, timers, sent };
};

test('a singleshot timer comes once, when it is due', () => {
  const { clock, time, timers, sent } = make();
  timers.setPeriod(undefined);
  timers.setSingleshot(time.now() + 1_000n);

  timers.expire(clock.now);
  const early = sent.length;
  clock.now += 1_000n;
  const due = timers.deadline();
  timers.expire(clock.now);
  timers.expire(clock.now);

  assert.is(early, 0);
  assert.is(due, clock.now);
  assert.equal(sent, [VIRQ.TIMER]);
  assert.is(timers.deadline(), undefined);
});

test('a guest has a tick of 100 Hz until it stops it, and none while it waits', () => {
  const { vcpu, clock, timers, sent } = make();
  clock.now += 10_000_000n;
  timers.expire(clock.now);
  vcpu.waiting = { isOver: () => false, until: undefined };
  clock.now += 50_000_000n;
  timers.expire(clock.now);
  const whileWaiting = sent.length;
  vcpu.waiting = undefined;
  timers.expire(clock.now);
  timers.setPeriod(undefined);
  clock.now += 50_000_000n;
  timers.expire(clock.now);

  assert.is(whileWaiting, 1);
  assert.is(sent.length, 2);
  assert.is(timers.deadline(), undefined);
});

test('a watchdog that is not fed ends the domain', () => {
  const { vcpu, clock, timers } = make();
  const id = timers.watchdog(0, 2);
  clock.now += 1_900_000_000n;
  timers.watchdog(id, 2);
  clock.now += 1_900_000_000n;
  timers.expire(clock.now);
  const fed = vcpu.shutdown;
  clock.now += 200_000_000n;

  timers.expire(clock.now);

  assert.is(id, 1);
  assert.is(fed, undefined);
  assert.is(vcpu.shutdown, SHUTDOWN.watchdog);
});

test('there are two watchdogs', () => {
  const { timers } = make();
  const ask = (id: number, timeout: number) => answer(() => timers.watchdog(id, timeout));

  assert.equal([ask(3, 1), ask(2, 1), ask(0, 9), ask(0, 9)], ['EINVAL', 'EINVAL', 1, 2]);
  assert.is(ask(0, 9), 2 ** 32 - 28);
  assert.equal([ask(1, 0), ask(1, 0), ask(0, 9)], [0, 'EINVAL', 1]);
});

test.run();

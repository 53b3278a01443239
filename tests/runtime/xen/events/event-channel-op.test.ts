import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  EVTCHNOP,
  EVTCHNSTAT,
  evtchn_alloc_unbound,
  evtchn_bind_interdomain,
  evtchn_bind_ipi,
  evtchn_bind_pirq,
  evtchn_bind_vcpu,
  evtchn_bind_virq,
  evtchn_close,
  evtchn_reset,
  evtchn_set_priority,
  evtchn_status,
  evtchn_unmask,
} from '../../../../runtime/abi/event-channel.ts';
import { DOMID, VIRQ } from '../../../../runtime/abi/xen.ts';
import { XenError } from '../../../../runtime/errors.ts';
import type { Width } from '../../../../runtime/memory/layout.ts';
import type { EventPeers } from '../../../../runtime/xen/events/channel.ts';
import { eventHypercalls } from '../../../../runtime/xen/events/event-channel-op.ts';
import type { Hypercall } from '../../../../runtime/xen/hypercalls/hypercall.ts';
import { type EventDomain, eventDomains } from '../../../support/event-domain.ts';
import { freshSeed, random } from '../../../support/random.ts';
import { ask, bothWidths } from '../../../support/xen-answers.ts';

const test = suite('runtime/xen/events/event-channel-op');

const domains = (width: Width) => {
  const { one, two, peers } = eventDomains(width);
  return { one, two, op: opOf(one, peers), otherOp: opOf(two, peers) };
};

const opOf = ({ channels }: EventDomain, peers: EventPeers): Hypercall => {
  const { event_channel_op } = eventHypercalls(channels, peers);
  assert.ok(event_channel_op);
  return event_channel_op;
};

test('a port is allocated, found and closed', () => {
  for (const width of bothWidths) {
    const { one, op } = domains(width);

    const made = ask(one, op, EVTCHNOP.alloc_unbound, evtchn_alloc_unbound, {
      dom: DOMID.SELF,
      remote_dom: 0,
    });
    const { port } = made.value;
    const status = ask(one, op, EVTCHNOP.status, evtchn_status, { dom: DOMID.SELF, port });
    const found = [status.result, status.value.status, status.value.vcpu, status.value.u[0]];
    const closed = ask(one, op, EVTCHNOP.close, evtchn_close, { port });
    const again = ask(one, op, EVTCHNOP.close, evtchn_close, { port });

    assert.is(made.result, 0);
    assert.is(port, 1);
    assert.equal(found, [0, EVTCHNSTAT.unbound, 0, 0]);
    assert.is(closed.result, 0);
    assert.is(again.result, 'EINVAL');
  }
});

test('status tells what each kind of port is bound to', () => {
  const { one, op } = domains(64);
  const { port } = ask(one, op, EVTCHNOP.alloc_unbound, evtchn_alloc_unbound, {
    dom: DOMID.SELF,
    remote_dom: DOMID.SELF,
  }).value;
  ask(one, op, EVTCHNOP.bind_interdomain, evtchn_bind_interdomain, {
    remote_dom: DOMID.SELF,
    remote_port: port,
  });
  ask(one, op, EVTCHNOP.bind_virq, evtchn_bind_virq, { virq: VIRQ.DEBUG, vcpu: 0 });
  ask(one, op, EVTCHNOP.bind_ipi, evtchn_bind_ipi, { vcpu: 0 });

  const seen = [0, 1, 2, 3, 4, 5].map((number) => {
    const { value } = ask(one, op, EVTCHNOP.status, evtchn_status, {
      ...{ dom: 1, port: number, u: [0, 0] },
    });
    return [value.status, ...value.u];
  });

  assert.equal(seen, [
    [EVTCHNSTAT.closed, 0, 0],
    [EVTCHNSTAT.interdomain, 1, 2],
    [EVTCHNSTAT.interdomain, 1, 1],
    [EVTCHNSTAT.virq, VIRQ.DEBUG, 0],
    [EVTCHNSTAT.ipi, 0, 0],
    [EVTCHNSTAT.closed, 0, 0],
  ]);
});

test('other domains are refused, and those that are not there are not found', () => {
  const { one, op } = domains(64);
  const about = (dom: number) => [
    ask(one, op, EVTCHNOP.alloc_unbound, evtchn_alloc_unbound, { dom, remote_dom: 0 }).result,
    ask(one, op, EVTCHNOP.status, evtchn_status, { dom, port: 0 }).result,
    ask(one, op, EVTCHNOP.reset, evtchn_reset, { dom }).result,
  ];

  assert.equal(about(0), ['EPERM', 'EPERM', 'EPERM']);
  assert.equal(about(9), ['ESRCH', 'ESRCH', 'ESRCH']);
});

test('what needs hardware or the other ABI is refused', () => {
  const { one, op } = domains(64);
  const pirq = (number: number) =>
    ask(one, op, EVTCHNOP.bind_pirq, evtchn_bind_pirq, { pirq: number }).result;
  const priority = (port: number) =>
    ask(one, op, EVTCHNOP.set_priority, evtchn_set_priority, { port, priority: 1 }).result;

  assert.equal([pirq(1), pirq(100_000)], ['EPERM', 'EINVAL']);
  assert.equal([priority(1), priority(100_000)], ['ENOSYS', 'EINVAL']);
  assert.throws(() => op.call(one.domain, [99n, 0n]), refusedWith('ENOSYS'));
});

test('a port is moved only to a vCPU that is there', () => {
  const { one, op } = domains(64);
  one.channels.allocateUnbound(0);
  one.channels.bindVirq(VIRQ.TIMER, 0);
  const bind = (port: number, vcpu: number) =>
    ask(one, op, EVTCHNOP.bind_vcpu, evtchn_bind_vcpu, { port, vcpu }).result;

  assert.equal([bind(1, 0), bind(1, 1), bind(2, 0), bind(3, 0)], [0, 'ENOENT', 'EINVAL', 'EINVAL']);
});

test('unmask tells of what came meanwhile', () => {
  const { one, op } = domains(64);
  const port = one.channels.allocateUnbound(0);

  assert.is(ask(one, op, EVTCHNOP.unmask, evtchn_unmask, { port }).result, 0);
  assert.is(ask(one, op, EVTCHNOP.unmask, evtchn_unmask, { port: 63 }).result, 0);
  assert.is(ask(one, op, EVTCHNOP.unmask, evtchn_unmask, { port: 64 }).result, 'EINVAL');
});

const seed = freshSeed();
test(`hostile operations meet only errors of Xen's (seed ${seed})`, () => {
  const numbers = random(seed);
  for (const width of bothWidths) {
    const { one, two, op: first, otherOp } = domains(width);
    for (let i = 0; i < 20_000; i++) {
      const [domain, op] = numbers.below(2) === 0 ? [one, first] : [two, otherOp];
      const bytes = numbers.bytes(24).map((byte) => (numbers.below(3) === 0 ? byte : byte & 3));
      if (numbers.below(4) > 0) bytes.fill(0, 1, 4).fill(0, 5, 8);
      domain.domain.memory.bytes().set(bytes, domain.host);
      const number = BigInt(numbers.below(16));
      const at = numbers.below(50) === 0 ? numbers.bigint64() : domain.address;
      try {
        op.call(domain.domain, [number, BigInt.asUintN(width, at)]);
      } catch (error) {
        assert.instance(error, XenError);
      }
    }
  }
});

const refusedWith = (errno: string) => (error: unknown) =>
  error instanceof XenError && error.errno === errno;

test.run();

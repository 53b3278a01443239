import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  SCHEDOP,
  SHUTDOWN,
  sched_poll,
  sched_remote_shutdown,
  sched_shutdown,
} from '../../../../runtime/abi/sched.ts';
import { DOMID, shared_info } from '../../../../runtime/abi/xen.ts';
import { XenError } from '../../../../runtime/errors.ts';
import type { Hypercall } from '../../../../runtime/xen/hypercalls/hypercall.ts';
import { freshSeed, random } from '../../../support/random.ts';
import { type VcpuDomain, vcpuDomain } from '../../../support/vcpu-domain.ts';
import { answer, ask, bothWidths } from '../../../support/xen-answers.ts';

const test = suite('runtime/xen/scheduler/sched-op');

function handler({ handlers }: VcpuDomain, name: keyof VcpuDomain['handlers']): Hypercall {
  const found = handlers[name];
  assert.ok(found);
  return found;
}

const sched = (domain: VcpuDomain, number: number, fill: object = {}) =>
  ask(domain, handler(domain, 'sched_op'), number, sched_shutdown, fill).result;

test('a vCPU that blocks waits for an event, with events enabled', () => {
  const domain = vcpuDomain(64);
  const { vcpu } = domain.domain;
  vcpu.isUpcallMasked = true;

  assert.is(sched(domain, SCHEDOP.block), 0);

  assert.not(vcpu.isUpcallMasked);
  assert.not(vcpu.waiting?.isOver());
  domain.bits.setPending(3);
  assert.ok(vcpu.waiting?.isOver());
});

test('a vCPU with an event does not block', () => {
  const domain = vcpuDomain(64);
  domain.bits.setPending(3);

  sched(domain, SCHEDOP.block);

  assert.is(domain.domain.vcpu.waiting, undefined);
});

test('what a domain says first is how it ends', () => {
  const one = vcpuDomain(64);
  sched(one, SCHEDOP.shutdown_code, { reason: SHUTDOWN.reboot });
  sched(one, SCHEDOP.shutdown_code, { reason: SHUTDOWN.crash });
  sched(one, SCHEDOP.shutdown, { reason: SHUTDOWN.poweroff });
  const two = vcpuDomain(64);
  sched(two, SCHEDOP.shutdown, { reason: 0x1_02 });
  const three = vcpuDomain(32);
  handler(three, 'sched_op_compat').call(three.domain, [2n, 0xff01n]);

  assert.is(one.domain.vcpu.shutdown, SHUTDOWN.reboot);
  assert.is(two.domain.vcpu.shutdown, SHUTDOWN.suspend);
  assert.is(three.domain.vcpu.shutdown, SHUTDOWN.reboot);
});

function maskAll({ domain: { memory, sharedInfo, width } }: VcpuDomain): void {
  const { offsets } = shared_info.layout(width);
  const [from, end] = [offsets.evtchn_mask, offsets.wc_version];
  memory.bytes().fill(0xff, sharedInfo + from, sharedInfo + end);
}

/** Polls the ports, which lie behind the struct. */
function poll(domain: VcpuDomain, ports: readonly number[], timeout = 0n): number | string {
  const list = domain.address + 64n;
  for (const [i, port] of ports.entries()) domain.domain.guest.writeU32(list + BigInt(4 * i), port);
  const fill = { ports: list, nr_ports: ports.length, timeout };
  return ask(domain, handler(domain, 'sched_op'), SCHEDOP.poll, sched_poll, fill).result;
}

test('a poll waits for its port alone, masked or not, or for its time', () => {
  for (const width of bothWidths) {
    const domain = vcpuDomain(width);
    const { channels, bits, time } = domain;
    const port = channels.bindIpi(0);
    const other = channels.bindIpi(0);
    const { vcpu } = domain.domain;
    vcpu.isUpcallMasked = true;
    maskAll(domain);

    const result = poll(domain, [port], time.now() + 1000n);
    const { waiting } = vcpu;
    channels.send(other);
    const afterOther = waiting?.isOver();
    channels.send(port);

    assert.is(result, 0);
    assert.is(waiting?.until, domain.clock.now + 1000n);
    assert.is(bits.isPending(other), true);
    assert.is(afterOther, false);
    assert.is(waiting?.isOver(), true);
  }
});

test('a poll of what is pending does not wait', () => {
  const domain = vcpuDomain(64);
  domain.domain.vcpu.isUpcallMasked = true;
  const port = domain.channels.bindIpi(0);
  domain.channels.send(port);

  assert.is(poll(domain, [port]), 0);
  assert.is(domain.domain.vcpu.waiting, undefined);
});

test('a poll of no port waits for any event', () => {
  const domain = vcpuDomain(64);
  domain.domain.vcpu.isUpcallMasked = true;
  poll(domain, []);
  const { waiting } = domain.domain.vcpu;
  const before = waiting?.isOver();

  domain.channels.setPending(domain.channels.bindIpi(0));

  assert.is(before, false);
  assert.is(waiting?.isOver(), true);
});

test('ports that are not bound, and too many, are not polled', () => {
  const domain = vcpuDomain(64);

  for (const port of [0, 5, 1000, 100_000]) assert.is(poll(domain, [port]), 'EINVAL');
  assert.is(poll(domain, Array<number>(129).fill(1)), 'EINVAL');
  assert.is(domain.domain.vcpu.waiting, undefined);
});

test('no domain has power over others', () => {
  const domain = vcpuDomain(64);
  const op = handler(domain, 'sched_op');
  const remote = (domain_id: number) =>
    ask(domain, op, SCHEDOP.remote_shutdown, sched_remote_shutdown, { domain_id }).result;

  assert.equal([remote(0), remote(DOMID.SELF), remote(77)], ['EPERM', 'ESRCH', 'ESRCH']);
  assert.is(ask(domain, op, SCHEDOP.pin_override, sched_shutdown, {}).result, 'EPERM');
  assert.is(
    answer(() => op.call(domain.domain, [99n, 0n])),
    'ENOSYS',
  );
});

test('a timer is set, also by two halves, and far ones come after 100 ms', () => {
  for (const width of bothWidths) {
    const domain = vcpuDomain(width);
    const { time, timers, clock } = domain;
    timers.setPeriod(undefined);
    const op = handler(domain, 'set_timer_op');
    const set = (at: bigint): bigint | undefined => {
      const args = width === 64 ? [at] : [at & 0xffff_ffffn, (at >> 32n) & 0xffff_ffffn];
      op.call(
        domain.domain,
        args.map((word) => BigInt.asUintN(width, word)),
      );
      const due = timers.deadline();
      return due === undefined ? undefined : due - clock.now;
    };

    assert.is(set(time.now() + 5_000_000_000n), 5_000_000_000n);
    assert.is(set(time.now() + (1n << 51n)), 100_000_000n);
    assert.is(set(-1n), 100_000_000n);
    assert.is(set(0n), undefined);
  }
});

const seed = freshSeed();
test(`hostile calls meet only errors of Xen's (seed ${seed})`, () => {
  const numbers = random(seed);
  for (const width of bothWidths) {
    const domain = vcpuDomain(width);
    for (let i = 0; i < 20_000; i++) {
      const error = hostile(domain, numbers);
      if (error !== undefined) assert.instance(error, XenError);
      domain.domain.vcpu.waiting?.isOver();
      domain.timers.expire(domain.clock.now);
    }
  }
});

/** One call; what it threw. */
function hostile(domain: VcpuDomain, numbers: ReturnType<typeof random>): unknown {
  const names = ['sched_op', 'vcpu_op', 'set_timer_op', 'sched_op_compat'] as const;
  const bytes = numbers.bytes(64).map((byte) => (numbers.below(3) === 0 ? byte : byte & 1));
  domain.domain.memory.bytes().set(bytes, domain.host);
  const name = names[numbers.below(4)] ?? 'sched_op';
  const at = numbers.below(50) === 0 ? numbers.bigint64() : domain.address;
  const pointer = BigInt.asUintN(domain.domain.width, at);
  const number = BigInt(numbers.below(16));
  // An NMI is the one thing that is not there yet, and says so.
  if (name === 'vcpu_op' && number === 11n) return undefined;
  const args = name === 'vcpu_op' ? [number, BigInt(numbers.below(2)), pointer] : [number, pointer];
  try {
    handler(domain, name).call(domain.domain, args);
    return undefined;
  } catch (error) {
    return error;
  }
}

test.run();

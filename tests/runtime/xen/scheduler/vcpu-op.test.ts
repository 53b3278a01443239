import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  VCPUOP,
  vcpu_register_runstate_memory_area,
  vcpu_register_vcpu_info,
  vcpu_runstate_info,
  vcpu_set_periodic_timer,
  vcpu_set_singleshot_timer,
} from '../../../../runtime/abi/vcpu.ts';
import { VIRQ } from '../../../../runtime/abi/xen.ts';
import type { FieldType, Struct } from '../../../../runtime/memory/layout.ts';
import { pageSize } from '../../../../runtime/memory/machine-memory.ts';
import { frameTypes } from '../../../../runtime/xen/frames.ts';
import { type VcpuDomain, vcpuDomain } from '../../../support/vcpu-domain.ts';
import { answer, bothWidths } from '../../../support/xen-answers.ts';

const test = suite('runtime/xen/scheduler/vcpu-op');

type Fields = Readonly<Record<string, FieldType<unknown, never>>>;

/** Of vCPU 0, with a struct at the start of the guest's memory. */
function call<F extends Fields>(
  domain: VcpuDomain,
  number: number,
  type: Struct<F>,
  fill: object,
): number | string {
  Object.assign(type.layout(domain.domain.width).at(domain.domain.memory, domain.host), fill);
  return plain(domain, number, 0, domain.address);
}

const plain = ({ domain, handlers }: VcpuDomain, number: number, vcpu = 0, at = 0n) =>
  answer(() => handlers.vcpu_op?.call(domain, [BigInt(number), BigInt(vcpu), at]));

test('there is one vCPU, and it is up', () => {
  let sent = 0;
  const domain = vcpuDomain(64, () => {
    sent++;
  });

  assert.is(plain(domain, VCPUOP.is_up), 1);
  assert.is(plain(domain, VCPUOP.up), 0);
  assert.is(plain(domain, VCPUOP.is_up, 1), 'ENOENT');
  assert.is(plain(domain, VCPUOP.initialise, 0, domain.address), 'EEXIST');
  assert.is(plain(domain, VCPUOP.initialise, 0, 0x7000_0000_0000n), 'EFAULT');
  assert.is(plain(domain, VCPUOP.get_physid, 0, domain.address), 'EINVAL');
  assert.is(plain(domain, 14), 'ENOSYS');
  assert.is(plain(domain, VCPUOP.send_nmi, 0, 1n), 'EINVAL');
  assert.is(sent, 0);
  assert.is(plain(domain, VCPUOP.send_nmi), 0);
  assert.is(sent, 1);
});

test('vcpu_info moves once, with what it holds, and every word is to be looked at', () => {
  for (const width of bothWidths) {
    const domain = vcpuDomain(width);
    const { frames, vcpu, memory } = domain.domain;
    memory.bytes()[vcpu.info + 1] = 1;
    const move = (mfn: number, offset: number) =>
      call(domain, VCPUOP.register_vcpu_info, vcpu_register_vcpu_info, {
        ...{ mfn: BigInt(mfn), offset },
      });

    assert.is(move(domain.frame + 1, pageSize - 60), 'ENXIO');
    assert.is(move(domain.frame + 1, 2), 'ENXIO');
    assert.is(move(1, 0), 'EINVAL');
    frames.setType(domain.frame + 2, frameTypes.l1);
    frames.addTypeCount(domain.frame + 2, 1);
    assert.is(move(domain.frame + 2, 0), 'EINVAL');
    assert.is(move(domain.frame + 1, 128), 0);
    assert.is(move(domain.frame + 1, 128), 'EINVAL');

    assert.is(vcpu.info, domain.host + pageSize + 128);
    assert.ok(vcpu.isUpcallMasked);
    assert.ok(vcpu.isUpcallPending);
  }
});

test('timers are set and stopped', () => {
  for (const width of bothWidths) {
    const domain = vcpuDomain(width);
    const { channels, bits, time, timers, clock } = domain;
    const port = channels.bindVirq(VIRQ.TIMER, 0);
    const single = (at: bigint) =>
      call(domain, VCPUOP.set_singleshot_timer, vcpu_set_singleshot_timer, {
        ...{ timeout_abs_ns: at, flags: 1 },
      });
    const periodic = (period_ns: bigint) =>
      call(domain, VCPUOP.set_periodic_timer, vcpu_set_periodic_timer, { period_ns });

    assert.is(plain(domain, VCPUOP.stop_periodic_timer), 0);
    assert.is(single(time.now() + 10n), 0);
    assert.is(plain(domain, VCPUOP.stop_singleshot_timer), 0);
    assert.is(timers.deadline(), undefined);
    assert.is(single(1n), 0);
    timers.expire(clock.now);
    assert.ok(bits.isPending(port));
    assert.equal([periodic(999_999n), periodic(1n << 62n)], ['EINVAL', 'EINVAL']);
    assert.is(periodic(1_000_000n), 0);
    bits.clearPending(port);
    clock.now += 1_000_000n;
    timers.expire(clock.now);
    assert.ok(bits.isPending(port));
  }
});

test('runstates are told once, or wherever the guest wants them', () => {
  const domain = vcpuDomain(32);
  const area = vcpu_runstate_info.layout(32).at(domain.domain.memory, domain.host + 512);

  assert.is(plain(domain, VCPUOP.get_runstate_info, 0, domain.address), 0);
  assert.is(
    call(domain, VCPUOP.register_runstate_memory_area, vcpu_register_runstate_memory_area, {
      addr: domain.address + 512n,
    }),
    0,
  );
  assert.ok(area.state_entry_time > 0n);
});

test.run();

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RUNSTATE, vcpu_runstate_info } from '../../../../runtime/abi/vcpu.ts';
import { shared_info, vcpu_time_info } from '../../../../runtime/abi/xen.ts';
import type { Width } from '../../../../runtime/memory/layout.ts';
import { SystemTime } from '../../../../runtime/xen/time/system-time.ts';
import { VcpuTime } from '../../../../runtime/xen/time/vcpu-time.ts';
import { answer, bothWidths } from '../../../support/xen-answers.ts';
import { testDomain } from '../../../support/xen-domain.ts';

const test = suite('runtime/xen/time/vcpu-time');

const make = (width: Width) => {
  const parts = testDomain(width);
  const time = new SystemTime(parts.clock);
  const vcpuTime = new VcpuTime(parts.domain, time);
  const shared = shared_info.layout(width).at(parts.domain.memory, parts.domain.sharedInfo);
  return { ...parts, time, vcpuTime, shared };
};

/** System time as a guest computes it. */
function guestTime(info: ReturnType<ReturnType<typeof vcpu_time_info.layout>['at']>, tsc: bigint) {
  const delta = (tsc - info.tsc_timestamp) << BigInt(info.tsc_shift);
  return info.system_time + ((delta * BigInt(info.tsc_to_system_mul)) >> 32n);
}

test('a guest computes system time from the counter', () => {
  for (const width of bothWidths) {
    const { clock, time, vcpuTime, shared } = make(width);
    vcpuTime.update();
    clock.now += 123_456_789n;

    const info = shared.vcpu_info[0]?.time;
    assert.ok(info);
    assert.is(guestTime(info, time.timestamp()), time.now());
    assert.is(info.version, 2);
  }
});

test('the version goes on by two with each update', () => {
  const { vcpuTime, shared } = make(64);
  vcpuTime.update();
  vcpuTime.update();

  assert.is(shared.vcpu_info[0]?.time.version, 4);
});

test('the wall clock is where a guest of the width looks for it', () => {
  for (const width of bothWidths) {
    const { clock, time, vcpuTime, shared } = make(width);

    vcpuTime.updateWallClock();

    const high = width === 64 ? shared.wc_sec_hi : shared.arch.wc_sec_hi;
    const seconds = (BigInt(high) << 32n) | BigInt(shared.wc_sec);
    const now = seconds * 1_000_000_000n + BigInt(shared.wc_nsec) + time.now();
    assert.is(now, clock.realtime());
    assert.is(shared.wc_version, 2);
  }
});

test('time that was spent running and waiting is told apart', () => {
  const { domain, clock, vcpuTime } = make(64);
  vcpuTime.enter(RUNSTATE.running);
  clock.now += 100n;
  vcpuTime.enter(RUNSTATE.blocked);
  clock.now += 30n;
  vcpuTime.enter(RUNSTATE.running);
  clock.now += 5n;

  const info = vcpu_runstate_info.layout(domain.width).at(vcpuTime.runstate(), 0);

  assert.is(info.state, RUNSTATE.running);
  assert.equal(info.time, [105n, 0n, 30n, 0n]);
});

test('a guest finds copies where it has asked for them, after each wait', () => {
  for (const width of bothWidths) {
    const { domain, clock, vcpuTime, address, host } = make(width);
    vcpuTime.enter(RUNSTATE.running);
    vcpuTime.registerRunstateArea(address);
    vcpuTime.registerTimeArea(address + 256n);
    const area = vcpu_runstate_info.layout(width).at(domain.memory, host);
    const copy = vcpu_time_info.layout(width).at(domain.memory, host + 256);
    const before = [area.state_entry_time, copy.version] as const;

    vcpuTime.enter(RUNSTATE.blocked);
    clock.now += 30n;
    vcpuTime.enter(RUNSTATE.running);

    assert.is(area.state, RUNSTATE.running);
    assert.is(area.time[RUNSTATE.blocked], 30n);
    assert.ok(area.state_entry_time > before[0]);
    assert.ok(copy.version > before[1]);
  }
});

test("copies are not asked for among Xen's addresses, and nothing happens where nothing is mapped", () => {
  const { vcpuTime } = make(64);

  assert.is(
    answer(() => vcpuTime.registerRunstateArea(0xffff_8000_0000_0000n)),
    'EFAULT',
  );
  assert.is(
    answer(() => vcpuTime.registerTimeArea(0x4000_0000n)),
    0,
  );
  vcpuTime.enter(RUNSTATE.running);
});

test.run();

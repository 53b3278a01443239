/** What calls what, by the calls that the code map did not know. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CallProfile, type Hiding } from '../../../runtime/cpu/call-profile.ts';
import { LinearAddressSpace } from '../../../runtime/memory/address-space.ts';
import { MachineMemory } from '../../../runtime/memory/machine-memory.ts';

const test = suite('runtime/cpu/call-profile');

/** A profile of a vCPU whose stack is at `lo`, and what it has hidden. */
function profileOf(mode: 64 | 32) {
  const memory = new MachineMemory();
  const host = memory.allocate(0x1000);
  const run = { lo: 0x10_0000n, length: 0x1000n, host };
  const profile = new CallProfile({
    layout: { mode },
    memory,
    addressSpace: new LinearAddressSpace(memory, run),
  });
  const hidden: (bigint | undefined)[] = [];
  const map: Hiding = { hide: (address) => hidden.push(address) };
  const call = (returnTo: bigint, target: bigint, sp = run.lo): void => {
    new DataView(memory.memory.buffer).setBigUint64(host, returnTo | (7n << 40n), true);
    profile.called(target, sp, map);
  };
  return { profile, hidden, map, call };
}

for (const mode of [64, 32] as const) {
  const word = (value: bigint): bigint => (mode === 64 ? value | (7n << 40n) : value);

  test(`${mode}: a place of calls has the targets that were seen often, the most frequent first`, () => {
    const { profile, map, call } = profileOf(mode);
    profile.begin(map);
    for (let i = 0; i < 12; i++) call(0x100n, i % 3 === 0 ? 0x20n : 0x10n);
    call(0x100n, 0x30n);
    call(0x200n, 0x30n);

    assert.equal(profile.calledAt(word(0x100n)), [0x10n, 0x20n]);
    assert.equal(profile.calledAt(word(0x200n)), [0x30n]);
    assert.equal(profile.calledAt(word(0x300n)), []);
  });
}

test('calls are looked at for a while, and what was called before is forgotten so that it asks again', () => {
  const { profile, hidden, map, call } = profileOf(64);
  call(1n, 0x10n);
  assert.equal(hidden, [], 'nobody looks');

  profile.begin(map);
  for (let i = 0; i < 1000; i++) call(1n, BigInt(i));

  assert.equal(hidden.slice(0, 3), [undefined, 0n, 1n]);
  assert.ok(hidden.length < 200, `${hidden.length} times`);
  assert.equal(profile.calledAt(1n | (7n << 40n)).length, 0, 'none was called often');
});

test('a stack that is not there says nothing', () => {
  const { profile, map, call } = profileOf(64);
  profile.begin(map);
  call(1n, 0x10n, 0n);
  call(1n, 0x10n, 0xffff_ffff_ffff_fff8n);

  assert.equal(profile.calledAt(1n | (7n << 40n)), []);
});

test.run();

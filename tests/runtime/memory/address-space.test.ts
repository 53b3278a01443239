/** Translation and protection of a linear run. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { LinearAddressSpace } from '../../../runtime/memory/address-space.ts';
import { MachineMemory } from '../../../runtime/memory/machine-memory.ts';

const space = suite('runtime/memory/address-space');

const lo = 0xffff_8000_0000_0000n;

function linear(): { space: LinearAddressSpace; host: number } {
  const machine = new MachineMemory();
  const host = machine.allocate(3 * 4096);
  return { space: new LinearAddressSpace(machine, { lo, length: 3n * 4096n, host }), host };
}

space('virtual addresses of the run lie one after the other in the machine', () => {
  const { space, host } = linear();

  assert.is(space.translate(lo, 'read'), host);
  assert.is(space.translate(lo + 0x2fffn, 'write'), host + 0x2fff);
});

space('outside of it is a page that is not present', () => {
  const { space } = linear();

  assert.equal(space.translate(lo + 0x4000n, 'read'), { errorCode: 0, address: lo + 0x4000n });
  assert.equal(space.translate(lo + 0x3000n, 'write'), { errorCode: 2, address: lo + 0x3000n });
  assert.equal(space.translate(0n, 'execute'), { errorCode: 16, address: 0n });
});

space('an address that is not canonical is no page fault', () => {
  const address = lo - 1n;

  assert.equal(linear().space.translate(address, 'read'), {
    ...{ errorCode: 0, address, isCanonical: false },
  });
});

space('read-only pages are read and refuse stores as present; unmapped ones as absent', () => {
  const { space, host } = linear();
  space.protect(lo + 0x1000n, 1n, false);
  space.unmap(lo + 0x2000n, 1n);

  assert.is(space.translate(lo + 0x1001n, 'read'), host + 0x1001);
  assert.equal(space.translate(lo + 0x1001n, 'write'), { errorCode: 3, address: lo + 0x1001n });
  assert.equal(space.translate(lo + 0x2001n, 'write'), { errorCode: 2, address: lo + 0x2001n });
  assert.is(space.translate(lo + 0xfffn, 'write'), host + 0xfff);

  space.protect(lo + 0x1000n, 1n, true);
  assert.is(space.translate(lo + 0x1001n, 'write'), host + 0x1001);
});

space('code is fetched only from where that was allowed', () => {
  const { space, host } = linear();
  space.allowExecution(lo + 0x10n, 0x20);

  assert.is(space.translate(lo + 0x10n, 'execute'), host + 0x10);
  assert.is(space.translate(lo + 0x2fn, 'execute'), host + 0x2f);
  assert.equal(space.translate(lo + 0x30n, 'execute'), { errorCode: 17, address: lo + 0x30n });
});

space('protecting what is not there is our own mistake', () => {
  assert.throws(() => linear().space.protect(lo + 0x2000n, 0x2000n, false), RangeError);
});

space.run();

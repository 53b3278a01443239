/** What a kernel reads and writes for a guest. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { XenError } from '../../../runtime/errors.ts';
import { LinearAddressSpace } from '../../../runtime/memory/address-space.ts';
import { GuestMemory } from '../../../runtime/memory/guest-memory.ts';
import { MachineMemory } from '../../../runtime/memory/machine-memory.ts';

const memory = suite('runtime/memory/guest-memory');

const lo = 0x10000n;
const pages = 4;

function guestMemory() {
  const machine = new MachineMemory();
  const host = machine.allocate(pages * 4096);
  const space = new LinearAddressSpace(machine, { lo, length: BigInt(pages * 4096), host });
  return { guest: new GuestMemory(machine, space), space };
}

const errnoOf = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    assert.instance(error, XenError);
    return (error as XenError).errno;
  }
  throw new Error('nothing was thrown');
};

memory('what was written over a page border is read back, as a copy', () => {
  const { guest } = guestMemory();
  const bytes = Uint8Array.from({ length: 5000 }, (_, i) => i);

  guest.writeBytes(lo + 100n, bytes);
  const copy = guest.readBytes(lo + 100n, 5000);
  guest.fill(lo, 8192, 0);

  assert.equal(copy, bytes);
});

memory('outside of the guest’s memory is EFAULT, on either side', () => {
  const { guest } = guestMemory();
  const end = lo + BigInt(pages * 4096);

  assert.is(
    errnoOf(() => guest.readBytes(lo - 1n, 1)),
    'EFAULT',
  );
  assert.is(
    errnoOf(() => guest.readBytes(end - 1n, 2)),
    'EFAULT',
  );
  assert.is(
    errnoOf(() => guest.readU32(0n)),
    'EFAULT',
  );
  assert.is(
    errnoOf(() => guest.readBytes(lo, 0x7fff_f000)),
    'EFAULT',
  );
  assert.is(guest.readBytes(end - 1n, 1).length, 1);
});

memory('a write that partly lies in read-only memory changes nothing', () => {
  const { guest, space } = guestMemory();
  space.protect(lo + 4096n, 1, false);

  assert.is(
    errnoOf(() => guest.writeBytes(lo + 4090n, new Uint8Array(10).fill(1))),
    'EFAULT',
  );

  assert.equal(guest.readBytes(lo + 4090n, 10), new Uint8Array(10));
});

memory('a string ends at its NUL, on whatever page', () => {
  const { guest } = guestMemory();
  guest.writeBytes(lo + 4093n, new TextEncoder().encode('größe\0rest'));

  assert.is(guest.readString(lo + 4093n, 100), 'größe');
});

memory(
  'a string without an end within its bound is ENAMETOOLONG, at the end of memory EFAULT',
  () => {
    const { guest } = guestMemory();
    guest.fill(lo, pages * 4096, 65);

    assert.is(
      errnoOf(() => guest.readString(lo, 1024)),
      'ENAMETOOLONG',
    );
    assert.is(
      errnoOf(() => guest.readString(lo + BigInt(pages * 4096 - 10), 1024)),
      'EFAULT',
    );
  },
);

memory('words have the guest’s width', () => {
  const { guest } = guestMemory();
  guest.writeWord(lo, 0x1_2345_6789n, 64);
  guest.writeWord(lo + 8n, -1n, 32);

  assert.equal([guest.readWord(lo, 64), guest.readWord(lo, 32)], [0x1_2345_6789n, 0x2345_6789n]);
  assert.is(guest.readWord(lo + 8n, 64), 0xffff_ffffn);
});

memory.run();

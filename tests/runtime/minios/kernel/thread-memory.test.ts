/** Thread-local variables lie where compilers take them to be: below the word that fs or gs begins at. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { LinearAddressSpace } from '../../../../runtime/memory/address-space.ts';
import { GuestMemory } from '../../../../runtime/memory/guest-memory.ts';
import { MachineMemory } from '../../../../runtime/memory/machine-memory.ts';
import { threadSize } from '../../../../runtime/minios/abi/sched.ts';
import { threadPlace, writeVariables } from '../../../../runtime/minios/kernel/thread-memory.ts';

const threadMemory = suite('runtime/minios/kernel/thread-memory');

const base = 0x10_0000n;
const variables = (size: number, alignment: number) => ({
  ...{ bytes: Uint8Array.of(1, 2, 3), size, alignment },
});

threadMemory('without variables struct thread lies at the base', () => {
  assert.equal(threadPlace(base, 64, undefined), {
    ...{ pointer: undefined, thread: base, size: threadSize[64] },
  });
});

for (const width of [64, 32] as const)
  threadMemory(
    `x86-${width}: the pointer is aligned, points to itself, and the variables end there`,
    () => {
      const machine = new MachineMemory();
      const run = { lo: base, length: 0x4000n, host: machine.allocate(0x4000) };
      const memory = new GuestMemory(machine, new LinearAddressSpace(machine, run));
      memory.fill(base, 0x4000, 0xff);
      const own = variables(100, 64);

      const place = threadPlace(base, width, own);
      writeVariables(memory, place, width, own);

      const pointer = place.pointer ?? 0n;
      assert.is(pointer % 64n, 0n);
      assert.is(memory.readWord(pointer, width), pointer);
      // 100 bytes, rounded up to their alignment: the linker's offsets count from there.
      assert.equal([...memory.readBytes(pointer - 128n, 4)], [1, 2, 3, 0]);
      assert.is(memory.readU32(pointer - 32n), 0);
      assert.ok(pointer - 128n >= base);
      assert.is(place.thread, pointer + 64n);
      assert.is(place.size, Number(place.thread - base) + threadSize[width]);
    },
  );

threadMemory.run();

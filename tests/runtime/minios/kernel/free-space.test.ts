/** The heap and the stacks share what is free. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { XenError } from '../../../../runtime/errors.ts';
import { LinearAddressSpace } from '../../../../runtime/memory/address-space.ts';
import { GuestMemory } from '../../../../runtime/memory/guest-memory.ts';
import { MachineMemory } from '../../../../runtime/memory/machine-memory.ts';
import { FreeSpace } from '../../../../runtime/minios/kernel/free-space.ts';

const space = suite('runtime/minios/kernel/free-space');

const heap = 0x10_0000n;
const pages = 16n;
const end = heap + pages * 4096n;

function freeSpace() {
  const machine = new MachineMemory();
  const length = pages * 4096n;
  const host = machine.allocate(Number(length));
  const linear = new LinearAddressSpace(machine, { lo: heap, length, host });
  const memory = new GuestMemory(machine, linear);
  const map = {
    width: 64,
    mainStack: { low: heap, high: heap },
    trampolines: heap,
    kernelData: heap,
    kernelEnd: heap,
    heap,
    end,
  } as const;
  return { free: new FreeSpace(map, linear, memory), linear, memory };
}

space('a block has a page below it that no store gets through', () => {
  const { free, linear } = freeSpace();

  const start = free.allocateGuarded(8000) ?? 0n;

  assert.is(start, end - 8192n);
  assert.type(linear.translate(start, 'write'), 'number');
  assert.equal(linear.translate(start - 1n, 'write'), { errorCode: 3, address: start - 1n });
});

space('the heap and the blocks stop at each other', () => {
  const { free } = freeSpace();
  free.moveBreak(10n * 4096n);

  assert.is(free.allocateGuarded(6 * 4096), undefined);
  assert.is(free.allocateGuarded(5 * 4096), heap + 11n * 4096n);
  assert.throws(
    () => free.moveBreak(1n),
    (error: unknown) => error instanceof XenError,
  );
  assert.is(free.moveBreak(0n), heap + 10n * 4096n);
});

space('what the heap and the blocks leave is counted', () => {
  const { free } = freeSpace();
  free.moveBreak(10n);
  free.allocateGuarded(4096);

  assert.equal(free.counts, { all: pages, free: pages - 3n });
});

space('a block that came back is given out again', () => {
  const { free } = freeSpace();
  const first = free.allocateGuarded(4096) ?? 0n;
  const second = free.allocateGuarded(4096);

  free.free(first, 4096);

  assert.is(free.allocateGuarded(4096), first);
  assert.is.not(second, first);
});

space('the heap shrinks to its start and no further, and what comes again is zero', () => {
  const { free, memory } = freeSpace();
  free.moveBreak(6000n);
  memory.fill(heap, 6000, 9);

  free.moveBreak(-5000n);
  assert.is(memory.readBytes(heap, 1)[0], 9);
  assert.throws(() => memory.writeU32(heap + 4096n, 1));
  assert.throws(() => free.moveBreak(-1001n));
  free.moveBreak(5000n);

  assert.is(memory.readBytes(heap + 999n, 1)[0], 9);
  assert.ok(memory.readBytes(heap + 1000n, 5000).every((byte) => byte === 0));
});

space.run();

/** Whole pages for mmap, and what may be done with them. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { LinearAddressSpace } from '../../../../runtime/memory/address-space.ts';
import { GuestMemory } from '../../../../runtime/memory/guest-memory.ts';
import { MachineMemory } from '../../../../runtime/memory/machine-memory.ts';
import { FreeSpace } from '../../../../runtime/minios/kernel/free-space.ts';
import { MapArea } from '../../../../runtime/minios/kernel/map-area.ts';
import { errnoOf } from '../../../support/errno-of.ts';

const area = suite('runtime/minios/kernel/map-area');

const page = 4096n;
const data = 0x10_0000n;
const heap = data + 2n * page;
const end = heap + 16n * page;
const [none, read, both] = [0, 1, 3];

/** Two pages of data, then sixteen that are free. */
function mapArea() {
  const machine = new MachineMemory();
  const length = end - data;
  const host = machine.allocate(Number(length));
  const linear = new LinearAddressSpace(machine, { lo: data, length, host });
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
  const space = new FreeSpace(map, linear, memory);
  const parts = { space, addressSpace: linear, memory, data: [{ start: data, end: heap }] };
  return { pages: new MapArea(parts), space, linear, memory };
}

area('pages are zeros that may be written, below what was given before', () => {
  const { pages, memory } = mapArea();

  const first = pages.take(1n);
  const second = pages.take(2n * page);

  assert.is(first, end - page);
  assert.is(second, end - 3n * page);
  memory.fill(second, 8192, 9);
  assert.is(memory.readU32(first), 0);
});

area('what came back faults, and is zeros when it is given again', () => {
  const { pages, linear, memory } = mapArea();
  const first = pages.take(page);
  const second = pages.take(2n * page);
  memory.fill(second, 8192, 9);
  memory.fill(first, 4096, 9);

  pages.give(first, page);
  assert.throws(() => memory.writeU32(first, 1));
  pages.give(second + page, page);
  const again = pages.take(2n * page);

  assert.is(again, second + page);
  assert.is(memory.readU32(again), 0);
  assert.is(memory.readU32(second), 0x0909_0909);
  assert.type(linear.translate(again, 'write'), 'number');
});

area('the heap grows into what came back, as zeros', () => {
  const { pages, space, memory } = mapArea();
  const all = pages.take(16n * page);
  memory.fill(all, Number(16n * page), 9);
  assert.throws(() => space.moveBreak(1n));

  pages.give(all + 8n * page, 8n * page);
  pages.give(all, 8n * page);
  space.moveBreak(16n * page);

  assert.is(memory.readU32(heap), 0);
  assert.is(memory.readU32(end - 4n), 0);
});

area('only what was given comes back, and there is no more than there is', () => {
  const { pages } = mapArea();
  const start = pages.take(page);

  assert.is(
    errnoOf(() => pages.take(16n * page)),
    'ENOMEM',
  );
  assert.is(
    errnoOf(() => pages.take(0n)),
    'ENOMEM',
  );
  assert.is(
    errnoOf(() => pages.give(start, 2n * page)),
    'EINVAL',
  );
  assert.is(
    errnoOf(() => pages.give(start - page, page)),
    'EINVAL',
  );
  pages.give(start, page);
  assert.is(
    errnoOf(() => pages.give(start, page)),
    'EINVAL',
  );
});

area('pages of data, the heap and mappings can be protected, and others cannot', () => {
  const { pages, space, memory } = mapArea();
  space.moveBreak(page);
  const mapped = pages.take(2n * page);

  for (const start of [data, heap, mapped]) {
    pages.protect(start, page, read);
    assert.is(memory.readU32(start), 0);
    assert.throws(() => memory.writeU32(start, 1));
    pages.protect(start, page, both);
    memory.writeU32(start, 1);
  }
  pages.protect(mapped, 2n * page, none);
  assert.throws(() => memory.writeU32(mapped + page, 1));
  pages.protect(mapped, 0n, read);

  assert.is(
    errnoOf(() => pages.protect(heap + page, page, read)),
    'ENOMEM',
  );
  assert.is(
    errnoOf(() => pages.protect(mapped + 1n, page, read)),
    'EINVAL',
  );
  assert.is(
    errnoOf(() => pages.protect(mapped, page, 4)),
    'EINVAL',
  );
  pages.give(mapped + page, page);
  assert.is(
    errnoOf(() => pages.protect(mapped, 2n * page, read)),
    'ENOMEM',
  );
});

area.run();

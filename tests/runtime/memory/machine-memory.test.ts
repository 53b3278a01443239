/** Frames: contiguous, zero, and given back. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  framesOffset,
  MachineMemory,
  pageFlags,
  pageFlagsOffset,
} from '../../../runtime/memory/machine-memory.ts';
import { random } from '../../support/random.ts';

const memory = suite('runtime/memory/machine-memory');

memory('frames begin above the flags, and the memory grows for them', () => {
  const machine = new MachineMemory();

  const first = machine.allocate(5000);
  const second = machine.allocate(2 ** 20);

  assert.is(first, framesOffset);
  assert.is(second, framesOffset + 8192);
  assert.ok(machine.bytes().length >= second + 2 ** 20);
  assert.is(machine.view().byteLength, machine.bytes().length);
});

memory('frames that come back are zero and have no flags for their next owner', () => {
  const machine = new MachineMemory();
  const start = machine.allocate(8192);
  machine.allocate(4096);
  machine.bytes().fill(7, start, start + 8192);
  machine.setFlags(start, 8192, pageFlags.readOnly);

  machine.free(start, 8192);
  const again = machine.allocate(8192);

  assert.is(again, start);
  assert.ok(
    machine
      .bytes()
      .subarray(again, again + 8192)
      .every((byte) => byte === 0),
  );
  assert.is(machine.flagsAt(again), 0);
});

memory('neighbours that come back make one run', () => {
  const machine = new MachineMemory();
  const [a, b] = [machine.allocate(4096), machine.allocate(4096)];
  machine.allocate(4096);

  machine.free(b, 4096);
  machine.free(a, 4096);

  assert.is(machine.allocate(8192), a);
});

memory('a page’s flag is the byte that recompiled stores look at', () => {
  const machine = new MachineMemory();
  const start = machine.allocate(3 * 4096);

  machine.setFlags(start + 4096, 4096, pageFlags.readOnly);

  const index = pageFlagsOffset + start / 4096;
  const { next, readOnly } = pageFlags;
  assert.equal([...machine.bytes().subarray(index - 1, index + 3)], [0, next, readOnly, 0]);
});

memory('a page knows whether the next one has flags, however they come and go', () => {
  const machine = new MachineMemory();
  const start = machine.allocate(4 * 4096);
  const index = pageFlagsOffset + start / 4096;
  const { next, readOnly, code } = pageFlags;
  const flags = (): number[] => [...machine.bytes().subarray(index, index + 4)];

  machine.setFlags(start + 4096, 2 * 4096, readOnly);
  assert.equal(flags(), [next, readOnly | next, readOnly, 0]);
  machine.holdCode(start + 3 * 4096, start + 3 * 4096 + 5);
  assert.equal(flags(), [next, readOnly | next, readOnly | next, code]);
  machine.setFlags(start + 4096, 4096, 0);
  assert.equal(flags(), [0, next, readOnly | next, code]);
  machine.releaseCode(start + 3 * 4096);

  assert.equal(flags(), [0, next, readOnly, 0]);
  assert.is(machine.flagsAt(start + 4096), 0);
});

memory('state blocks are aligned, apart, and below the flags', () => {
  const machine = new MachineMemory();
  const [a, b] = [machine.allocateState(0x3f8), machine.allocateState(0x3f8)];

  assert.equal([a, b], [0x1000, 0x1400]);
  assert.throws(() => machine.allocateState(0x1_0000), /no more vCPUs/);
});

memory('what is given back piece by piece, in any order, is whole again', () => {
  const machine = new MachineMemory();
  const pages = 1000;
  const start = machine.allocate(pages * 4096);
  const r = random(5);
  const order = Array.from({ length: pages }, (_, n) => n);
  for (const n of order.keys()) {
    const other = n + r.below(pages - n);
    [order[n], order[other]] = [order[other] ?? 0, order[n] ?? 0];
  }

  for (const page of order) machine.free(start + page * 4096, 4096);

  assert.is(machine.allocate(pages * 4096), start);
});

memory('more than the declared maximum is refused in one line', () => {
  const machine = new MachineMemory(2 ** 20);

  assert.throws(() => machine.allocate(3 * 2 ** 20), /the host gives no \d+ MiB/);
});

memory.run();

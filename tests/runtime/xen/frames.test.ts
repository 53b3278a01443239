import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { DOMID } from '../../../runtime/abi/xen.ts';
import { MachineMemory } from '../../../runtime/memory/machine-memory.ts';
import { FrameTable, INVALID_M2P_ENTRY } from '../../../runtime/xen/frames.ts';

const test = suite('runtime/xen/frames');

const table = (): FrameTable => new FrameTable(new MachineMemory(16 * 2 ** 20));

test('frames belong to whom they were given, and their numbers tell where they lie', () => {
  const frames = table();

  const first = frames.allocate(7, 3);

  assert.is(frames.ownerOf(first + 2), 7);
  assert.is(frames.ownerOf(first + 3), DOMID.INVALID);
  const host = frames.hostOf(first + 1) ?? 0;
  assert.is(frames.frameOf(host + 4095), first + 1);
  assert.is(frames.hostOf(0), undefined);
  assert.is(frames.hostOf(frames.end), undefined);
});

test('the machine-to-physical table says nothing of frames that are given back', () => {
  const frames = table();
  const frame = frames.allocate(1, 1);
  const [wide, narrow] = [frames.m2p(64), frames.m2p(32)];

  frames.setPseudoPhysical(frame, 5n);
  const view = frames.memory.view();
  assert.is(view.getBigUint64(wide + 8 * frame, true), 5n);
  assert.is(view.getUint32(narrow + 4 * frame, true), 5);
  frames.giveUp(frame);

  assert.is(frames.memory.view().getBigUint64(wide + 8 * frame, true), INVALID_M2P_ENTRY);
  assert.is(frames.memory.view().getUint32(narrow + 4 * frame, true), 0xffff_ffff);
  assert.is(frames.ownerOf(frame), DOMID.INVALID);
});

test('counts do not go below 0', () => {
  const frames = table();
  const frame = frames.allocate(1, 1);

  assert.is(frames.addTypeCount(frame, 1), 1);
  assert.is(frames.addTypeCount(frame, -1), 0);

  assert.throws(() => frames.addTypeCount(frame, -1), /released too often/);
});

test.run();

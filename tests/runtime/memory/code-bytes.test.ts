/** Bits of bytes that code was made from: never clear where it was, and clear again once it is forgotten. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CodeBytes, codeBitsBytes } from '../../../runtime/memory/code-bytes.ts';
import { MachineMemory } from '../../../runtime/memory/machine-memory.ts';

const test = suite('runtime/memory/code-bytes');

const page = 0x3000;

test('bytes beside code are none of it', () => {
  const code = new CodeBytes(new MachineMemory());

  code.hold(page + 0x10, page + 0x19);

  const touched = [0x0f, 0x10, 0x18, 0x19].map((at) => code.touches(page + at, 1));
  assert.equal(touched, [false, true, true, false]);
  assert.equal([code.touches(page + 8, 9), code.touches(page - 100, 200)], [true, true]);
  assert.is(code.touches(page + 0x1010, 1), false);
});

test('what is written stays code only where something was made from it', () => {
  const code = new CodeBytes(new MachineMemory());
  code.hold(page, page + 0x20);

  code.forgotten(page + 8, 8);

  assert.equal([code.touches(page + 7, 1), code.touches(page + 8, 8)], [true, false]);
  assert.is(code.touches(page + 8, 9), true);
});

test('a page holds code until the last function is gone', () => {
  const code = new CodeBytes(new MachineMemory());

  assert.equal([code.hold(page, page + 4), code.hold(page + 2, page + 8)], [true, false]);
  assert.equal([code.release(page), code.has(page)], [false, true]);
  assert.equal([code.release(page + 2), code.has(page), code.isEmpty], [true, false, true]);
  assert.is(code.touches(page, 4096), false);
});

test('the copy of a page’s bits is as they are, and goes to another page after it', () => {
  const memory = new MachineMemory();
  const code = new CodeBytes(memory);
  code.hold(page + 9, page + 11);

  const at = code.bitsOf(page) ?? 0;
  const bits = (): number[] => [...memory.bytes().subarray(at, at + codeBitsBytes)];
  assert.equal(bits().slice(0, 3), [0, 6, 0]);
  code.hold(page + 4095, page + 4096);
  code.forgotten(page + 9, 1);

  assert.equal([bits()[1], bits()[codeBitsBytes - 1]], [4, 0x80]);
  assert.is(code.bitsOf(page + 0x1000), undefined);
  code.release(page + 9);
  code.release(page + 4095);
  code.hold(page + 0x1000, page + 0x1001);
  assert.is(code.bitsOf(page + 0x1000), at);
  assert.equal(bits().slice(0, 2), [1, 0]);
});

test('without room there is no copy', () => {
  const code = new CodeBytes({ bytes: () => new Uint8Array(0), tryAllocate: () => undefined });

  code.hold(page, page + 1);

  assert.is(code.bitsOf(page), undefined);
});

test.run();

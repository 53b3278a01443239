/** DR7 says what of DR0 to DR3 is watched (SDM vol. 3, figure 18-1). */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { DebugRegisters } from '../../../runtime/cpu/debug-registers.ts';

const test = suite('runtime/cpu/debug-registers');

const armed = (control: bigint, ...addresses: readonly bigint[]): DebugRegisters => {
  const debug = new DebugRegisters();
  addresses.forEach((address, i) => {
    debug.set(i, address);
  });
  debug.set(7, control);
  return debug;
};

test('at reset nothing is watched, and fixed bits read as 1', () => {
  const debug = new DebugRegisters();

  assert.not(debug.isArmed);
  assert.equal(debug.all, [0n, 0n, 0n, 0n, 0n, 0n, 0xffff_0ff0n, 0x400n]);
});

test('a local or a global bit enables a breakpoint, LE and GE do not', () => {
  assert.ok(armed(1n).isArmed);
  assert.ok(armed(0x80n).isArmed);
  assert.not(armed(0x300n).isArmed);
});

test('an instruction is met at its first byte, and never as data', () => {
  const debug = armed(0x5n, 0x1000n, 0x2000n);

  assert.is(debug.atInstruction(0x1000n), 1n);
  assert.is(debug.atInstruction(0x2000n), 2n);
  assert.is(debug.atInstruction(0x1001n), 0n);
  assert.is(debug.atAccess(0x1000n, 8, true), 0n);
});

test('writes, and reads and writes, are met wherever they overlap', () => {
  const writes = armed(0xd_0001n, 0x1002n); // 4 bytes, whose place is aligned
  const both = armed(0xb0_0004n, 0n, 0x1000n); // 8 bytes

  assert.is(writes.atAccess(0x0fffn, 2, true), 1n);
  assert.is(writes.atAccess(0x1003n, 1, true), 1n);
  assert.is(writes.atAccess(0x1004n, 1, true), 0n);
  assert.is(writes.atAccess(0x1000n, 4, false), 0n);
  assert.is(both.atAccess(0x1007n, 1, false), 2n);
  assert.is(both.atAccess(0x1008n, 1, false), 0n);
  assert.is(both.atInstruction(0x1000n), 0n);
});

test('reasons gather in DR6 until somebody clears them', () => {
  const debug = armed(1n);

  debug.tell(1n);
  debug.tell(0x4000n);

  assert.is(debug.get(6), 0xffff_4ff1n);
});

test.run();

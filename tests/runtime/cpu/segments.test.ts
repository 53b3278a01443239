/** Segment loads and descriptors by hand: SDM vol. 2, MOV, POP, LDS, LAR, LSL, VERR; vol. 3, 5.6 and 5.7. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { UnsupportedError } from '../../../runtime/errors.ts';
import { RAX, RCX, RSI, RSP } from '../../../runtime/x86/registers.ts';
import { runSystem, type World, words } from '../../support/run-system.ts';
import { world, world64 } from '../../support/test-segments.ts';

const test = suite('runtime/cpu/segments');

const data = 0x2000_0400n;
const stack = 0x3000_1000n;
const gp = (errorCode = 0) => ({ vector: 13, errorCode });

const loadDs = (selector: number, more: World = world) =>
  runSystem(32, '8e d8', { ...more, registers: { [RAX]: BigInt(selector) } });
const loadSs = (selector: number, more: World = world) =>
  runSystem(32, '8e d0', { ...more, registers: { [RAX]: BigInt(selector) } });

test('DS takes what both levels may read, or nothing', () => {
  for (const selector of [0, 3, 0x23, 0x20, 0x28, 0x1b, 0x43])
    assert.is(loadDs(selector).selectors[3], selector, selector.toString(16));
});

test('DS refuses a level, a type, an absent segment and what is beyond the table', () => {
  // level 0, execute-only, TSS, beyond
  for (const selector of [0x13, 0x33, 0x4b, 0x1003])
    assert.equal(loadDs(selector).outcome, gp(selector & ~3), selector.toString(16));
  assert.equal(loadDs(0x3b).outcome, { vector: 11, errorCode: 0x38 });
  assert.is(loadDs(0x13).selectors[3], 0x23);
});

test('SS takes writable data of the very level', () => {
  assert.is(loadSs(0x23).selectors[2], 0x23);
  assert.equal(loadSs(0).outcome, gp(0));
  // RPL 0, read-only, code, level 0
  for (const selector of [0x20, 0x2b, 0x1b, 0x13])
    assert.equal(loadSs(selector).outcome, gp(selector & ~3), selector.toString(16));
  assert.equal(loadSs(0x3b).outcome, { vector: 12, errorCode: 0x38 });
});

test('below level 3 a 64-bit SS may be null', () => {
  const ring1 = { ...world, selectors: [0, 0x59, 0x23, 0, 0, 0] };
  const run = runSystem(64, '8e d0', { ...ring1, registers: { [RAX]: 1n } });

  assert.is(run.selectors[2], 1);
});

test('FS and GS bring their base along, and a null selector takes it away', () => {
  const loaded = runSystem(64, '8e e8', { ...world64, registers: { [RAX]: 0x53n } });
  assert.is(loaded.gsBase, 0x1234_5000n);
  assert.is(loaded.selectors[5], 0x53);

  assert.is(runSystem(64, '8e e0', { ...world64, registers: { [RAX]: 0n } }).fsBase, 0n);
});

test('another segment with a base is not supported in 32-bit code, and ignored in 64-bit code', () => {
  assert.throws(
    () => loadDs(0x53),
    (error: unknown) => error instanceof UnsupportedError,
  );
  const run = runSystem(64, '8e d8', { ...world64, registers: { [RAX]: 0x53n } });
  assert.is(run.selectors[3], 0x53);
});

test('POP moves the stack by its operand size, and not where the selector is refused', () => {
  const memory = [{ address: stack, bytes: words(8, 0x23) }];
  // pop ds; pop fs; popw fs
  assert.is(runSystem(32, '1f', { ...world, memory }).cpu.register(RSP), stack + 4n);
  assert.is(runSystem(64, '0f a1', { ...world64, memory }).cpu.register(RSP), stack + 8n);
  assert.is(runSystem(64, '66 0f a1', { ...world64, memory }).cpu.register(RSP), stack + 2n);

  const refused = runSystem(32, '1f', {
    ...world,
    memory: [{ address: stack, bytes: words(4, 0x13) }],
  });
  assert.equal(refused.outcome, gp(0x10));
  assert.is(refused.cpu.register(RSP), stack);
});

test('LDS to LSS load a pointer: the offset lies first', () => {
  const memory = [
    { address: data, bytes: Uint8Array.from([...words(4, 0x89ab_cdef), ...words(2, 0x23)]) },
  ];
  // lds ecx,[esi]; les; lfs; lgs; lss
  const registers = { [RSI]: data };
  const forms = [
    ['c5 0e', 3],
    ['c4 0e', 0],
    ['0f b4 0e', 4],
    ['0f b5 0e', 5],
    ['0f b2 0e', 2],
  ] as const;
  for (const [code, index] of forms) {
    const run = runSystem(32, code, { ...world, memory, registers });
    assert.is(run.cpu.register(RCX), 0x89ab_cdefn, code);
    assert.is(run.selectors[index], 0x23, code);
  }

  const wide = [
    {
      address: data,
      bytes: Uint8Array.from([...words(8, 0x1122_3344_5566_7788n), ...words(2, 0x23)]),
    },
  ];
  const run = runSystem(64, '48 0f b5 0e', { ...world64, memory: wide, registers });
  assert.is(run.cpu.register(RCX), 0x1122_3344_5566_7788n);
});

test('LAR and LSL show the descriptor and set ZF, or clear it and change nothing', () => {
  const registers = (selector: number) => ({ [RCX]: BigInt(selector), [RAX]: 0x55n });
  const lar = (selector: number, mode: 64 | 32 = 32) =>
    runSystem(mode, '0f 02 c1', {
      ...(mode === 64 ? world64 : world),
      registers: registers(selector),
    });
  const isSet = (flags: bigint): boolean => (flags & 0x40n) !== 0n;

  assert.is(lar(0x1b).cpu.register(RAX), 0xc0_fb00n);
  assert.ok(isSet(lar(0x1b).flags));
  assert.is(lar(0x43).cpu.register(RAX), 0xc0_9f00n); // conforming
  for (const selector of [0, 0x13, 0x1003]) {
    assert.is(lar(selector).cpu.register(RAX), 0x55n);
    assert.not.ok(isSet(lar(selector).flags));
  }
  // A call gate of 16 bits is known to 32-bit code alone.
  assert.ok(isSet(lar(0x6b).flags));
  assert.not.ok(isSet(lar(0x6b, 64).flags));
  const narrow = runSystem(32, '66 0f 02 c1', { ...world, registers: registers(0x1b) });
  assert.is(narrow.cpu.register(RAX), 0xfb00n);

  const lsl = runSystem(64, '0f 03 c1', { ...world64, registers: registers(0x1b) });
  assert.is(lsl.cpu.register(RAX), 0xffff_ffffn);
  assert.not.ok(isSet(runSystem(32, '0f 03 c1', { ...world, registers: registers(0x6b) }).flags));
});

test('VERR and VERW say in ZF whether a segment may be read and written', () => {
  const zf = (code: string, selector: number): boolean =>
    (runSystem(32, code, { ...world, registers: { [RAX]: BigInt(selector) } }).flags & 0x40n) !==
    0n;

  // verr ax; verw ax
  assert.equal(
    [0x23, 0x2b, 0x1b, 0x33, 0x13, 0x43, 0].map((s) => zf('0f 00 e0', s)),
    [true, true, true, false, false, true, false],
  );
  assert.equal(
    [0x23, 0x2b, 0x1b, 0x13, 0].map((s) => zf('0f 00 e8', s)),
    [true, false, false, false, false],
  );
});

test.run();

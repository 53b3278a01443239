/** Far CALL, JMP, RET and IRET by hand: SDM vol. 2, their operation sections; vol. 3, 5.8 and 6.12. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RSI, RSP } from '../../../runtime/x86/registers.ts';
import { runSystem, type World, words } from '../../support/run-system.ts';
import { world, world64 } from '../../support/test-segments.ts';
import { vectorRip } from '../../support/vectors/state.ts';

const test = suite('runtime/cpu/far-transfer');

const data = 0x2000_0400n;
const stack = 0x3000_1000n;
const gp = (errorCode = 0) => ({ vector: 13, errorCode });
const next = (rip: bigint) => ({ kind: 'next', rip });

const pointer = (offset: bigint, selector: number, bytes = 4) => [
  { address: data, bytes: Uint8Array.from([...words(bytes, offset), ...words(2, selector)]) },
];
const registers = { [RSI]: data };

test('a far jump goes to code of its own level', () => {
  const jump = runSystem(32, 'ff 2e', { ...world, registers, memory: pointer(0x1234n, 0x1b) });
  assert.equal(jump.outcome, next(0x1234n));

  const direct = runSystem(32, 'ea 78 56 34 12 18 00', world); // jmp far 18h:12345678h
  assert.equal(direct.outcome, next(0x1234_5678n));
  assert.is(direct.selectors[1], 0x1b); // RPL becomes the level

  const conforming = runSystem(32, 'ff 2e', { ...world, registers, memory: pointer(0x10n, 0x40) });
  assert.is(conforming.selectors[1], 0x43);
});

test('a far jump elsewhere raises what the manual says', () => {
  const to = (selector: number, offset = 0n, mode: 64 | 32 = 32) =>
    runSystem(mode, 'ff 2e', {
      ...(mode === 64 ? world64 : world),
      registers,
      memory: pointer(offset, selector),
    }).outcome;

  assert.equal(to(0), gp(0));
  assert.equal(to(0x23), gp(0x20)); // data
  assert.equal(to(0x08), gp(0x08)); // level 0
  assert.equal(to(0x1003), gp(0x1000)); // beyond the table
  assert.equal(to(0x63, 0n, 64), { vector: 11, errorCode: 0x60 }); // not present
  assert.throws(() => to(0x6b), /a gate or task/);
  assert.throws(() => to(0x1b, 0n, 64), /of another width than 64/);
  const far = runSystem(64, '48 ff 2e', {
    ...world64,
    registers,
    memory: pointer(1n << 63n, 0x5b, 8),
  });
  assert.equal(far.outcome, gp(0)); // not canonical
});

test('a far call pushes CS and the return address, which a far return takes back', () => {
  const call = runSystem(64, '48 ff 1e', {
    ...world64,
    registers,
    memory: pointer(0x1234n, 0x5b, 8),
  });
  assert.equal(call.outcome, next(0x1234n));
  assert.is(call.cpu.register(RSP), stack - 16n);
  assert.is(call.cpu.memory.load(stack - 16n, 8), vectorRip + 3n);
  assert.is(call.cpu.memory.load(stack - 8n, 8), 0x5bn);

  const memory = [{ address: stack, bytes: words(4, 0x4321, 0x1b) }];
  const back = runSystem(32, 'ca 08 00', { ...world, memory }); // retf 8
  assert.equal(back.outcome, next(0x4321n));
  assert.is(back.cpu.register(RSP), stack + 16n);
});

test('a far return to a level of more privilege, or with a null selector, is refused', () => {
  const back = (selector: number) =>
    runSystem(32, 'cb', { ...world, memory: [{ address: stack, bytes: words(4, 0, selector) }] });

  assert.equal(back(0x08).outcome, gp(0x08));
  assert.equal(back(0).outcome, gp(0));
  assert.is(back(0x08).cpu.register(RSP), stack);
});

const ring1: World = { ...world, selectors: [0x79, 0x71, 0x79, 0x79, 0x23, 0] };

test('a far return to less privilege switches stacks and drops segments', () => {
  const memory = [{ address: stack, bytes: words(4, 0x4321, 0x1b, 0xaaaa, 0x2000_0800, 0x23) }];
  const back = runSystem(32, 'ca 04 00', { ...ring1, memory }); // retf 4

  assert.equal(back.outcome, next(0x4321n));
  assert.is(back.cpu.register(RSP), 0x2000_0804n);
  assert.equal(back.selectors, [0, 0x1b, 0x23, 0, 0x23, 0]);
});

test('IRET takes back flags: IF and IOPL are not those of level 3', () => {
  const memory = [{ address: stack, bytes: words(4, 0x4321, 0x1b, 0x37_7fff) }];
  const back = runSystem(32, 'cf', { ...world, memory, flags: 0x202n });

  assert.equal(back.outcome, next(0x4321n));
  assert.is(back.flags, 0x24_4fd7n | 0x202n | 0x1_0000n);
  assert.is(back.cpu.register(RSP), stack + 12n);
});

test('IRETQ takes back the stack as well', () => {
  const memory = [{ address: stack, bytes: words(8, 0x4321, 0x5b, 0x202, 0x2000_0800, 0x23) }];
  const back = runSystem(64, '48 cf', { ...world64, memory });

  assert.equal(back.outcome, next(0x4321n));
  assert.is(back.cpu.register(RSP), 0x2000_0800n);
  assert.is(back.selectors[2], 0x23);
});

test('IRET from level 1 returns to level 3', () => {
  const memory = [{ address: stack, bytes: words(4, 0x4321, 0x1b, 0x202, 0x2000_0800, 0x23) }];
  const back = runSystem(32, 'cf', { ...ring1, memory });

  assert.equal(back.outcome, next(0x4321n));
  assert.equal(back.selectors, [0, 0x1b, 0x23, 0, 0x23, 0]);
});

test('the environment hears of a return to another level, and of no other', () => {
  let heard = 0;
  const environment = { levelChanged: () => void heard++ };
  const to = (selector: number, stackSelector: number) => [
    { address: stack, bytes: words(4, 0x4321, selector, 0x202, 0x2000_0800, stackSelector) },
  ];

  runSystem(32, 'cf', { ...world, environment, memory: to(0x1b, 0x23) });
  assert.is(heard, 0);
  runSystem(32, 'cf', {
    ...ring1,
    environment: { ...ring1.environment, ...environment },
    memory: to(0x1b, 0x23),
  });
  assert.is(heard, 1);
});

test('IRET refuses a null stack, and a nested task', () => {
  const memory = [{ address: stack, bytes: words(8, 0x4321, 0x5b, 0x202, 0x2000_0800, 0) }];
  assert.equal(runSystem(64, '48 cf', { ...world64, memory }).outcome, gp(0));
  assert.equal(runSystem(64, '48 cf', { ...world64, flags: 0x4202n }).outcome, gp(0));
  assert.equal(runSystem(32, 'cf', { ...world, flags: 0x4202n }).outcome, gp(0));
});

test.run();

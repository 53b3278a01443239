/** Flags as who leaves finds them, wherever they come from: registers, the state block, or what was loaded. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as v from '../../../../runtime/ir/build.ts';
import { Builder } from '../../../../runtime/ir/builder.ts';
import type { Statement } from '../../../../runtime/ir/value.ts';
import type { FlagsAt } from '../../../../runtime/recompiler/lower/flag-sources.ts';
import {
  areSame,
  atStart,
  flagsOfBlock,
  visibility,
} from '../../../../runtime/recompiler/lower/flag-sources.ts';
import { addRule, subRule } from '../../../../runtime/x86/instructions/flag-rules.ts';
import { RAX, RBX, RCX, XMM0 } from '../../../../runtime/x86/registers.ts';
import { guestOf } from '../../../support/lockstep-guest.ts';

const test = suite('runtime/recompiler/lower/flag-sources');

const arithmetic = 0x8d5n;

// biome-ignore format: a table
const cases: readonly (readonly [string, string, bigint])[] = [
  // eax 3, ebx 4, ecx 5; 3 - 4 sets CF, PF, AF and SF.
  ['registers that are still there', 'cmp eax, ebx', 0x95n],
  ['a register that was set since', 'cmp eax, ebx\nmov eax, 7', 0x95n],
  ['the register that a difference went to', 'sub eax, ebx', 0x95n],
  ['a register that was moved away and set', 'cmp eax, ebx\nmov edi, eax\nmov eax, 7', 0x95n],
  ['the difference gone as well', 'sub eax, ebx\nmov eax, 9', 0x95n],
  ['a byte of a register', 'cmp al, bl\nmov ecx, 1', 0x95n],
  ['a sum in a stepped register', 'add eax, ebx\nlea eax, [eax + 1]', 0x0n],
  ['what was loaded', 'cmp eax, [four]\nmov ecx, 1', 0x95n],
  ['a shift by nothing behind', 'cmp eax, ebx\nmov cl, 0\nshl ebx, cl', 0x95n],
  ['a shift by one behind', 'cmp eax, ebx\nmov cl, 1\nshl ebx, cl', 0x0n],
  ['two ways that meet, by the jump', 'cmp eax, ebx\njb 2f\nxor ecx, ecx\n2: nop', 0x95n],
  ['two ways that meet, by the other', 'cmp ebx, eax\njb 2f\nxor ecx, ecx\n2: nop', 0x44n],
  ['a loop left at its first round', 'mov edi, 3\n2: cmp eax, ebx\njb 3f\ndec edi\njnz 2b\n3: nop', 0x95n],
  ['a loop gone round', 'mov edi, 3\n2: mov edx, [four]\ndec edi\njnz 2b', 0x44n],
  ['what was loaded blocks before', 'cmp eax, [four]\njmp 2f\n2: mov eax, 1\njmp 3f\n3: mov ecx, eax', 0x95n],
  ['what was loaded on two ways, by the jump', 'cmp eax, ebx\njb 2f\ncmp ebx, [four]\njmp 3f\n2: cmp eax, [four]\n3: nop', 0x95n],
  ['what was loaded on two ways, by the other', 'cmp ebx, eax\njb 2f\ncmp ebx, [four]\njmp 3f\n2: cmp eax, [four]\n3: nop', 0x44n],
  ['bytes that were loaded', 'cmp al, byte ptr [four]\nmov al, 0\njmp 2f\n2: mov ebx, 1', 0x95n],
  ['what was borrowed and loaded', 'stc\nsbb eax, [four]\nmov eax, 0\njmp 2f\n2: mov ebx, 1', 0x91n],
  ['registers that went in a later block', 'cmp eax, ebx\njmp 2f\n2: mov eax, 1\nmov ebx, [four]\nmov ebx, 2', 0x95n],
  ['loads before a loop', 'mov esi, 0\nmov edi, 2\ncmp edi, [four]\n2: mov esi, [rsi]\nlea edi, [edi + 1]\ncmp edi, [four]\nmov edx, 0\njmp 2b', 0x91n],
  ['loads before and in a loop', 'mov esi, offset first\nmov edi, 2\ncmp edi, [four]\n2: mov esi, [rsi]\nlea edi, [edi + 1]\ncmp edi, [four]\nmov edx, 0\njmp 2b', 0x44n],
  ['a shift by nothing behind a load', 'cmp eax, [four]\njmp 2f\n2: mov cl, 0\nshl ebx, cl', 0x95n],
  ['a call', 'cmp eax, ebx\ncall 3f\njmp 4f\n3: mov ecx, 1\nret\n4: nop', 0x95n],
];

for (const width of [64, 32] as const)
  for (const tier of ['resumable', 'fast'] as const)
    for (const [what, source, flags] of cases)
      test(`${width}, ${tier}: a fault finds the flags of ${what}`, async () => {
        const guest = await guestOf(
          width,
          `start: mov eax, 3\nmov ebx, 4\nmov ecx, 5\njmp 1f\nfour: .long 4\nfirst: .long second\nsecond: .long 0\n1: ${source}
           mov esi, 0\nmov edx, [rsi]`,
          { tier },
        );

        const leave = await guest.run();

        assert.is(leave.reason === 'exception' && leave.vector, 14);
        assert.is(guest.cpu.eflags & arithmetic, flags);
      });

const isAccess = ({ kind }: Statement): boolean => kind === 'load' || kind === 'store';

/** A builder in a block, and what is said of flags that are seen at its end. */
function flags(
  write: (b: Builder) => void,
  start?: FlagsAt,
  holds = true,
): ReturnType<typeof flagsOfBlock> {
  const b = new Builder(64, XMM0);
  b.begin(0x1000n);
  write(b);
  const block = b.finish(0x1010n);
  return flagsOfBlock(block, start, visibility(block, true, isAccess), holds);
}

test('what cmp leaves is made from the registers that it compared', () => {
  const found = flags((b) => b.setFlags(subRule, b.register(RAX), b.register(RBX)));

  assert.is(found?.stored.size, 0);
  assert.equal(found?.end?.inputs, [v.registerValue(RAX, 64), v.registerValue(RBX, 64)]);
});

test('a summand is the sum less the other', () => {
  const found = flags((b) => {
    const sum = v.add(b.register(RAX), b.register(RBX));
    const x = b.register(RAX);
    b.setRegister(RAX, sum);
    b.setFlags(addRule, x, sum);
  });

  const [rax, rbx] = [v.registerValue(RAX, 64), v.registerValue(RBX, 64)];
  assert.equal(found?.end?.inputs, [v.sub(rax, rbx), rax]);
});

test('an input is put into a local when the flags are set where its register goes', () => {
  const found = flags((b) => {
    b.setFlags(subRule, b.register(RAX), b.register(RBX));
    b.setRegister(RAX, v.constant(64, 1n));
  });

  assert.equal([...(found?.held ?? [])], [[0, [0]]]);
  assert.is(found?.stored.size, 0);
  const held = { op: 'held', place: 0, width: 64 };
  assert.equal(found?.end?.inputs, [held, v.registerValue(RBX, 64)]);
});

test('what was loaded goes on to other blocks in a local', () => {
  const found = flags((b) => b.setFlags(subRule, b.register(RAX), b.load(b.register(RBX), 32)));

  assert.equal([...(found?.held ?? [])], [[1, [1]]]);
  assert.equal(found?.end?.inputs[1], { op: 'held', place: 1, width: 32 });
});

const compared = flags((b) => b.setFlags(subRule, b.register(RAX), b.register(RCX)))?.end;

test('a block that sets a register of which flags are made puts it into a local at its start', () => {
  const found = flags((b) => b.setRegister(RAX, v.constant(64, 1n)), compared);

  assert.equal([...(found?.held ?? [])], [[atStart, [0]]]);
});

test('where nothing is held, flags are stored when they are set, or before the block', () => {
  const goes = (b: Builder): void => b.setRegister(RAX, v.constant(64, 1n));
  const set = (b: Builder): void => b.setFlags(subRule, b.register(RAX), b.register(RBX));
  const both = (b: Builder): void => {
    set(b);
    goes(b);
  };

  const found = flags(both, undefined, false);

  assert.equal([...(found?.stored ?? [])], [0]);
  assert.is(found?.end, undefined);
  assert.is(flags(goes, compared, false), undefined);
});

test('a block that may set flags says that they have to be in the state block', () => {
  const write = (b: Builder): void => {
    const isZero = v.equal(b.register(RBX), v.constant(64, 0n));
    b.setFlagsIf(isZero, subRule, b.register(RAX), b.register(RBX));
  };

  assert.is(flags(write, compared), undefined);
});

test('nobody sees flags that are set again before anything can leave', () => {
  const b = new Builder(64, XMM0);
  b.begin(0x1000n);
  b.setFlags(subRule, b.register(RAX), b.register(RBX));
  b.setFlags(subRule, b.register(RBX), b.register(RAX));
  b.load(b.register(RAX), 64);

  assert.equal(visibility(b.finish(0x1010n), false, isAccess), [false, false, true, false]);
});

test('flags of the same registers are the same wherever they come from, others are not', () => {
  const compared = (register: number): FlagsAt =>
    flags((b) => b.setFlags(subRule, b.register(register), v.constant(64, 1n)))?.end;

  assert.ok(areSame(compared(RAX), compared(RAX)));
  assert.not.ok(areSame(compared(RAX), compared(RBX)));
  assert.not.ok(areSame(compared(RAX), undefined));
  assert.ok(areSame(undefined, undefined));
});

test('flags of something loaded are found however often its address shares what was loaded before', () => {
  const found = flags((b) => {
    let address = b.register(RAX);
    for (let i = 0; i < 200; i++) {
      const loaded = b.load(address, 64);
      address = v.add(loaded, loaded);
    }
    b.setFlags(subRule, b.load(address, 64), b.register(RBX));
  });

  assert.ok(areSame(found?.end, found?.end));
  assert.is(found?.stored.size, 0);
});

test.run();

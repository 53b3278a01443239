/** What becomes of a function's blocks where copies of small functions stand in it; what guests see: inline-calls.test.ts. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { discover, type GuestFunction } from '../../../../runtime/recompiler/discover.ts';
import { inlineCalls, type Known } from '../../../../runtime/recompiler/lower/inline-calls.ts';
import { codeSource } from '../../../support/lockstep-source.ts';

const test = suite('runtime/recompiler/lower/inlined-blocks');

/** Functions by their address, and what is called by return address. */
const known = (
  functions: Record<number, GuestFunction>,
  called: Record<number, bigint[]> = {},
): Known => ({
  functionAt: (entry) => functions[Number(entry)],
  calledAt: (returnTo) => called[Number(returnTo)] ?? [],
});

test('a call of a small function becomes a jump into a copy, one a call', () => {
  // call 100b; call 100b; ret; 100b: inc eax; ret
  const source = codeSource(64, 'e806000000 e801000000 c3 ffc0 c3');
  const caller = discover(source, 0x1000n);
  const leaf = discover(source, 0x100bn);

  const whole = inlineCalls(caller, known({ 4107: leaf }));

  assert.is(whole.blocks.length, caller.blocks.length + 2);
  const kinds = whole.blocks.map(({ terminator }) => terminator.kind);
  assert.equal(kinds, ['jump', 'jump', 'return', 'return', 'return']);
  const expected = whole.blocks.flatMap(({ terminator }) =>
    terminator.kind === 'return' ? [terminator.within?.returnTo] : [],
  );
  assert.equal(expected, [undefined, 0x1005n, 0x100an]);
});

test('a function that loops is called', () => {
  // call 1006; ret; 1006: dec eax; jne 1006; ret
  const source = codeSource(64, 'e801000000 c3 ffc8 75fc c3');
  const caller = discover(source, 0x1000n);
  const loop = discover(source, 0x1006n);

  assert.is(inlineCalls(caller, known({ 4102: loop })), caller);
});

test('what a copy calls is a copy as well, three levels deep', () => {
  // 1000: dec eax; jne 1005; ret; 1005: call 1000; inc ebx; ret
  const source = codeSource(64, 'ffc8 7501 c3 e8f6ffffff ffc3 c3');
  const recursion = discover(source, 0x1000n);

  const whole = inlineCalls(recursion, known({ 4096: recursion }));

  assert.is(whole.instructions, 4 * recursion.instructions);
  const calls = whole.blocks.flatMap(({ terminator }) =>
    terminator.kind === 'call' ? [terminator] : [],
  );
  assert.is(calls.length, 1);
  assert.is(calls[0]?.returnTo, 0x100an);
  const continuation = calls[0]?.continuation;
  assert.ok(whole.blocks.some(({ address }) => address === continuation));
});

test('a copy that ends in a jump elsewhere calls that, and comes back where it would have', () => {
  // call 1006; ret; 1006: test eax, eax; je 100c; jmp rcx; 100c: jmp 1020
  const source = codeSource(64, 'e801000000 c3 85c0 7402 ffe1 eb12');
  const caller = discover(source, 0x1000n);
  const callee = discover(source, 0x1006n);

  const whole = inlineCalls(caller, known({ 4102: callee }));

  const calls = whole.blocks.flatMap(({ terminator }) =>
    terminator.kind === 'call' || terminator.kind === 'callIndirect' ? [terminator] : [],
  );
  assert.equal(
    calls.map(({ kind, returnTo, continuation }) => [kind, returnTo, continuation]),
    [
      ['callIndirect', 0x1005n, 0x1005n],
      ['call', 0x1005n, 0x1005n],
    ],
  );
});

test('a call through a pointer has a way to what it is known to call: into a copy, or by a call', () => {
  // call rcx; ret; 1003: inc eax; ret; 1010: far from here
  const source = codeSource(64, 'ffd1 c3 ffc0 c3');
  const caller = discover(source, 0x1000n);
  const leaf = discover(source, 0x1003n);

  const whole = inlineCalls(caller, known({ 4099: leaf }, { 4098: [0x1003n, 0x9000n] }));

  const [first] = whole.blocks;
  assert.is(first?.terminator.kind, 'callIndirect');
  const expected = first?.terminator.kind === 'callIndirect' ? first.terminator.expected : [];
  const ways = expected?.map(({ target, way }) => {
    const block = whole.blocks.find(({ address }) => address === way);
    return [target, block?.terminator.kind];
  });
  assert.equal(ways, [
    [0x1003n, 'return'],
    [0x9000n, 'call'],
  ]);
});

test('what a copy stands for is not asked for again where the copy jumps through a pointer', () => {
  // call 1006; ret; 1006: jmp rcx
  const source = codeSource(64, 'e801000000 c3 ffe1');
  const caller = discover(source, 0x1000n);
  const apply = discover(source, 0x1006n);

  const whole = inlineCalls(caller, known({ 4102: apply }, { 4101: [0x1006n, 0x9000n] }));

  const expected = whole.blocks.flatMap(({ terminator }) =>
    terminator.kind === 'callIndirect' ? (terminator.expected ?? []) : [],
  );
  assert.equal(
    expected.map(({ target }) => target),
    [0x9000n],
  );
});

test('a function whose slow way comes back to its end is small: only loops are not', () => {
  // 1000: call 1006; ret; 1006: cmp eax,5; jb 100e; 100b: inc eax; ret; 100e: call 1020; jmp 100b
  const source = codeSource(64, 'e801000000 c3 83f805 7203 ffc0 c3 e80d000000 ebf6');
  const caller = discover(source, 0x1000n);
  const callee = discover(source, 0x1006n);

  const whole = inlineCalls(caller, known({ 4102: callee }));

  assert.is(whole.blocks.length, caller.blocks.length + callee.blocks.length);
});

test('a jump to a small function becomes a jump into a copy, which returns as it would', () => {
  // inc ebx; jmp 1008; 1008: inc eax; ret
  const source = codeSource(64, 'ffc3 eb04 90909090 ffc0 c3', { entries: [0x1008n] });
  const first = discover(source, 0x1000n);
  const second = discover(source, 0x1008n);

  const whole = inlineCalls(first, known({ 4104: second }));

  assert.equal(
    whole.blocks.map(({ terminator }) => terminator.kind),
    ['jump', 'return'],
  );
  const end = whole.blocks[1]?.terminator;
  assert.is(end?.kind === 'return' ? end.within : 0, undefined);
});

test.run();

/** Arguments by prototype, in both conventions. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { LinearAddressSpace } from '../../../runtime/memory/address-space.ts';
import { GuestMemory } from '../../../runtime/memory/guest-memory.ts';
import { MachineMemory } from '../../../runtime/memory/machine-memory.ts';
import {
  argumentReader,
  parsePrototype,
  type RegisterFile,
  resultWriter,
} from '../../../runtime/minios/marshal.ts';
import { RAX, RDI, RDX, RSP } from '../../../runtime/x86/registers.ts';

const marshal = suite('runtime/minios/marshal');

const stack = 0x2000n;

function machine(words: readonly bigint[], width: 64 | 32) {
  const memory = new MachineMemory();
  const host = memory.allocate(4096);
  const space = new LinearAddressSpace(memory, { lo: stack, length: 4096n, host });
  const guest = new GuestMemory(memory, space);
  for (const [i, word] of words.entries())
    guest.writeWord(stack + BigInt((i * width) / 8), word, width);
  const values = new Map<number, bigint>([[RSP, stack]]);
  const registers: RegisterFile = {
    register: (n) => values.get(n) ?? 0n,
    setRegister: (n, value) => {
      values.set(n, value);
    },
  };
  return { guest, registers };
}

marshal('x86-64: registers first, then the stack above the return address', () => {
  const prototype = parsePrototype(
    'int f(int a, int b, int c, int d, int e, int f, uint64_t g, int h)',
  );
  const { guest, registers } = machine([0xdeadn, 7n, 0xffff_ffff_ffff_fff8n], 64);
  registers.setRegister(RDI, 0xffff_ffff_ffff_ffffn);
  registers.setRegister(9, 6n);

  const values = argumentReader(prototype, 64)(registers, guest);

  assert.equal(values, [-1, 0, 0, 0, 0, 6, 7n, -8]);
});

marshal('x86-32: a 64-bit argument takes two words, in order', () => {
  const prototype = parsePrototype('int f(int fd, int64_t offset, int whence, int64_t *result)');
  const { guest, registers } = machine([0xdeadn, 3n, 0xfffffffen, 0xffffffffn, 2n, 0x1000n], 32);

  const values = argumentReader(prototype, 32)(registers, guest);

  assert.equal(values, [3, -2n, 2, 0x1000n]);
});

marshal('x86-32: size_t and pointers are unsigned, ssize_t and ptrdiff_t signed', () => {
  const prototype = parsePrototype('void f(size_t a, void *b, ssize_t c, ptrdiff_t d)');
  const ones = 0xffff_ffffn;
  const { guest, registers } = machine([0n, ones, ones, ones, ones], 32);

  assert.equal(argumentReader(prototype, 32)(registers, guest), [ones, ones, -1n, -1n]);
});

marshal('a negative int fills eax and leaves the rest of rax zero', () => {
  const { registers } = machine([], 64);

  resultWriter(parsePrototype('int f(void)'), 64)(registers, -14);

  assert.is(registers.register(RAX), 0xffff_fff2n);
});

marshal('a negative ssize_t and an errno as a pointer fill all of rax', () => {
  for (const text of ['ssize_t f(void)', 'void *f(void)']) {
    const { registers } = machine([], 64);
    resultWriter(parsePrototype(text), 64)(registers, -12);
    assert.is(registers.register(RAX), 0xffff_ffff_ffff_fff4n);
  }
});

marshal('x86-32: a 64-bit result is edx:eax', () => {
  const { registers } = machine([], 32);

  resultWriter(parsePrototype('uint64_t f(void)'), 32)(registers, 0x1_0000_0002n);

  assert.equal([registers.register(RAX), registers.register(RDX)], [2n, 1n]);
});

marshal('a pointer to a function with commas is one parameter', () => {
  const { parameters } = parsePrototype('void f(int (*compare)(int, int), unsigned n)');

  assert.equal(
    parameters.map(({ kind }) => kind.pointer),
    [true, false],
  );
});

marshal('a type that is not known is refused', () => {
  assert.throws(() => parsePrototype('int f(double x)'), /does not know: double in int f/);
  assert.throws(() => parsePrototype('struct big f(void)'), /struct big/);
  assert.throws(() => parsePrototype('int f'), /not a C prototype/);
});

marshal.run();

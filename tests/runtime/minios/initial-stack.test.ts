/** What crt0 finds. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { initialStack } from '../../../runtime/minios/initial-stack.ts';

const stack = suite('runtime/minios/initial-stack');

const top = 0x100_0000n;

stack('x86-64: argc, argv, NULL, envp, NULL, auxv of AT_NULL; then the strings', () => {
  const { bytes, stackPointer } = initialStack(64, top, ['p', 'é'], { A: '1' });
  const view = new DataView(bytes.buffer);
  const word = (i: number): bigint => view.getBigUint64(i * 8, true);
  const string = (address: bigint): string => {
    const from = Number(address - stackPointer);
    return new TextDecoder().decode(bytes.subarray(from, bytes.indexOf(0, from)));
  };

  assert.is(stackPointer % 16n, 0n);
  assert.is(stackPointer + BigInt(bytes.length), top);
  assert.equal([word(0), word(3), word(5), word(6), word(7)], [2n, 0n, 0n, 0n, 0n]);
  assert.equal([string(word(1)), string(word(2)), string(word(4))], ['p', 'é', 'A=1']);
});

stack('x86-32: the same in words of four bytes', () => {
  const { bytes, stackPointer } = initialStack(32, top, ['p'], {});
  const words = Array.from({ length: 6 }, (_, i) =>
    new DataView(bytes.buffer).getUint32(i * 4, true),
  );

  assert.is(stackPointer % 16n, 0n);
  assert.equal(words, [1, Number(top) - 2, 0, 0, 0, 0]);
});

stack.run();

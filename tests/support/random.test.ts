import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { random } from './random.ts';

const numbers = suite('support/random');

numbers('the same seed gives the same numbers, another seed gives others', () => {
  const first = Array.from(random(7).bytes(64));

  assert.equal(Array.from(random(7).bytes(64)), first);
  assert.not.equal(Array.from(random(8).bytes(64)), first);
});

numbers('below() stays below its bound and reaches every value', () => {
  const source = random(1);

  const seen = new Set(Array.from({ length: 2000 }, () => source.below(10)));

  assert.equal(
    [...seen].sort((a, b) => a - b),
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
  );
});

numbers('bytes and 64-bit numbers use all their bits', () => {
  const source = random(2);

  const ones = source.bytes(256).reduce((all, byte) => all | byte, 0);
  const words = Array.from({ length: 64 }, () => source.bigint64());

  assert.is(ones, 0xff);
  assert.ok(words.some((word) => word < 0n) && words.some((word) => word >= 0n));
  assert.is(
    words.reduce((all, word) => all | BigInt.asUintN(64, word), 0n),
    0xffff_ffff_ffff_ffffn,
  );
});

numbers.run();

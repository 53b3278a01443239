/** Places of the function table are given, taken back and given again. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Slots } from '../../../../runtime/recompiler/lower/slots.ts';

const test = suite('runtime/recompiler/lower/slots');

test('what was given back is given again, joined with what is free beside it', () => {
  const slots = new Slots(10);
  const first = slots.take(4);
  const second = slots.take(3);
  const third = slots.take(3);

  slots.give(first, 4);
  slots.give(third, 3);
  slots.give(second, 3);

  assert.equal([first, second, third], [0, 4, 7]);
  assert.is(slots.take(10), 0);
});

test('a full table says how large it is', () => {
  const slots = new Slots(5);
  slots.take(3);

  assert.throws(() => slots.take(3), 'the function table is full (5 functions)');
});

test.run();

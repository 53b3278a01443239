/** What `stubdom run` takes. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseMemory } from '../../../../toolchain/cli/commands/run.ts';

const run = suite('toolchain/cli/commands/run');

run('sizes have K, M or G', () => {
  assert.equal(['8192', '64K', '32M', '32m', '1G'].map(parseMemory), [
    8192,
    65536,
    2 ** 25,
    2 ** 25,
    2 ** 30,
  ]);
});

run('a size that is none, or too large or too small, is told in one line', () => {
  assert.throws(
    () => parseMemory('abc'),
    '--memory abc: expected a number with K, M or G, such as 32M',
  );
  assert.throws(() => parseMemory('-1M'), /expected a number/);
  assert.throws(() => parseMemory('1.5G'), /expected a number/);
  assert.throws(() => parseMemory(''), /expected a number/);
  assert.throws(() => parseMemory('0'), /--memory 0: too little/);
  assert.throws(() => parseMemory('7G'), '--memory 7G: too much; the most is 4094M');
});

run.run();

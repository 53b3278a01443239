/** Flags of a block are made when somebody asks, and not before. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as v from '../../../runtime/ir/build.ts';
import { Builder } from '../../../runtime/ir/builder.ts';
import type { FlagRule } from '../../../runtime/ir/value.ts';

const test = suite('runtime/ir/block-flags');

const RAX = 0;
const c64 = (value: number) => v.constant(64, value);

/** A rule that counts how often it is asked. */
function countingRule(): { rule: FlagRule; asked: () => number } {
  let count = 0;
  const rule: FlagRule = {
    name: 'counting',
    flags: (x) => {
      count++;
      return { ZF: v.isZero(x), CF: v.one, PF: v.zero, AF: v.zero, SF: v.zero, OF: v.zero };
    },
    conditions: { E: (x: ReturnType<typeof c64>) => v.isZero(x) },
  };
  return { rule, asked: () => count };
}

function builder(): Builder {
  const b = new Builder(64, 16);
  b.begin(0x1000n);
  return b;
}

test('a rule is asked once, when the first flag is read', () => {
  const { rule, asked } = countingRule();
  const b = builder();
  b.setFlags(rule, b.register(RAX));
  b.setFlags(rule, c64(1));
  b.condition('E');
  const before = asked();

  const { flagsOut } = b.finish(0x1001n);
  const values = [flagsOut.CF, flagsOut.ZF, flagsOut.ZF];

  assert.is(before, 0);
  assert.is(asked(), 1);
  assert.is(values[0], v.one);
  assert.is(values[1], values[2]);
});

test('a block that sets no flags gives none', () => {
  const b = builder();
  b.flag('ZF');

  assert.is(b.finish(0x1001n).flagsOut.ZF, undefined);
});

test('flags that are not named stay, through a condition as well', () => {
  const { rule } = countingRule();
  const b = builder();
  b.setSomeFlags({ CF: v.one });
  const { flagsOut } = b.finish(0x1001n);
  assert.is(flagsOut.CF, v.one);
  assert.is(flagsOut.ZF, undefined);

  const c = builder();
  c.setSomeFlags({ ZF: v.one });
  c.setFlagsIf(v.flagValue('CF'), rule, c64(0));
  const merged = c.finish(0x1001n).flagsOut.ZF;
  assert.is(merged?.op, 'select');
  assert.is(merged?.args[2], v.one);
});

test.run();

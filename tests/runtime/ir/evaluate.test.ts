/** What a block does to a state, where vectors of single instructions do not reach. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CpuException } from '../../../runtime/errors.ts';
import * as v from '../../../runtime/ir/build.ts';
import { Builder } from '../../../runtime/ir/builder.ts';
import { evaluateBlock, evaluateFlagRule, type Outcome } from '../../../runtime/ir/evaluate.ts';
import type { FlagRule, Subroutine, Value } from '../../../runtime/ir/value.ts';
import { RAX, RCX, XMM0 } from '../../../runtime/x86/registers.ts';
import { RegionMemory, TestState } from '../../support/evaluation-state.ts';
import { baseState } from '../../support/vectors/state.ts';

const test = suite('runtime/ir/evaluate');
const DATA = 0x20000000n;

interface Run {
  readonly state: TestState;
  readonly outcome: Outcome;
}

function run(write: (b: Builder) => void, state = someState()): Run {
  const b = new Builder(64, XMM0);
  b.begin(0x1000n);
  b.instruction(0x1000n, 1);
  write(b);
  return { state, outcome: evaluateBlock(b.finish(0x1001n), state) };
}

const someState = (): TestState => new TestState(64, baseState(64), new RegionMemory([]));

const c64 = (value: bigint | number): Value => v.constant(64, value);

test('a register read after it was written in the block still tells the value at entry where the node says so', () => {
  const old = v.registerValue(RAX, 64);

  const { state } = run((b) => {
    b.setRegister(RAX, c64(5));
    b.setRegister(RCX, v.add(old, c64(1)));
  });

  assert.is(state.register(RAX), 5n);
  assert.is(state.register(RCX), 0x8182838485868789n);
});

test('a value that is loaded once is not loaded again after a store', () => {
  const { state } = run((b) => {
    const loaded = b.load(c64(DATA), 64);
    b.store(c64(DATA), c64(7));
    b.setRegister(RAX, loaded);
  });

  assert.is(state.register(RAX), 0n);
  assert.is(state.memory.load(DATA, 8), 7n);
});

test('a fault in the middle leaves what came before it', () => {
  const state = someState();

  const error = caught(() =>
    run((b) => {
      b.setRegister(RAX, c64(1));
      b.store(c64(0x40000000), c64(2));
      b.setRegister(RAX, c64(3));
    }, state),
  );

  assert.is(error.vector, 14);
  assert.is(error.address, 0x40000000n);
  assert.is(state.register(RAX), 1n);
});

test('raiseIf raises where its condition holds', () => {
  const raise = (condition: Value) => () => run((b) => b.raiseIf(condition, 13, 0));

  assert.is(caught(raise(v.one)).vector, 13);
  assert.is(raise(v.zero)().outcome.kind, 'jump');
});

test('jumpIf leaves the block before what follows', () => {
  const { state, outcome } = run((b) => {
    b.jumpIf(v.one, 0x2000n);
    b.setRegister(RAX, c64(1));
  });

  assert.equal(outcome, { kind: 'jump', target: 0x2000n });
  assert.is.not(state.register(RAX), 1n);
});

test('a branch goes where its condition says', () => {
  const branch = (condition: Value): Outcome =>
    run((b) => b.end({ kind: 'branch', condition, taken: 0x10n, otherwise: 0x20n })).outcome;

  assert.equal(branch(v.one), { kind: 'jump', target: 0x10n });
  assert.equal(branch(v.zero), { kind: 'jump', target: 0x20n });
});

test('a shift by the width or more is a mistake of the semantics', () => {
  const shift = (): Run =>
    run((b) => b.setRegister(RAX, v.shiftLeft(b.register(RAX), v.constant(8, 64))));

  assert.throws(shift, /shiftLeft of 64 bits by 64/);
});

test('a division by 0 that nothing has raised is a mistake, too', () => {
  const divide = (): Run => run((b) => b.setRegister(RAX, v.divUnsigned(b.register(RAX), c64(0))));

  assert.throws(divide, /divUnsigned by 0/);
});

test('a subroutine computes with its own inputs', () => {
  const twice: Subroutine = {
    name: 'twice',
    parameters: [64],
    result: 64,
    body: ([x = c64(0)]) => v.add(x, x),
  };

  const { state } = run((b) => b.setRegister(RAX, v.call(twice, v.call(twice, c64(3)))));

  assert.is(state.register(RAX), 12n);
});

const someRule: FlagRule = {
  name: 'some',
  flags: (x, shifted) => ({
    ZF: v.isZero(x),
    CF: v.bit(x, 0),
    OF: v.select(shifted, v.undefinedFlag, v.one),
    ...{ PF: v.zero, AF: v.zero, SF: v.one },
  }),
};

test('a flag rule gives all flags; undefined ones are told', () => {
  const flags = (shifted: bigint) =>
    evaluateFlagRule(someRule, [
      { width: 64, value: 6n },
      { width: 1, value: shifted },
    ]);

  const others = { ZF: false, CF: false, PF: false, AF: false, SF: true };
  assert.equal(flags(0n), { ...others, OF: true });
  assert.equal(flags(1n), { ...others, OF: undefined });
  assert.is('OF' in flags(1n), true);
});

test('flags that are not named stay', () => {
  const state = someState();
  state.setFlag('SF', true);
  state.setFlag('ZF', false);

  run((b) => b.setSomeFlags({ CF: v.one }), state);

  assert.is(state.flag('SF'), true);
  assert.is(state.flag('ZF'), false);
  assert.is(state.flag('CF'), true);
});

test('undefined flags are known to the state', () => {
  const state = someState();

  run((b) => b.setFlags(someRule, c64(1), v.one), state);

  assert.is(state.flag('CF'), true);
  assert.is(state.undefinedFlags, 0x800n);
});

function caught(act: () => unknown): CpuException {
  try {
    act();
  } catch (error) {
    if (error instanceof CpuException) return error;
    throw error;
  }
  throw new Error('no exception was raised');
}

test.run();

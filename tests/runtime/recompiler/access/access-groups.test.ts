/** Which accesses are checked together. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { add, constant, resize, shiftLeft, sub } from '../../../../runtime/ir/build.ts';
import { Builder } from '../../../../runtime/ir/builder.ts';
import type { Value } from '../../../../runtime/ir/value.ts';
import { AccessGroups } from '../../../../runtime/recompiler/access/access-groups.ts';
import { RBX, RCX, RSP, XMM0 } from '../../../../runtime/x86/registers.ts';

const test = suite('runtime/recompiler/access/access-groups');

interface Stretch {
  readonly low: number;
  readonly high: number;
}

/** Each access as [group, offset], and the stretches of the groups. */
function groupsOf(write: (b: Builder) => void): {
  members: [number, number][];
  groups: { all: Stretch; written: Stretch | undefined }[];
} {
  const b = new Builder(64, XMM0);
  b.begin(0x1000n);
  write(b);
  const block = b.finish(0x1010n);
  const known = new AccessGroups(block, 64);
  const found = block.statements.flatMap((statement) => {
    if (statement.kind === 'load') return [known.ofLoad(statement)];
    return statement.kind === 'store' ? [known.ofStore(statement)] : [];
  });
  const groups = [...new Set(found.map(({ group }) => group))];
  const stretch = ({ least, end }: { least: bigint; end: bigint }): Stretch => ({
    low: Number(least),
    high: Number(end),
  });
  return {
    members: found.map(({ group, offset }) => [groups.indexOf(group), Number(offset)]),
    groups: groups.map((group) => ({
      all: stretch(group),
      written: group.written === undefined ? undefined : stretch(group.written),
    })),
  };
}

const plus = (value: Value, number: number): Value => add(value, constant(64, number));
const one = constant(64, 1);

test('fields of what a register points to are one group, whatever lies between', () => {
  const { members, groups } = groupsOf((b) => {
    const rbx = b.register(RBX);
    b.load(plus(rbx, 8), 32);
    b.store(b.register(RCX), one);
    b.store(plus(rbx, -16), constant(16, 1));
    b.store(plus(rbx, 24), one);
  });

  assert.equal(members, [
    [0, 8],
    [1, 0],
    [0, -16],
    [0, 24],
  ]);
  assert.equal(groups[0], { all: { low: -16, high: 32 }, written: { low: -16, high: 32 } });
});

test('what is written is a stretch of its own', () => {
  const { groups } = groupsOf((b) => {
    const rbx = b.register(RBX);
    b.load(rbx, 64);
    b.load(plus(rbx, 32), 8, true);
    b.store(plus(rbx, 32), constant(8, 1));
  });

  assert.equal(groups, [{ all: { low: 0, high: 33 }, written: { low: 32, high: 33 } }]);
});

test('pushes are one group, since only constants are taken from the stack pointer', () => {
  const { members, groups } = groupsOf((b) => {
    for (let i = 0; i < 3; i++) {
      const next = plus(b.register(RSP), -8);
      b.store(next, one);
      b.setRegister(RSP, next);
    }
    b.load(sub(b.register(RSP), constant(64, 8)), 64);
  });

  assert.equal(members, [
    [0, -8],
    [0, -16],
    [0, -24],
    [0, -32],
  ]);
  assert.is(groups.length, 1);
});

test('a scaled index counts as the same where register and scale are', () => {
  const { members } = groupsOf((b) => {
    const scaled = (by: number): Value => shiftLeft(b.register(RCX), by);
    b.load(plus(add(b.register(RBX), scaled(3)), 8), 64);
    b.load(plus(add(b.register(RBX), scaled(3)), 16), 64);
    b.load(plus(add(b.register(RBX), scaled(2)), 16), 64);
  });

  assert.equal(members, [
    [0, 8],
    [0, 16],
    [1, 16],
  ]);
});

test('a register that was written is another value', () => {
  const { members } = groupsOf((b) => {
    b.load(b.register(RBX), 64);
    b.setRegister(RBX, b.load(b.register(RBX), 64));
    b.load(b.register(RBX), 64);
  });

  assert.equal(members, [
    [0, 0],
    [0, 0],
    [1, 0],
  ]);
});

test('an address that wraps at 32 bits is not its sum', () => {
  const { members } = groupsOf((b) => {
    const wrapped = (n: number): Value => resize(resize(plus(b.register(RBX), n), 32), 64);
    b.load(wrapped(0), 64);
    b.load(wrapped(8), 64);
  });

  assert.equal(members, [
    [0, 0],
    [1, 0],
  ]);
});

test('a stretch of more than 256 bytes is more than one group', () => {
  const { members, groups } = groupsOf((b) => {
    for (const at of [0, 248, 249, 300]) b.load(plus(b.register(RBX), at), 64);
  });

  assert.equal(members, [
    [0, 0],
    [0, 248],
    [1, 249],
    [1, 300],
  ]);
  assert.equal(groups[1]?.all, { low: 249, high: 308 });
});

test('constants are side by side where their numbers are', () => {
  const { members } = groupsOf((b) => {
    for (const at of [0x7fff_fffcn, 0x8000_0000n, 0x1_7fff_fffcn]) b.load(constant(64, at), 32);
  });

  assert.is(new Set(members.map(([group]) => group)).size, 2);
});

test.run();

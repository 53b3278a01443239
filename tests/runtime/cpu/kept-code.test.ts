/** What an earlier run has translated is used again where the very same bytes are, and nowhere else. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { KeptCode } from '../../../runtime/cpu/kept-code.ts';
import type { Run } from '../../../runtime/memory/runs.ts';
import type {
  KeptModule,
  KeptTranslation,
} from '../../../runtime/recompiler/store/kept-translation.ts';

const test = suite('runtime/cpu/kept-code');

const run = { lo: 0n, host: 0x11_0000, pages: 64 };

/** Two functions that call each other, and a table. */
const module: KeptModule = {
  bytes: new Uint8Array(100),
  functions: [0x1000n, 0x2000n].map((entry) => ({
    ...{ name: `f${entry}`, entry, entries: [], calls: [] },
    ...{ form: 'fast' as const, asked: 'fast' as const },
    code: [{ from: entry, to: entry + 2n }],
    tables: entry === 0x1000n ? [{ from: 0x3000n, to: 0x3001n }] : [],
  })),
  madeFrom: {
    code: [Uint8Array.of(1, 2), Uint8Array.of(7), Uint8Array.of(3, 4)],
    runs: [run],
  },
};

const kept = (...modules: KeptModule[]): KeptTranslation => ({
  ...{ dispatcher: new Uint8Array(), flags: undefined, recipes: [] },
  ...{ exactFloats: false, isWhole: true, modules },
});

function guest(all = [run], learn = (_: bigint): void => {}) {
  const expected: (readonly Run[])[] = [];
  const memory = new Map<bigint, readonly number[]>([
    [0x1000n, [1, 2]],
    [0x2000n, [3, 4]],
    [0x3000n, [7]],
  ]);
  const code = new KeptCode({
    now: (address) => Uint8Array.from(memory.get(address) ?? []),
    runs: { all, learn, expect: (runs) => void expected.push(runs) },
    takeUsedRuns: () => all.length,
  });
  return { code, memory, expected };
}

test('a module is taken once, for any of its functions, where all is as it was', () => {
  const { code } = guest([run, { lo: 0x8000n, host: 0, pages: 64 }]);
  code.add(kept(module));

  assert.not.ok(code.has(0x1001n));
  assert.not.ok(code.has(0x2000n, 'resumable'));
  assert.ok(code.has(0x2000n));
  assert.equal(code.take(0x2000n, 'fast'), module);
  assert.is(code.take(0x1000n, 'fast'), undefined);
});

test('functions that are apart are taken one by one, each where its own bytes are', () => {
  const { code, memory } = guest();
  const [, second] = module.functions;
  code.add(kept({ ...module, isApart: true }));
  memory.set(0x3000n, [8]);

  assert.is(code.take(0x1000n, 'fast'), undefined);
  const taken = code.take(0x2000n, 'fast');
  memory.set(0x3000n, [7]);

  assert.equal(taken?.functions, [second]);
  assert.is(taken?.bytes, module.bytes);
  assert.not.ok(code.has(0x2000n));
  assert.is(code.take(0x1000n, 'fast')?.bytes, module.bytes);
});

test('a run that is not known yet is looked for where it was', () => {
  const runs: (typeof run)[] = [];
  const { code } = guest(runs, (address) => runs.push({ ...run, lo: address }));
  const elsewhere: (typeof run)[] = [];
  const other = guest(elsewhere, (address) => elsewhere.push({ lo: address, host: 5, pages: 64 }));
  for (const own of [code, other.code]) own.add(kept(module));

  assert.ok(code.has(0x1000n));
  assert.not.ok(other.code.has(0x1000n));
  assert.is(elsewhere.length, 1);
});

test('runs get the numbers by which most of what was kept knows them', () => {
  const { code, expected } = guest();
  const runs = [run, { ...run, lo: 0x80_0000n }];
  const longer = { ...module, madeFrom: { code: [], runs } };

  code.add(kept(module, longer, module));

  assert.equal(expected, [runs]);
});

for (const [what, address, bytes] of [
  ['its own code', 0x1000n, [1, 9]],
  ['that of a function in the same module', 0x2000n, [9, 4]],
  ['a jump table', 0x3000n, [8]],
  ['less, since a page is not mapped', 0x2000n, [3]],
  ['nothing', 0x2000n, []],
] as const)
  test(`it is not taken where other bytes are: ${what}`, () => {
    const { code, memory } = guest();
    code.add(kept(module));
    memory.set(address, bytes);

    assert.is(code.take(0x1000n, 'fast'), undefined);
    assert.not.ok(code.has(0x1000n));
  });

for (const [what, runs] of [
  ['is not found yet', []],
  ['was found and has no page', [{ ...run, pages: 0 }]],
  ['lies elsewhere in the machine', [{ ...run, host: 0x12_0000 }]],
  ['lies elsewhere for the guest', [{ ...run, lo: 0x1000n }]],
] as const)
  test(`it is not taken where a run that it knows ${what}`, () => {
    const { code } = guest([...runs]);
    code.add(kept(module));

    assert.is(code.take(0x1000n, 'fast'), undefined);
  });

test('what says less of its bytes than its functions need, or nothing, is not taken', () => {
  const { code } = guest();
  code.add(kept({ ...module, madeFrom: { code: [Uint8Array.of(1, 2)], runs: [] } }));
  code.add(kept({ bytes: module.bytes, functions: module.functions }));

  assert.is(code.take(0x1000n, 'fast'), undefined);
});

test('nothing is left when floats have become exact', () => {
  const { code } = guest();
  code.add(kept(module));

  code.clear();

  assert.not.ok(code.has(0x1000n));
});

test.run();

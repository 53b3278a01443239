/** Which functions go together, and which modules become one. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Beside, crowded, withCallers } from '../../../runtime/cpu/module-upkeep.ts';
import { discover, type GuestFunction } from '../../../runtime/recompiler/discover.ts';
import { ByteEmitter } from '../../../runtime/recompiler/emit/byte-emitter.ts';
import type { Emitter } from '../../../runtime/recompiler/emit/emitter.ts';
import type {
  InstalledFunction,
  InstalledModule,
} from '../../../runtime/recompiler/store/code-store.ts';
import { codeSource } from '../../support/lockstep-source.ts';

const test = suite('runtime/cpu/module-upkeep');

/** A module of functions, each by its entry and whom it calls. */
function moduleOf(calls: Readonly<Record<number, readonly number[]>>): InstalledModule {
  const module: InstalledModule = {
    ...{ bytes: new Uint8Array(), functions: [], first: 0, isKept: false, isPart: false },
    live: new Set<InstalledFunction>(),
  };
  for (const [entry, callees] of Object.entries(calls))
    module.live.add({
      ...{ name: entry, entry: BigInt(entry), form: 'fast', asked: 'fast', index: 0, module },
      ...{ entries: [], code: [], tables: [], calls: callees.map(BigInt) },
    });
  return module;
}

test('with a function go all that reach it by direct calls, and no others', () => {
  const module = moduleOf({ 1: [2], 2: [3], 3: [], 4: [5], 5: [4], 6: [1, 6] });
  const third = [...module.live].filter(({ entry }) => entry === 3n);

  const found = [...withCallers(third)].map(({ entry }) => entry);

  assert.equal(found.sort(), [1n, 2n, 3n, 6n]);
});

test('functions that call each other in a circle go together once', () => {
  const module = moduleOf({ 1: [2], 2: [1] });

  assert.is(withCallers([...module.live].slice(0, 1)).size, 2);
});

test('modules become one when there are many, those with the least left first', () => {
  const modules = Array.from({ length: 129 }, (_, i) =>
    moduleOf(i % 2 === 0 ? { 1: [], 2: [], 3: [] } : { 1: [] }),
  );

  assert.equal(crowded(new Set(modules.slice(1)), 128), []);
  const chosen = crowded(new Set(modules), 128);
  assert.is(chosen.length, 65);
  assert.is(chosen.filter(({ live }) => live.size === 1).length, 64);
});

test('what stands in a larger module is entered there still, and made again only to stand in its callers', () => {
  const large = moduleOf({ 4099: [], 4102: [], 9999: [], 9998: [] });
  const module = { ...large, functions: [...large.live] };
  const functionAt = (address: bigint): InstalledFunction | undefined => {
    const there = module.functions.find(({ entry }) => entry === address);
    return there && { ...there, index: 0, module };
  };
  // 1000h: call rax; nop; 1003h: inc eax; ret; 1006h: inc eax, 31 times; ret
  const source = codeSource(64, `ffd090 ffc0c3 ${'ffc0'.repeat(31)} c3`);
  const functions = [0x1000n, 0x1003n, 0x1006n].map((entry) => discover(source, entry));
  const translator = {
    translate: (_: Emitter, chosen: readonly GuestFunction[]) => ({
      ...{ bytes: new Uint8Array(), asksFlags: false },
      functions: chosen.map(({ entry }) => ({
        ...({ name: `${entry}`, entry, form: 'fast', asked: 'fast' } as const),
        ...{ entries: [{ address: entry, selector: 0 }], code: [], tables: [], calls: [] },
      })),
    }),
  };
  const emitter = () => new ByteEmitter(1);

  const beside = new Beside({ functionAt }, 0x1000n, functions);
  const made = beside.translate({ translator, emitter }, {}).functions;

  assert.equal(
    made.map(({ entry, entries }) => [entry, entries.length]),
    [
      [0x1000n, 1],
      [0x1003n, 0],
    ],
  );
});

test.run();

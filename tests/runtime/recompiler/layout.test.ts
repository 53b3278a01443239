/** The code map as the host fills it and as the dispatcher reads it. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { conventionOf, toCarrier } from '../../../runtime/recompiler/convention.ts';
import { buildDispatcher } from '../../../runtime/recompiler/dispatcher.ts';
import { ByteEmitter } from '../../../runtime/recompiler/emit/byte-emitter.ts';
import type { Emitter, Expression } from '../../../runtime/recompiler/emit/emitter.ts';
import {
  codeMapBytes,
  codeMapEntries,
  codeMapIndex,
  type Layout,
} from '../../../runtime/recompiler/layout.ts';
import { leaveReasons } from '../../../runtime/recompiler/leave-reasons.ts';
import { CodeStore } from '../../../runtime/recompiler/store/code-store.ts';
import type { Mode } from '../../../runtime/x86/registers.ts';
import { cpuState } from '../../../runtime/x86/state.ts';

const test = suite('runtime/recompiler/layout');

const state = 0x1000;
const codeMap = 0x1_0000;
const pages = Math.ceil((codeMap + codeMapBytes) / 65536);

interface Bed {
  readonly store: CodeStore;
  /** Why the dispatcher comes back that begins at an address. */
  enter(address: bigint): number;
}

/** A store with one function, which halts, at some addresses. */
function bed(mode: Mode, addresses: readonly bigint[]): Bed {
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const layout: Layout = { mode, state, pageFlags: 0, run: { lo: 0n, host: 0 }, codeMap };
  const none = (): number => 0;
  const store = new CodeStore(layout, memory, {
    ...{ flags: none, answer: none, find: none, refill: none, more: none },
  });
  store.installDispatcher(buildDispatcher(new ByteEmitter(pages), layout));
  const e: Emitter = new ByteEmitter(pages);
  const { native, parameterTypes, results, resultTypes } = conventionOf(mode);
  const zero = (): Expression => (native === 'i64' ? e.i64(0n) : e.i32(0));
  const back = e.return(zero(), ...results.map(({ as }) => toCarrier(e, as, zero())));
  const halt = e.store(
    'i32.store',
    state + cpuState.leaveReason,
    e.i32(0),
    e.i32(leaveReasons.hypercall),
  );
  e.addFunction('f', parameterTypes, resultTypes, [], e.block(undefined, [halt, back]));
  e.exportFunction('f');
  store.install(e.finish(), [
    {
      ...{
        name: 'f',
        entry: addresses[0] ?? 0n,
        form: 'resumable',
        asked: 'resumable',
        code: [],
        tables: [],
        calls: [],
      },
      entries: addresses.map((address) => ({ address, selector: 0 })),
    },
  ]);
  const view = new DataView(memory.buffer);
  const enter = (address: bigint): number => {
    view.setBigUint64(state + cpuState.rip, address, true);
    view.setInt32(state + cpuState.polls, 100, true);
    store.run();
    assert.is(view.getBigUint64(state + cpuState.rip, true), address);
    return view.getInt32(state + cpuState.leaveReason, true);
  };
  return { store, enter };
}

// biome-ignore format: a table
const addresses = {
  32: [0n, 1n, 0x1000n, 0xffffn, 0x1_0000n, 0x8000_1234n, 0xffff_fffen, 0xffff_ffffn],
  64: [0n, 1n, 0x1000n, 0xffff_ffffn, 0x1_0000_0000n, 0x7fff_1234_5678n, 0xffff_ffff_8000_0001n, 0xffff_ffff_ffff_ffffn],
} as const;

for (const mode of [64, 32] as const) {
  test(`${mode}: the dispatcher finds an address where the host has put it`, () => {
    for (const address of addresses[mode])
      assert.is(
        bed(mode, [address]).enter(address),
        leaveReasons.hypercall,
        `0x${address.toString(16)}`,
      );
  });

  test(`${mode}: in an empty code map no address is found`, () => {
    const { enter } = bed(mode, []);

    for (const address of addresses[mode])
      assert.is(enter(address), leaveReasons.jump, `0x${address.toString(16)}`);
  });

  test(`${mode}: of two addresses with one entry the later is found, the other after a refill`, () => {
    const [first, second] = [0x1_0100n, 0x2_0103n];
    assert.is(codeMapIndex(first), codeMapIndex(second));
    const { store, enter } = bed(mode, [first, second]);

    assert.is(enter(second), leaveReasons.hypercall);
    assert.is(enter(first), leaveReasons.jump);
    assert.ok(store.refill(first));
    assert.is(enter(first), leaveReasons.hypercall);
    assert.is(enter(second), leaveReasons.jump);
    assert.not(store.refill(0x3000n));
  });
}

test('addresses of one image spread over the whole code map', () => {
  const used = new Set<number>();
  for (let address = 0x100_0000n; address < 0x102_0000n; address++) used.add(codeMapIndex(address));

  assert.is(used.size, codeMapEntries);
});

test.run();

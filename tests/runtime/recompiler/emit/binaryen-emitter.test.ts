import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  BinaryenEmitter,
  loadBinaryen,
} from '../../../../runtime/recompiler/emit/binaryen-emitter.ts';

const test = suite('runtime/recompiler/emit/binaryen-emitter');

const pages = 2;

interface Made {
  readonly run: (...args: number[]) => unknown;
  readonly memory: WebAssembly.Memory;
}

async function make(write: (e: BinaryenEmitter) => void): Promise<Made> {
  const e = new BinaryenEmitter(await loadBinaryen(), pages);
  write(e);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const module = new WebAssembly.Module(e.finish());
  const { exports } = new WebAssembly.Instance(module, { machine: { memory } });
  return { run: exports['run'] as Made['run'], memory };
}

test('a loop counts, and branches by a table', async () => {
  // Odd numbers count 1, even ones 10.
  const { run } = await make((e) => {
    const get = (local: number): number => e.get(local, 'i32');
    const add = (n: number): number => e.set(1, e.op('i32.add', get(1), e.i32(n)));
    const parity = e.op('i32.and', get(0), e.i32(1));
    const even = e.block('even', [e.branchTable(['even', 'odd'], 'odd', parity)]);
    const odd = e.block('odd', [even, add(10), e.branch('done')]);
    const body = e.block('done', [odd, add(1)]);
    const next = e.set(0, e.op('i32.sub', get(0), e.i32(1)));
    const loop = e.loop('top', [body, next, e.branchIf('top', get(0))]);
    e.addFunction('run', ['i32'], ['i32'], ['i32'], e.block(undefined, [loop, e.return(get(1))]));
    e.exportFunction('run');
  });

  assert.is(run(5), 23);
});

test('a call gives back two values', async () => {
  const { run } = await make((e) => {
    const get = (local: number): number => e.get(local, 'i32');
    const swapped = e.return(get(1), get(0));
    e.addFunction('swap', ['i32', 'i32'], ['i32', 'i32'], [], swapped);
    const call = e.callInto([2, 3], 'swap', [get(0), get(1)], ['i32', 'i32']);
    const difference = e.return(e.op('i32.sub', get(2), get(3)));
    const body = e.block(undefined, [call, difference]);
    e.addFunction('run', ['i32', 'i32'], ['i32'], ['i32', 'i32'], body);
    e.exportFunction('run');
  });

  assert.is(run(3, 10), 7);
});

test('loads and stores go to the machine’s memory at any alignment', async () => {
  const { run, memory } = await make((e) => {
    const store = e.store('i32.store16', 3, e.get(0, 'i32'), e.i32(0xabcd));
    const load = e.return(e.load('i32.load', 1, e.get(0, 'i32')));
    e.addFunction('run', ['i32'], ['i32'], [], e.block(undefined, [store, load]));
    e.exportFunction('run');
  });

  assert.is(run(0x100), 0xabcd0000 | 0);
  assert.is(new DataView(memory.buffer).getUint16(0x103, true), 0xabcd);
});

test('what is no WebAssembly is refused', async () => {
  const e = new BinaryenEmitter(await loadBinaryen(), pages);

  assert.throws(() => e.op('i32.nonsense', e.i32(1)), /no WebAssembly operator i32.nonsense/);
});

test.run();

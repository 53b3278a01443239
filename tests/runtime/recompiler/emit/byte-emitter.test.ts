/** The emitter of run time against binaryen: the same operators, read back as the same text. */
import binaryen from 'binaryen';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { BinaryenEmitter } from '../../../../runtime/recompiler/emit/binaryen-emitter.ts';
import { ByteEmitter } from '../../../../runtime/recompiler/emit/byte-emitter.ts';
import {
  type Emitter,
  type Expression,
  memoryOperators,
  operators,
  type WasmType,
} from '../../../../runtime/recompiler/emit/emitter.ts';

const test = suite('runtime/recompiler/emit/byte-emitter');
const pages = 16;

/** binaryen's text of a module that either emitter wrote. */
const textOf = (bytes: Uint8Array): string => {
  const module = binaryen.readBinary(bytes);
  module.setFeatures(binaryen.Features.SIMD128);
  return module.emitText();
};

const both = (write: (e: Emitter) => void): [string, string] => {
  const texts = [new ByteEmitter(pages), new BinaryenEmitter(binaryen, pages)].map((e) => {
    write(e);
    return textOf(e.finish());
  });
  return [texts[0] ?? '', texts[1] ?? ''];
};

interface Types {
  readonly operands: readonly WasmType[];
  readonly result: WasmType;
}

/** Types of an operator's operands and result, by its name in the text format. */
function typesOf(name: string): Types {
  const [prefix = '', op = ''] = name.split('.');
  return /x/.test(prefix) || prefix === 'v128'
    ? vectorTypes(prefix, op)
    : scalarTypes(prefix as WasmType, op);
}

function vectorTypes(shape: string, op: string): Types {
  if (op === 'splat') return { operands: [laneType(shape)], result: 'v128' };
  if (op === 'bitselect') return { operands: ['v128', 'v128', 'v128'], result: 'v128' };
  if (/^(all_true|any_true|bitmask)$/.test(op)) return { operands: ['v128'], result: 'i32' };
  if (/^sh[lr]/.test(op)) return { operands: ['v128', 'i32'], result: 'v128' };
  const isUnary = /^(abs|neg|not|sqrt|popcnt|ceil|floor|trunc|nearest)$/.test(op);
  return { operands: isUnary ? ['v128'] : ['v128', 'v128'], result: 'v128' };
}

function scalarTypes(type: WasmType, op: string): Types {
  const from = /_(i32|i64|f32|f64)(_[su])?$/.exec(op)?.[1] as WasmType | undefined;
  if (from !== undefined) return { operands: [from], result: type };
  if (op === 'eqz') return { operands: [type], result: 'i32' };
  if (/^(clz|ctz|popcnt|extend\d+_s|abs|neg|sqrt|ceil|floor|trunc|nearest)$/.test(op))
    return { operands: [type], result: type };
  const compares = /^(eq|ne|[lg][te](_[su])?)$/.test(op);
  return { operands: [type, type], result: compares ? 'i32' : type };
}

const laneType = (shape: string): WasmType =>
  shape === 'i64x2' ? 'i64' : shape === 'f32x4' ? 'f32' : shape === 'f64x2' ? 'f64' : 'i32';

test('blocks of memory are copied and filled as binaryen writes it', () => {
  const [ours, theirs] = both((e) => {
    const statements = memoryOperators.map((name) =>
      e.op(name, e.get(0, 'i32'), e.get(1, 'i32'), e.get(2, 'i32')),
    );
    e.addFunction('f', ['i32', 'i32', 'i32'], [], [], e.block(undefined, statements));
    e.exportFunction('f');
  });

  assert.is(ours, theirs);
  for (const name of memoryOperators) assert.match(ours, `(${name}`);
});

test('every operator has the opcode that binaryen gives it', () => {
  const wrong = operators.filter((name) => {
    const { operands, result } = typesOf(name);
    const [ours, theirs] = both((e) => {
      const args = operands.map((type, i) => e.get(i, type));
      e.addFunction('f', operands, [result], [], e.return(e.op(name, ...args)));
      e.exportFunction('f');
    });
    return ours !== theirs || !ours.includes(`(${name}`);
  });

  assert.equal(wrong, []);
});

test('loads, stores, lanes, constants and control flow are written as binaryen writes them', () => {
  const [ours, theirs] = both((e) => {
    e.importFunction('outside', ['i32'], ['i64', 'i64']);
    e.importGlobal('base');
    const zero = (): Expression => e.i32(0);
    const store = (op: Parameters<Emitter['store']>[0], value: Expression): Expression =>
      e.store(op, 0xffff_fff0, zero(), value);
    e.addFunction(
      'f',
      ['i32', 'v128'],
      ['i64'],
      ['i64', 'i64', 'f64', 'v128'],
      e.block(undefined, [
        store('i32.store8', e.load('i32.load8_u', 1, zero())),
        store('i32.store16', e.load('i32.load16_u', 130, zero())),
        store('i32.store', e.getGlobal('base')),
        store('i64.store', e.i64(-0x1234_5678_9abc_def0n)),
        store('i64.store', e.i64(-0x8000_0000n)),
        store('f64.store', e.extractLane('f64x2', e.get(1, 'v128'), 1)),
        store('v128.store', e.replaceLane('i8x16', e.v128(0x0102n << 112n), 15, e.i32(-1))),
        e.set(5, e.shuffle(e.get(1, 'v128'), e.get(1, 'v128'), [...Array(16).keys()])),
        e.callInto([2, 3], 'outside', [e.i32(-65)], ['i64', 'i64']),
        e.loop('again', [
          e.block('out', [
            e.block('in', [e.branchTable(['in', 'again'], 'out', e.get(0, 'i32'))]),
            e.branchIf('again', e.op('i64.eqz', e.get(2, 'i64'))),
            e.ifThen(e.get(0, 'i32'), [e.branch('out')]),
          ]),
        ]),
        e.return(e.select(e.get(0, 'i32'), e.get(2, 'i64'), e.get(3, 'i64'))),
      ]),
    );
    e.exportFunction('f');
  });

  // binaryen keeps pairs in locals of its own, so only what does not touch locals is alike.
  const instructions = (text: string): string[] =>
    [...text.matchAll(/\((\w+\.(?:load|store|const|extract|replace|shuffle)[^()]*|br\w*)/g)].map(
      ([, found]) => (found ?? '').trim(),
    );
  assert.equal(instructions(ours), instructions(theirs));
  assert.match(ours, /i64\.const -1311768467463790320/);
  assert.match(ours, /offset=4294967280/);
});

test('a label that is not around a branch is refused', () => {
  const e = new ByteEmitter(pages);

  assert.throws(() => e.addFunction('f', [], [], [], e.branch('nowhere')), /not around/);
});

test('a function that is called but not written is named', () => {
  const e = new ByteEmitter(pages);
  e.addFunction('f', [], [], [], e.call('missing', []));

  assert.throws(() => e.finish(), /missing/);
});

test('what is hardly ever taken is hinted at by its place in the body of its function', () => {
  const e = new ByteEmitter(pages);
  e.importFunction('outside', [], []);
  const say = (): Expression => e.call('outside', []);
  e.addFunction('plain', [], [], [], e.ifThen(e.i32(1), [say()]));
  const rare = (): Expression => e.ifRare(e.i32(1), [say()]);
  e.addFunction('rare', [], [], ['i32'], e.block(undefined, [rare(), rare()]));
  e.exportFunction('plain');
  e.exportFunction('rare');

  const bytes = e.finish();
  const name = 'metadata.code.branch_hint';
  const section = Buffer.from(bytes).indexOf(name) + name.length;

  // One function, the second behind an import: two hints of one byte, 0 for unlikely.
  const hints = [...bytes.subarray(section, section + 9)];
  const [first = 0, , , second = 0] = hints.slice(3);
  assert.equal(hints, [1, 2, 2, first, 1, 0, second, 1, 0]);
  // Both bodies are the module's last bytes; the second begins with its locals: one run, one i32.
  const body = bytes.lastIndexOf(0x7f) - 2;
  assert.equal([bytes[body + first], bytes[body + second]], [0x04, 0x04]);
});

test.run();

/** Emitter over binaryen: validated modules, ahead of time. Loaded lazily, since it costs 0.3 s and 15 MB. */
import type binaryenType from 'binaryen';
import type { Emitter, Expression, LaneShape, LoadOp, StoreOp, WasmType } from './emitter.ts';
import { memoryOperators, operators } from './emitter.ts';

type Binaryen = typeof binaryenType;
type Module = InstanceType<Binaryen['Module']>;
/** Functions of binaryen's C interface that its JavaScript face has, but its types lack. */
interface Patch {
  readonly Block: { setName(block: Expression, name: string): void };
  readonly Expression: { setType(expression: Expression, type: number): void };
  _BinaryenLocalSetSetIndex(set: Expression, index: number): void;
  _BinaryenLocalGetSetIndex(get: Expression, index: number): void;
}
type Make = (...args: number[]) => Expression;

/** Where binaryen's name of an operator is not the text format's. */
const spelling: Readonly<Record<string, string>> = {
  'i32.wrap_i64': 'i32.wrap',
  'i32.reinterpret_f32': 'i32.reinterpret',
  'i64.reinterpret_f64': 'i64.reinterpret',
  'f32.reinterpret_i32': 'f32.reinterpret',
  'f64.reinterpret_i64': 'f64.reinterpret',
  'i64.extend_i32_s': 'i64.extend_s',
  'i64.extend_i32_u': 'i64.extend_u',
  'i32.trunc_sat_f32_s': 'i32.trunc_s_sat.f32',
  'i32.trunc_sat_f64_s': 'i32.trunc_s_sat.f64',
  'i64.trunc_sat_f32_s': 'i64.trunc_s_sat.f32',
  'i64.trunc_sat_f64_s': 'i64.trunc_s_sat.f64',
  'f32.convert_i32_s': 'f32.convert_s.i32',
  'f32.convert_i64_s': 'f32.convert_s.i64',
  'f64.convert_i32_s': 'f64.convert_s.i32',
  'f64.convert_i64_s': 'f64.convert_s.i64',
  'f32.demote_f64': 'f32.demote',
  'f64.promote_f32': 'f64.promote',
};

/** binaryen's method of a dotted name; its type is as wide as binaryen's object is dynamic. */
function method(module: Module, name: string): Make {
  let place: unknown = module;
  for (const part of (spelling[name] ?? name).replace('_sat_', '_saturate_').split('.')) {
    place = (place as Record<string, unknown>)[part];
  }
  if (typeof place !== 'function') throw new TypeError(`binaryen has no operator ${name}`);
  return place as Make;
}

export async function loadBinaryen(): Promise<Binaryen> {
  return (await import('binaryen')).default;
}

export class BinaryenEmitter implements Emitter {
  readonly #binaryen: Binaryen;
  readonly #module: Module;
  readonly #operators = new Map<string, Make>();
  /** Uses of tuple locals in the function at hand, to be numbered when it is added. */
  #tuples: { get: Expression; set: Expression; type: number; isSet: boolean }[] = [];

  constructor(binaryen: Binaryen, maximumPages: number) {
    this.#binaryen = binaryen;
    this.#module = new binaryen.Module();
    const { Features } = binaryen;
    this.#module.setFeatures(
      Features.SIMD128 |
        Features.Multivalue |
        Features.BulkMemory |
        Features.BulkMemoryOpt |
        Features.SignExt |
        Features.MutableGlobals |
        Features.NontrappingFPToInt,
    );
    // The memory first: setMemory after the import would make it the module's own again.
    this.#module.setMemory(1, maximumPages, null, [], false, false, 'memory');
    this.#module.addMemoryImport('memory', 'machine', 'memory');
    for (const name of [...operators, ...memoryOperators])
      this.#operators.set(name, method(this.#module, name));
    for (const name of ['i32', 'i64', 'f32', 'f64', 'v128']) {
      for (const width of ['load', 'load8_u', 'load16_u', 'store', 'store8', 'store16']) {
        const key = `${name}.${width}`;
        const group = (this.#module as unknown as Record<string, Record<string, Make>>)[name];
        const make = group?.[width];
        if (make !== undefined) this.#operators.set(key, make);
      }
    }
  }

  i32(value: number): Expression {
    return this.#module.i32.const(value | 0);
  }

  i64(value: bigint): Expression {
    return this.#module.i64.const(BigInt.asIntN(64, value));
  }

  v128(value: bigint): Expression {
    const bytes = Array.from({ length: 16 }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));
    return this.#module.v128.const(bytes);
  }

  op(name: string, ...args: Expression[]): Expression {
    const make = this.#operators.get(name);
    if (make === undefined) throw new TypeError(`no WebAssembly operator ${name}`);
    return make(...args);
  }

  extractLane(shape: LaneShape, vector: Expression, lane: number): Expression {
    switch (shape) {
      case 'i8x16':
        return this.#module.i8x16.extract_lane_u(vector, lane);
      case 'i16x8':
        return this.#module.i16x8.extract_lane_u(vector, lane);
      default:
        return this.#module[shape].extract_lane(vector, lane);
    }
  }

  replaceLane(shape: LaneShape, vector: Expression, lane: number, value: Expression): Expression {
    return this.#module[shape].replace_lane(vector, lane, value);
  }

  shuffle(a: Expression, b: Expression, bytes: readonly number[]): Expression {
    return this.#module.i8x16.shuffle(a, b, bytes);
  }

  select(condition: Expression, ifTrue: Expression, ifFalse: Expression): Expression {
    return this.#module.select(condition, ifTrue, ifFalse);
  }

  load(op: LoadOp, offset: number, pointer: Expression): Expression {
    return this.op(op, offset, 1, pointer);
  }

  store(op: StoreOp, offset: number, pointer: Expression, value: Expression): Expression {
    return this.op(op, offset, 1, pointer, value);
  }

  get(local: number, type: WasmType): Expression {
    return this.#module.local.get(local, this.#binaryen[type]);
  }

  set(local: number, value: Expression): Expression {
    return this.#module.local.set(local, value);
  }

  tee(local: number, value: Expression, type: WasmType): Expression {
    return this.#module.local.tee(local, value, this.#binaryen[type]);
  }

  block(label: string | undefined, body: readonly Expression[]): Expression {
    const block = this.#module.block(null, body, this.#binaryen.none);
    if (label === undefined) return block;
    // Naming it at once would make binaryen look for breaks in all that it holds: quadratic in nested blocks.
    const patch = this.#binaryen as unknown as Patch;
    patch.Block.setName(block, label);
    patch.Expression.setType(block, this.#binaryen.none);
    return block;
  }

  loop(label: string, body: readonly Expression[]): Expression {
    return this.#module.loop(label, this.block(undefined, body));
  }

  ifThen(condition: Expression, then: readonly Expression[]): Expression {
    const [only] = then;
    const body = then.length === 1 && only !== undefined ? only : this.block(undefined, then);
    return this.#module.if(condition, body);
  }

  /** binaryen's interface has no hints. */
  ifRare(condition: Expression, then: readonly Expression[]): Expression {
    return this.ifThen(condition, then);
  }

  branch(label: string): Expression {
    return this.#module.br(label);
  }

  branchIf(label: string, condition: Expression): Expression {
    return this.#module.br_if(label, condition);
  }

  branchIfRare(label: string, condition: Expression, first: Expression): Expression {
    return this.block(undefined, [first, this.branchIf(label, condition)]);
  }

  branchTable(labels: readonly string[], otherwise: string, index: Expression): Expression {
    return this.#module.switch(labels, otherwise, index);
  }

  call(name: string, args: readonly Expression[], result: WasmType | undefined): Expression {
    return this.#module.call(
      name,
      args,
      result === undefined ? this.#binaryen.none : this.#binaryen[result],
    );
  }

  callInto(
    locals: readonly number[],
    name: string,
    args: readonly Expression[],
    results: readonly WasmType[],
  ): Expression {
    return this.#into(locals, this.#module.call(name, args, this.#types(results)), results);
  }

  callIndirectInto(
    locals: readonly number[],
    index: Expression,
    args: readonly Expression[],
    parameters: readonly WasmType[],
    results: readonly WasmType[],
  ): Expression {
    const call = this.#module.call_indirect(
      'table',
      index,
      args,
      this.#types(parameters),
      this.#types(results),
    );
    return this.#into(locals, call, results);
  }

  return(...values: Expression[]): Expression {
    const [only] = values;
    if (only === undefined) return this.#module.return();
    return this.#module.return(values.length === 1 ? only : this.#module.tuple.make(values));
  }

  unreachable(): Expression {
    return this.#module.unreachable();
  }

  importFunction(
    name: string,
    parameters: readonly WasmType[],
    results: readonly WasmType[],
  ): void {
    this.#module.addFunctionImport(
      name,
      'machine',
      name,
      this.#types(parameters),
      this.#types(results),
    );
  }

  importGlobal(name: string): void {
    this.#module.addGlobalImport(name, 'machine', name, this.#binaryen.i32, false);
  }

  getGlobal(name: string): Expression {
    return this.#module.global.get(name, this.#binaryen.i32);
  }

  importTable(name: string): void {
    this.#module.addTableImport('table', 'machine', name);
  }

  addFunction(
    name: string,
    parameters: readonly WasmType[],
    results: readonly WasmType[],
    locals: readonly WasmType[],
    body: Expression,
  ): void {
    const base = parameters.length + locals.length;
    const tuples: number[] = [];
    const patch = this.#binaryen as unknown as Patch;
    for (const { get, set, type, isSet } of this.#tuples) {
      let index = tuples.indexOf(type);
      if (index < 0) index = tuples.push(type) - 1;
      if (isSet) patch._BinaryenLocalSetSetIndex(set, base + index);
      else patch._BinaryenLocalGetSetIndex(get, base + index);
    }
    this.#tuples = [];
    this.#module.addFunction(
      name,
      this.#types(parameters),
      this.#types(results),
      [...locals.map((type) => this.#binaryen[type]), ...tuples],
      body,
    );
  }

  exportFunction(name: string): void {
    this.#module.addFunctionExport(name, name);
  }

  finish(): Uint8Array {
    try {
      if (this.#module.validate() === 0) {
        throw new TypeError('the recompiler wrote a module that binaryen refuses (see above)');
      }
      return this.#module.emitBinary();
    } finally {
      this.#module.dispose();
    }
  }

  #types(types: readonly WasmType[]): number {
    const [only] = types;
    if (only === undefined) return this.#binaryen.none;
    return types.length === 1
      ? this.#binaryen[only]
      : this.#binaryen.createType(types.map((type) => this.#binaryen[type]));
  }

  /** binaryen has results only as tuples: one local holds the tuple for a moment; its number is known at the function's end. */
  #into(locals: readonly number[], call: Expression, types: readonly WasmType[]): Expression {
    const type = this.#types(types);
    const set = this.#module.local.set(0, call);
    const extract = (index: number): Expression => {
      const get = this.#module.local.get(0, type);
      this.#tuples.push({ get, set: 0, type, isSet: false });
      return this.#module.tuple.extract(get, index);
    };
    this.#tuples.push({ get: 0, set, type, isSet: true });
    return this.block(undefined, [set, ...locals.map((local, i) => this.set(local, extract(i)))]);
  }
}

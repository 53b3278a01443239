/**
 * Emitter that writes the binary format itself (WebAssembly core specification, chapter 5): what run time uses. V8 checks
 * the module; a test holds the opcodes against binaryen's.
 */
import { ByteWriter } from './byte-writer.ts';
import type { Emitter, Expression, LaneShape, LoadOp, StoreOp, WasmType } from './emitter.ts';
import { ExpressionPool, kinds, rareLabel } from './expression-pool.ts';
import { opcodeNumbers } from './opcodes.ts';

const types: Readonly<Record<WasmType, number>> = {
  i32: 0x7f,
  i64: 0x7e,
  f32: 0x7d,
  f64: 0x7c,
  v128: 0x7b,
};
const end = 0x0b;
const noLabel = -1;

function codeOf(name: string): number {
  const code = opcodeNumbers.get(name);
  if (code === undefined) throw new TypeError(`no WebAssembly operator ${name}`);
  return code;
}

/** Operator → the load that it is applied to, and the load that is both. */
const reinterpretedLoads: Readonly<Record<string, readonly [LoadOp, LoadOp]>> = {
  'f64.reinterpret_i64': ['i64.load', 'f64.load'],
  'f32.reinterpret_i32': ['i32.load', 'f32.load'],
};

/** Store → the operator that its value is made by, and the store that is both. */
const reinterpretedStores: Readonly<Partial<Record<StoreOp, readonly [string, StoreOp]>>> = {
  'i64.store': ['i64.reinterpret_f64', 'f64.store'],
  'i32.store': ['i32.reinterpret_f32', 'f32.store'],
};

interface Signature {
  readonly parameters: readonly WasmType[];
  readonly results: readonly WasmType[];
}

interface Body extends Signature {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Offsets of the branches that are hardly ever taken. */
  readonly rare: readonly number[];
}

export class ByteEmitter implements Emitter {
  readonly #maximumPages: number;
  readonly #signatures: Signature[] = [];
  readonly #signatureNumbers = new Map<string, number>();
  readonly #imports: (Signature & { readonly name: string })[] = [];
  readonly #globals: string[] = [];
  readonly #bodies: Body[] = [];
  /** Every function ever named, imported or not, in the order of its number. */
  readonly #numbers = new Map<string, number>();
  readonly #exports: string[] = [];
  #table: string | undefined;
  readonly #pool = new ExpressionPool();
  /** Numbers of labels, for the function at hand. */
  readonly #labels = new Map<string, number>();

  constructor(maximumPages: number) {
    this.#maximumPages = maximumPages;
  }

  i32(value: number): Expression {
    return this.#pool.leaf(kinds.i32, value | 0, 0);
  }

  i64(value: bigint): Expression {
    const signed = BigInt.asIntN(64, value);
    return BigInt.asIntN(32, signed) === signed
      ? this.#pool.leaf(kinds.i64, Number(signed), 0)
      : this.#pool.leaf(kinds.i64Big, this.#pool.big(signed), 0);
  }

  v128(value: bigint): Expression {
    return this.#pool.leaf(kinds.v128, this.#pool.big(value), codeOf('v128.const'));
  }

  op(name: string, a?: Expression, b?: Expression, c?: Expression): Expression {
    const code = codeOf(name);
    if (a === undefined) return this.#pool.leaf(kinds.code, code, 0);
    if (b === undefined)
      return this.#reinterpreted(name, a) ?? this.#pool.unary(kinds.code, code, 0, a);
    if (c === undefined) return this.#pool.binary(kinds.code, code, 0, a, b);
    return this.#pool.add(kinds.code, code, 0, [a, b, c]);
  }

  extractLane(shape: LaneShape, vector: Expression, lane: number): Expression {
    return this.#pool.unary(kinds.lane, codeOf(`${shape}.extract_lane`), lane, vector);
  }

  replaceLane(shape: LaneShape, vector: Expression, lane: number, value: Expression): Expression {
    return this.#pool.binary(kinds.lane, codeOf(`${shape}.replace_lane`), lane, vector, value);
  }

  shuffle(a: Expression, b: Expression, bytes: readonly number[]): Expression {
    return this.#pool.binary(kinds.bytes, codeOf('i8x16.shuffle'), this.#pool.list(bytes), a, b);
  }

  select(condition: Expression, ifTrue: Expression, ifFalse: Expression): Expression {
    return this.#pool.add(kinds.code, codeOf('select'), 0, [ifTrue, ifFalse, condition]);
  }

  load(op: LoadOp, offset: number, pointer: Expression): Expression {
    return this.#pool.unary(kinds.access, codeOf(op), offset, pointer);
  }

  /** Reinterpreting what is just loaded is loading it in the other type. */
  #reinterpreted(name: string, value: Expression): Expression | undefined {
    const loads = reinterpretedLoads[name];
    if (loads === undefined) return undefined;
    return this.#pool.recode(kinds.access, value, codeOf(loads[0]), codeOf(loads[1]));
  }

  store(op: StoreOp, offset: number, pointer: Expression, value: Expression): Expression {
    const [from, to] = reinterpretedStores[op] ?? [];
    const bits =
      from === undefined ? undefined : this.#pool.childOf(kinds.code, value, codeOf(from));
    if (bits !== undefined && to !== undefined)
      return this.#pool.binary(kinds.access, codeOf(to), offset, pointer, bits);
    return this.#pool.binary(kinds.access, codeOf(op), offset, pointer, value);
  }

  get(local: number): Expression {
    return this.#pool.leaf(kinds.numbered, 0x20, local);
  }

  set(local: number, value: Expression): Expression {
    return this.#pool.unary(kinds.numbered, 0x21, local, value);
  }

  tee(local: number, value: Expression): Expression {
    return this.#pool.unary(kinds.numbered, 0x22, local, value);
  }

  block(label: string | undefined, body: readonly Expression[]): Expression {
    return label === undefined
      ? this.#pool.add(kinds.sequence, 0, 0, body)
      : this.#pool.add(kinds.structure, 0x02, this.#label(label), body);
  }

  loop(label: string, body: readonly Expression[]): Expression {
    return this.#pool.add(kinds.structure, 0x03, this.#label(label), body);
  }

  ifThen(condition: Expression, then: readonly Expression[]): Expression {
    const body = this.#pool.add(kinds.structure, 0x04, noLabel, then);
    return this.#pool.binary(kinds.sequence, 0, 0, condition, body);
  }

  ifRare(condition: Expression, then: readonly Expression[]): Expression {
    const body = this.#pool.add(kinds.structure, 0x04, rareLabel, then);
    return this.#pool.binary(kinds.sequence, 0, 0, condition, body);
  }

  branch(label: string): Expression {
    return this.#pool.leaf(kinds.branch, 0x0c, this.#label(label));
  }

  branchIf(label: string, condition: Expression): Expression {
    return this.#pool.unary(kinds.branch, 0x0d, this.#label(label), condition);
  }

  /** `first` stands behind the condition, which lies on the stack. */
  branchIfRare(label: string, condition: Expression, first: Expression): Expression {
    return this.#pool.binary(kinds.rareBranch, 0x0d, this.#label(label), condition, first);
  }

  branchTable(labels: readonly string[], otherwise: string, index: Expression): Expression {
    const targets = [...labels, otherwise].map((label) => this.#label(label));
    return this.#pool.unary(kinds.branchTable, this.#pool.list(targets), 0, index);
  }

  call(name: string, args: readonly Expression[]): Expression {
    return this.#pool.add(kinds.call, this.#number(name), -1, args);
  }

  callInto(locals: readonly number[], name: string, args: readonly Expression[]): Expression {
    return this.#pool.add(kinds.call, this.#number(name), this.#pool.list(locals), args);
  }

  callIndirectInto(
    locals: readonly number[],
    index: Expression,
    args: readonly Expression[],
    parameters: readonly WasmType[],
    results: readonly WasmType[],
  ): Expression {
    const signature = this.#signature({ parameters, results });
    return this.#pool.add(kinds.callIndirect, signature, this.#pool.list(locals), [...args, index]);
  }

  return(...values: Expression[]): Expression {
    return this.#pool.add(kinds.code, codeOf('return'), 0, values);
  }

  unreachable(): Expression {
    return this.#pool.leaf(kinds.code, codeOf('unreachable'), 0);
  }

  #label(name: string): number {
    const known = this.#labels.get(name);
    if (known !== undefined) return known;
    const number = this.#labels.size;
    this.#labels.set(name, number);
    return number;
  }

  /** Functions are numbered when they are first named; `finish` puts them in that order. */
  #number(name: string): number {
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    const number = this.#numbers.size;
    this.#numbers.set(name, number);
    return number;
  }

  getGlobal(name: string): Expression {
    return this.#pool.leaf(kinds.numbered, 0x23, this.#globals.indexOf(name));
  }

  importGlobal(name: string): void {
    this.#globals.push(name);
  }

  importFunction(
    name: string,
    parameters: readonly WasmType[],
    results: readonly WasmType[],
  ): void {
    if (this.#numbers.size !== this.#imports.length)
      throw new TypeError('imports come before all functions');
    this.#number(name);
    this.#imports.push({ name, parameters, results });
  }

  importTable(name: string): void {
    this.#table = name;
  }

  addFunction(
    name: string,
    parameters: readonly WasmType[],
    results: readonly WasmType[],
    locals: readonly WasmType[],
    body: Expression,
  ): void {
    const w = new ByteWriter(4096);
    writeLocals(w, locals);
    this.#pool.write(body, w);
    w.byte(end);
    this.#number(name);
    this.#bodies.push({
      name,
      parameters,
      results,
      bytes: w.finished(),
      rare: [...this.#pool.rare],
    });
    this.#pool.clear();
    this.#labels.clear();
  }

  exportFunction(name: string): void {
    this.#exports.push(name);
  }

  #signature(signature: Signature): number {
    const key = `${signature.parameters.join()}>${signature.results.join()}`;
    const known = this.#signatureNumbers.get(key);
    if (known !== undefined) return known;
    const number = this.#signatures.push(signature) - 1;
    this.#signatureNumbers.set(key, number);
    return number;
  }

  finish(): Uint8Array {
    const byName = new Map(this.#bodies.map((body) => [body.name, body]));
    const bodies = [...this.#numbers.keys()].slice(this.#imports.length).map((name) => {
      const body = byName.get(name);
      if (body === undefined) throw new TypeError(`function ${name} is called, but not written`);
      return body;
    });
    const imports = this.#importSection();
    const functions = vectorOf(bodies, (w, body) => w.unsigned(this.#signature(body)));
    const signatures = vectorOf(this.#signatures, writeSignature);
    const exports = vectorOf(this.#exports, (w, name) => {
      w.text(name);
      w.byte(0x00);
      w.unsigned(this.#number(name));
    });
    const module = new ByteWriter(bodies.reduce((sum, { bytes }) => sum + bytes.length + 8, 4096));
    module.bytes([0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]);
    const sections: [number, Uint8Array][] = [
      [1, signatures],
      [2, imports],
      [3, functions],
      [7, exports],
      [0, branchHints(bodies, this.#imports.length)],
      [10, vectorOf(bodies, (w, { bytes }) => w.sized(bytes))],
    ];
    for (const [id, content] of sections) {
      module.byte(id);
      module.sized(content);
    }
    return module.finished();
  }

  #importSection(): Uint8Array {
    const entries: ((w: ByteWriter) => void)[] = [];
    const entry = (name: string, description: (w: ByteWriter) => void): void => {
      entries.push((w) => {
        w.text('machine');
        w.text(name);
        description(w);
      });
    };
    for (const signature of this.#imports)
      entry(signature.name, (w) => {
        w.byte(0x00);
        w.unsigned(this.#signature(signature));
      });
    const table = this.#table;
    if (table !== undefined) entry(table, (w) => w.bytes([0x01, 0x70, 0x00, 0x00]));
    entry('memory', (w) => {
      w.bytes([0x02, 0x01]);
      w.unsigned(1);
      w.unsigned(this.#maximumPages);
    });
    for (const name of this.#globals) entry(name, (w) => w.bytes([0x03, types.i32, 0x00]));
    return vectorOf(entries, (w, write) => write(w));
  }
}

/** The section of the branch hinting proposal: in each function, offsets from its body's start, and 0 for unlikely. */
function branchHints(bodies: readonly Body[], imported: number): Uint8Array {
  const w = new ByteWriter();
  w.text('metadata.code.branch_hint');
  const hinted = bodies.flatMap(({ rare }, i) => (rare.length === 0 ? [] : [{ rare, i }]));
  w.unsigned(hinted.length);
  for (const { rare, i } of hinted) {
    w.unsigned(imported + i);
    w.unsigned(rare.length);
    for (const offset of rare) {
      w.unsigned(offset);
      w.bytes([1, 0]);
    }
  }
  return w.finished();
}

function vectorOf<T>(items: readonly T[], write: (w: ByteWriter, item: T) => void): Uint8Array {
  const w = new ByteWriter();
  w.unsigned(items.length);
  for (const item of items) write(w, item);
  return w.finished();
}

function writeSignature(w: ByteWriter, { parameters, results }: Signature): void {
  w.byte(0x60);
  for (const list of [parameters, results]) {
    w.unsigned(list.length);
    for (const type of list) w.byte(types[type]);
  }
}

/** Runs of one type. */
function writeLocals(w: ByteWriter, locals: readonly WasmType[]): void {
  const runs: { type: WasmType; count: number }[] = [];
  for (const type of locals) {
    const last = runs.at(-1);
    if (last?.type === type) last.count++;
    else runs.push({ type, count: 1 });
  }
  w.unsigned(runs.length);
  for (const { type, count } of runs) {
    w.unsigned(count);
    w.byte(types[type]);
  }
}

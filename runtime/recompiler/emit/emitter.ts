/** What lowering writes through: WebAssembly as expression trees, whoever encodes them. */

export type WasmType = 'i32' | 'i64' | 'f32' | 'f64' | 'v128';

/** A node of the emitter's own. */
export type Expression = number;

const integer =
  'clz ctz popcnt eqz add sub mul div_s div_u rem_s rem_u and or xor shl shr_u shr_s rotl rotr eq ne lt_s lt_u le_s le_u gt_s gt_u ge_s ge_u';
const floating = 'neg abs sqrt add sub mul div eq ne lt le gt ge ceil floor trunc nearest';
const lanes = 'eq ne gt_s abs neg all_true bitmask shl shr_s shr_u add sub splat';

const each = (prefix: string, names: string): string[] =>
  names.split(' ').map((name) => `${prefix}.${name}`);

/** Operators by their names in the WebAssembly text format. */
export const operators: readonly string[] = [
  ...each(
    'i32',
    `${integer} extend8_s extend16_s wrap_i64 reinterpret_f32 trunc_sat_f32_s trunc_sat_f64_s`,
  ),
  ...each(
    'i64',
    `${integer} extend8_s extend16_s extend32_s extend_i32_s extend_i32_u reinterpret_f64 trunc_sat_f32_s trunc_sat_f64_s`,
  ),
  ...each('f32', `${floating} reinterpret_i32 convert_i32_s convert_i64_s demote_f64`),
  ...each('f64', `${floating} reinterpret_i64 convert_i32_s convert_i64_s promote_f32`),
  ...each('v128', 'and or xor andnot not any_true bitselect'),
  ...each(
    'i8x16',
    `${lanes} swizzle add_sat_s add_sat_u sub_sat_s sub_sat_u min_s min_u max_s max_u avgr_u narrow_i16x8_s narrow_i16x8_u`,
  ),
  ...each(
    'i16x8',
    `${lanes} mul add_sat_s add_sat_u sub_sat_s sub_sat_u min_s min_u max_s max_u avgr_u narrow_i32x4_s narrow_i32x4_u`,
  ),
  ...each(
    'i32x4',
    `${lanes} mul min_s min_u max_s max_u dot_i16x8_s extmul_low_i16x8_s extmul_high_i16x8_s extmul_low_i16x8_u extmul_high_i16x8_u`,
  ),
  ...each('i64x2', `${lanes} mul extmul_low_i32x4_s extmul_low_i32x4_u`),
  ...each('f32x4', 'eq ne lt le add sub mul div sqrt pmin pmax splat nearest floor ceil trunc'),
  ...each('f64x2', 'eq ne lt le add sub mul div sqrt pmin pmax splat nearest floor ceil trunc'),
];

/** (destination, source or byte, length) → nothing. */
export const memoryOperators = ['memory.copy', 'memory.fill'] as const;

export type LoadOp =
  | 'i32.load'
  | 'i32.load8_u'
  | 'i32.load16_u'
  | 'i64.load'
  | 'f32.load'
  | 'f64.load'
  | 'v128.load';
export type StoreOp =
  | 'i32.store'
  | 'i32.store8'
  | 'i32.store16'
  | 'i64.store'
  | 'f32.store'
  | 'f64.store'
  | 'v128.store';
export type LaneShape = 'i8x16' | 'i16x8' | 'i32x4' | 'i64x2' | 'f32x4' | 'f64x2';

export interface Emitter {
  i32(value: number): Expression;
  i64(value: bigint): Expression;
  /** 128 bits, little-endian. */
  v128(value: bigint): Expression;
  /** One of `operators`, which are pure, or of `memoryOperators`. */
  op(name: string, ...args: Expression[]): Expression;
  extractLane(shape: LaneShape, vector: Expression, lane: number): Expression;
  replaceLane(shape: LaneShape, vector: Expression, lane: number, value: Expression): Expression;
  shuffle(a: Expression, b: Expression, bytes: readonly number[]): Expression;
  select(condition: Expression, ifTrue: Expression, ifFalse: Expression): Expression;
  load(op: LoadOp, offset: number, pointer: Expression): Expression;
  store(op: StoreOp, offset: number, pointer: Expression, value: Expression): Expression;
  get(local: number, type: WasmType): Expression;
  set(local: number, value: Expression): Expression;
  tee(local: number, value: Expression, type: WasmType): Expression;
  block(label: string | undefined, body: readonly Expression[]): Expression;
  loop(label: string, body: readonly Expression[]): Expression;
  ifThen(condition: Expression, then: readonly Expression[]): Expression;
  /** The same for what is hardly ever taken: an engine that takes hints keeps it out of the way. */
  ifRare(condition: Expression, then: readonly Expression[]): Expression;
  branch(label: string): Expression;
  branchIf(label: string, condition: Expression): Expression;
  /** Of what is hardly ever taken; `first` is done before, whatever the condition says of it. */
  branchIfRare(label: string, condition: Expression, first: Expression): Expression;
  branchTable(labels: readonly string[], otherwise: string, index: Expression): Expression;
  /** A call with at most one result. */
  call(name: string, args: readonly Expression[], result: WasmType | undefined): Expression;
  /** A call with several results, put into as many locals. */
  callInto(
    locals: readonly number[],
    name: string,
    args: readonly Expression[],
    results: readonly WasmType[],
  ): Expression;
  /** The same of a function in the table. */
  callIndirectInto(
    locals: readonly number[],
    index: Expression,
    args: readonly Expression[],
    parameters: readonly WasmType[],
    results: readonly WasmType[],
  ): Expression;
  return(...values: Expression[]): Expression;
  unreachable(): Expression;
  /** An immutable i32 of the machine's. */
  importGlobal(name: string): void;
  getGlobal(name: string): Expression;
  importFunction(name: string, parameters: readonly WasmType[], results: readonly WasmType[]): void;
  /** `locals` follow the parameters in number. */
  addFunction(
    name: string,
    parameters: readonly WasmType[],
    results: readonly WasmType[],
    locals: readonly WasmType[],
    body: Expression,
  ): void;
  exportFunction(name: string): void;
  /** The machine's function table, which only the dispatcher imports. */
  importTable(name: string): void;
  /** The finished module, validated. */
  finish(): Uint8Array;
}

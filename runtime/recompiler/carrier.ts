/** How values travel in Wasm. */
import type { Width } from '../ir/ops.ts';
import type { Value } from '../ir/value.ts';
import type { LoadOp, StoreOp, WasmType } from './emit/emitter.ts';

export type Carrier = Extract<WasmType, 'i32' | 'i64' | 'v128'>;

/** The Wasm type that carries a value: zero-extended integers, or a vector. */
export const carrier = (width: Width): Carrier =>
  width === 128 ? 'v128' : width === 64 ? 'i64' : 'i32';

export const floatType = (width: Width): WasmType => (width === 32 ? 'f32' : 'f64');

export const arg = (value: Value, index: number): Value => {
  const found = value.args[index];
  if (found === undefined) throw new TypeError(`${value.op} has no argument ${index}`);
  return found;
};

/** How a value of a width is loaded into its carrier, and stored from it. */
// biome-ignore format: a table
export const loadOps: Readonly<Record<Width, LoadOp>> = {
  1: 'i32.load8_u', 8: 'i32.load8_u', 16: 'i32.load16_u', 32: 'i32.load', 64: 'i64.load', 128: 'v128.load',
};
// biome-ignore format: a table
export const storeOps: Readonly<Record<Width, StoreOp>> = {
  1: 'i32.store8', 8: 'i32.store8', 16: 'i32.store16', 32: 'i32.store', 64: 'i64.store', 128: 'v128.store',
};

/** The same of a Wasm type. */
// biome-ignore format: a table
export const plainLoads: Readonly<Record<WasmType, LoadOp>> = {
  i32: 'i32.load', i64: 'i64.load', f32: 'f32.load', f64: 'f64.load', v128: 'v128.load',
};
// biome-ignore format: a table
export const plainStores: Readonly<Record<WasmType, StoreOp>> = {
  i32: 'i32.store', i64: 'i64.store', f32: 'f32.store', f64: 'f64.store', v128: 'v128.store',
};

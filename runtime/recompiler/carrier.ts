/** How values travel in Wasm. */
import type { Width } from '../ir/ops.ts';
import type { Value } from '../ir/value.ts';
import type { WasmType } from './emitter.ts';

/** The Wasm type that carries a value: zero-extended integers, or a vector. */
export const carrier = (width: Width): WasmType =>
  width === 128 ? 'v128' : width === 64 ? 'i64' : 'i32';

export const floatType = (width: Width): WasmType => (width === 32 ? 'f32' : 'f64');

export const arg = (value: Value, index: number): Value => {
  const found = value.args[index];
  if (found === undefined) throw new TypeError(`${value.op} has no argument ${index}`);
  return found;
};

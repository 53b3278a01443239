/**
 * How recompiled functions call each other. The stack pointer, how much host stack is left and a few registers travel as
 * parameters, the stack pointer and a few registers as results: those of the ABIs that nearly every call sets or saves. A
 * register that travels is not in the state block; all others are, at every call and return. Where the callee goes back to,
 * or `left`, is in the state block (cpuState.returnedTo).
 *
 * As many as V8 passes in registers on x86-64: five integers and six floats in, two and two out; a float is as good a place
 * as any to carry an integer.
 */
import { type Mode, RAX, RBP, RBX, RDI, RSI } from '../x86/registers.ts';
import type { Emitter, Expression, WasmType } from './emit/emitter.ts';

/** Parameters by number: the stack pointer, the depth, registers. */
export const spParameter = 0;
export const depthParameter = 1;
export const firstCarried = 2;

/** A register, and the type in which it travels. */
export interface Carried {
  readonly register: number;
  readonly as: WasmType;
}

export interface Convention {
  readonly native: 'i32' | 'i64';
  /** Behind the stack pointer and the depth. */
  readonly parameters: readonly Carried[];
  /** Behind the stack pointer; each is a parameter as well. */
  readonly results: readonly Carried[];
  readonly parameterTypes: readonly WasmType[];
  readonly resultTypes: readonly WasmType[];
  /** Registers by bit of their number (plan.ts), in: */
  readonly passed: number;
  readonly returned: number;
}

const make = (
  native: 'i32' | 'i64',
  parameters: readonly Carried[],
  results: readonly Carried[],
): Convention => ({
  ...{ native, parameters, results },
  parameterTypes: [native, 'i32', ...parameters.map(({ as }) => as)],
  resultTypes: [native, ...results.map(({ as }) => as)],
  passed: bitsOf(parameters),
  returned: bitsOf(results),
});

const bitsOf = (carried: readonly Carried[]): number =>
  carried.reduce((set, { register }) => set | (1 << register), 0);

const conventions: Readonly<Record<Mode, Convention>> = {
  64: make(
    'i64',
    [
      { register: RDI, as: 'i64' },
      { register: RBX, as: 'i64' },
      { register: RBP, as: 'i64' },
      { register: RAX, as: 'f64' },
    ],
    [
      { register: RAX, as: 'i64' },
      { register: RBX, as: 'f64' },
      { register: RBP, as: 'f64' },
    ],
  ),
  32: make(
    'i32',
    [
      { register: RBX, as: 'i32' },
      { register: RSI, as: 'i32' },
      { register: RAX, as: 'i32' },
    ],
    [
      { register: RAX, as: 'i32' },
      { register: RBX, as: 'f32' },
      { register: RSI, as: 'f32' },
    ],
  ),
};

export const conventionOf = (mode: Mode): Convention => conventions[mode];

/** A register's value as it travels. */
export function toCarrier(e: Emitter, as: WasmType, value: Expression): Expression {
  if (as === 'f64') return e.op('f64.reinterpret_i64', value);
  return as === 'f32' ? e.op('f32.reinterpret_i32', value) : value;
}

/** The value of a register that has travelled. */
export function fromCarrier(e: Emitter, as: WasmType, value: Expression): Expression {
  if (as === 'f64') return e.op('i64.reinterpret_f64', value);
  return as === 'f32' ? e.op('i32.reinterpret_f32', value) : value;
}

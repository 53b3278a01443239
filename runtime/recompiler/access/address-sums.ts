/**
 * Addresses of a block as sums: of what registers held at its start, of other values that it computes or loads, and a
 * constant. Modulo the width of an address, so that two sums of the same parts differ by what their constants differ by.
 */
import { constantOf } from '../../ir/build.ts';
import type { Value } from '../../ir/value.ts';
import type { Mode } from '../../x86/registers.ts';

/** A register as it was at the block's start, by number, or a value of which no more is known. */
export type Part = number | Value;

export interface AddressSum {
  /** Each part with its factor, which is not 0. */
  readonly parts: readonly (readonly [Part, number])[];
  readonly plus: number;
}

/** Parts of a sum; what has more is a part itself. */
const mostParts = 3;
/** Factors, and constants, that stand for themselves. */
const mostFactor = 16;
const mostPlus = 2 ** 45;
const deepest = 8;
const noParts: AddressSum['parts'] = [];

export class AddressSums {
  readonly #mode: Mode;
  readonly #known = new Map<Value, AddressSum>();

  constructor(mode: Mode) {
    this.#mode = mode;
  }

  of(value: Value, depth = 0): AddressSum {
    if (value.op === 'register') return { parts: [[value.detail as number, 1]], plus: 0 };
    const known = this.#known.get(value);
    if (known !== undefined) return known;
    const sum = this.#sum(value, depth) ?? { parts: [[value, 1]], plus: 0 };
    this.#known.set(value, sum);
    return sum;
  }

  #sum(value: Value, depth: number): AddressSum | undefined {
    if (value.width !== this.#mode || depth === deepest) return undefined;
    const number = constantOf(value);
    if (number !== undefined)
      return this.#whole(noParts, Number(BigInt.asIntN(this.#mode, number)));
    const [a, b] = value.args;
    if (a === undefined || b === undefined) return undefined;
    const by = constantOf(b);
    switch (value.op) {
      case 'add':
        return this.#added(this.of(a, depth + 1), this.of(b, depth + 1), 1);
      case 'sub':
        return this.#added(this.of(a, depth + 1), this.of(b, depth + 1), -1);
      case 'shiftLeft':
        return by === undefined || by > 4n ? undefined : this.#times(a, 1 << Number(by), depth);
      case 'mul':
        return by === undefined || by > mostFactor ? undefined : this.#times(a, Number(by), depth);
      default:
        return undefined;
    }
  }

  #times(value: Value, factor: number, depth: number): AddressSum | undefined {
    return this.#added({ parts: noParts, plus: 0 }, this.of(value, depth + 1), factor);
  }

  #added(one: AddressSum, other: AddressSum, factor: number): AddressSum | undefined {
    if (other.parts.length === 0) return this.#whole(one.parts, one.plus + factor * other.plus);
    const parts = new Map(one.parts);
    for (const [part, times] of other.parts)
      parts.set(part, (parts.get(part) ?? 0) + factor * times);
    const left = [...parts].filter(([, times]) => times !== 0);
    const isSmall = left.every(([, times]) => Math.abs(times) <= mostFactor);
    if (left.length > mostParts || !isSmall) return undefined;
    return this.#whole(left, one.plus + factor * other.plus);
  }

  #whole(parts: AddressSum['parts'], plus: number): AddressSum | undefined {
    if (this.#mode === 32) return { parts, plus: plus | 0 };
    return Math.abs(plus) > mostPlus ? undefined : { parts, plus };
  }
}

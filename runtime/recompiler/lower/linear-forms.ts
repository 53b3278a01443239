/**
 * Values as sums of registers and a constant, through the blocks of one round of a loop: in terms of what registers held at
 * the round's start. What is small whatever it is (a byte, a masked index) makes a sum spread.
 */
import * as v from '../../ir/build.ts';
import type { Block, Value } from '../../ir/value.ts';
import type { Mode } from '../../x86/registers.ts';

export interface LinearSum {
  /** Register → factor, none of them 0. */
  readonly terms: ReadonlyMap<number, bigint>;
  readonly plus: bigint;
  /** How much more it may be. */
  readonly spread: bigint;
}

/** Beyond this nothing is small. */
const mostSpread = 1024n;
const deepest = 6;

export class LinearForms {
  readonly #mode: Mode;
  /** What registers hold at a block's start, and at its end so far; undefined where nobody knows. */
  #atStart = new Map<number, LinearSum | undefined>();
  #atEnd = new Map<number, LinearSum | undefined>();

  constructor(mode: Mode) {
    this.#mode = mode;
  }

  enter(): void {
    this.#atStart = this.#atEnd;
    this.#atEnd = new Map(this.#atStart);
  }

  /** Takes over what a block leaves in registers; its values are in terms of its start. */
  leave({ statements }: Block): void {
    for (const s of statements)
      if (s.kind === 'setRegister') {
        const sum = this.of(s.value);
        this.#atEnd.set(s.register, sum?.spread === 0n ? sum : undefined);
      }
  }

  /** A value of the block at hand. */
  of(value: Value): LinearSum | undefined {
    return this.#sum(value, deepest);
  }

  /** By how much a sum is larger a round later; undefined where that is not always the same. */
  strideOf({ terms }: LinearSum): bigint | undefined {
    let stride = 0n;
    for (const [register, factor] of terms) {
      if (!this.#atEnd.has(register)) continue;
      const after = this.#atEnd.get(register);
      const isStep = after?.terms.size === 1 && after.terms.get(register) === 1n;
      if (after === undefined || !isStep) return undefined;
      stride += factor * after.plus;
    }
    return stride;
  }

  /** The value of a sum's registers at the round's start, and a constant. */
  valueOf({ terms }: LinearSum, plus: bigint): Value {
    const mode = this.#mode;
    let sum = v.constant(mode, BigInt.asUintN(mode, plus));
    for (const [register, factor] of terms) {
      const by = v.constant(mode, BigInt.asUintN(mode, factor));
      sum = v.add(v.mul(v.registerValue(register, mode), by), sum);
    }
    return sum;
  }

  #sum(value: Value, depth: number): LinearSum | undefined {
    const known = v.constantOf(value);
    if (known !== undefined)
      return { terms: none, plus: BigInt.asIntN(this.#mode, known), spread: 0n };
    const exact = value.width === this.#mode && depth > 0 ? this.#exact(value, depth) : undefined;
    if (exact !== undefined) return exact;
    const most = mostOf(value, deepest);
    return most === undefined ? undefined : { terms: none, plus: 0n, spread: most };
  }

  #exact(value: Value, depth: number): LinearSum | undefined {
    const [a, b] = value.args;
    if (value.op === 'register') return this.#register(value);
    if (a === undefined || b === undefined) return undefined;
    const by = v.constantOf(b);
    switch (value.op) {
      case 'add':
        return combine(this.#sum(a, depth - 1), this.#sum(b, depth - 1));
      case 'sub':
        return by === undefined ? undefined : combine(this.#sum(a, depth - 1), minus(by));
      case 'shiftLeft':
        return by === undefined ? undefined : times(this.#sum(a, depth - 1), 1n << by);
      case 'mul':
        return by === undefined || by > mostSpread ? undefined : times(this.#sum(a, depth - 1), by);
      default:
        return undefined;
    }
  }

  #register(value: Value): LinearSum | undefined {
    const register = value.detail as number;
    if (this.#atStart.has(register)) return this.#atStart.get(register);
    return { terms: new Map([[register, 1n]]), plus: 0n, spread: 0n };
  }
}

const none: ReadonlyMap<number, bigint> = new Map();
const minus = (by: bigint): LinearSum => ({ terms: none, plus: -by, spread: 0n });

function combine(a: LinearSum | undefined, b: LinearSum | undefined): LinearSum | undefined {
  if (a === undefined || b === undefined) return undefined;
  const terms = new Map(a.terms);
  for (const [register, factor] of b.terms) {
    const sum = (terms.get(register) ?? 0n) + factor;
    if (sum === 0n) terms.delete(register);
    else terms.set(register, sum);
  }
  return small({ terms, plus: a.plus + b.plus, spread: a.spread + b.spread });
}

function times(sum: LinearSum | undefined, by: bigint): LinearSum | undefined {
  if (sum === undefined || by <= 0n) return undefined;
  const terms = new Map([...sum.terms].map(([register, factor]) => [register, factor * by]));
  return small({ terms, plus: sum.plus * by, spread: sum.spread * by });
}

const small = (sum: LinearSum): LinearSum | undefined =>
  sum.spread > mostSpread ? undefined : sum;

/** The most that a value can be, if that is little. */
function mostOf(value: Value, depth: number): bigint | undefined {
  const known = v.constantOf(value);
  if (known !== undefined) return known <= mostSpread ? known : undefined;
  if (value.width <= 8) return v.mask(value.width);
  const [a, b] = value.args;
  if (a === undefined || depth === 0) return undefined;
  if (value.op === 'zeroExtend') return mostOf(a, depth - 1);
  if (value.op !== 'and' || b === undefined) return undefined;
  return mostOf(a, depth - 1) ?? mostOf(b, depth - 1);
}

export function sameTerms(a: LinearSum, b: LinearSum): boolean {
  if (a.terms.size !== b.terms.size) return false;
  return [...a.terms].every(([register, factor]) => b.terms.get(register) === factor);
}

/**
 * Which XMM registers a function keeps in two locals: the low half as an f64, the high half as an i64. Scalar doubles use
 * nothing else, and in a v128 each of their instructions would take its operands out of vectors and put its result into one.
 */
import type { Block, Value } from '../../ir/value.ts';
import { isVector } from '../../x86/registers.ts';
import type { GuestFunction } from '../discover.ts';
import { operandsOf, terminatorOperands } from './plan.ts';
import { isMadeOfHalves } from './values.ts';

/** How often a register is used as a scalar of 64 bits, and as a vector or in other lanes. */
interface Uses {
  scalar: number;
  vector: number;
}

/** One use as a vector makes its halves into one, or the reverse: 2 instructions, as much as two scalar uses of a vector cost. */
const vectorCost = 2;

const none: ReadonlySet<number> = new Set();

export function halvedRegisters(fn: GuestFunction): ReadonlySet<number> {
  if (!fn.usesVectors) return none;
  const count = new UseCount();
  for (const block of fn.blocks) count.block(block);
  const halved = [...count.uses].filter(([, { scalar, vector }]) => scalar > vectorCost * vector);
  return new Set(halved.map(([register]) => register));
}

class UseCount {
  readonly uses = new Map<number, Uses>();
  /** Of values that have been seen in the block at hand. */
  #walk = {};

  block({ statements, terminator }: Block): void {
    this.#walk = {};
    for (const statement of statements) {
      if (statement.kind === 'setRegister' && isVector(statement.register))
        this.#written(statement.register, statement.value);
      else for (const value of operandsOf(statement)) this.#visit(value, undefined);
    }
    for (const value of terminatorOperands(terminator)) this.#visit(value, undefined);
  }

  #written(register: number, value: Value): void {
    if (value.op === 'register') return;
    const uses = this.#usesOf(register);
    if (isMadeOfHalves(value)) uses.scalar++;
    else if (value.op !== 'constant') uses.vector++;
    this.#visit(value, undefined);
  }

  #visit(value: Value, user: Value | undefined): void {
    if (value.op === 'register') {
      const register = value.detail;
      if (typeof register !== 'number' || !isVector(register)) return;
      const uses = this.#usesOf(register);
      if (user !== undefined && isHalfUse(user)) uses.scalar++;
      else uses.vector++;
      return;
    }
    if (value.args.length === 0 || value.walk === this.#walk) return;
    value.walk = this.#walk;
    for (const arg of value.args) this.#visit(arg, value);
  }

  #usesOf(register: number): Uses {
    const known = this.uses.get(register) ?? { scalar: 0, vector: 0 };
    this.uses.set(register, known);
    return known;
  }
}

/** Takes a half, or replaces one. */
const isHalfUse = (user: Value): boolean =>
  (user.op === 'slice' && user.width === 64) ||
  (user.op === 'truncate' && user.width === 64) ||
  (user.op === 'insert' && user.args[1]?.width === 64);

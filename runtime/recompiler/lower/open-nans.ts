/**
 * Results of scalar float arithmetic that may be a NaN, whose bits Wasm leaves open and SSE does not. What is computed of a
 * NaN is one, too: so only the last of a chain is looked at, before anybody can see one of it, and all are mended from the
 * first on where it is one.
 */
import type { Width } from '../../ir/ops.ts';
import { floatType } from '../carrier.ts';
import type { Emitter, Expression } from '../emit/emitter.ts';

interface OpenNan {
  readonly width: Width;
  /** Locals of the result and of what it was computed from, which keep their values. */
  readonly result: number;
  readonly operands: readonly [number, number];
  /** Registers' locals that hold the result, too. */
  readonly copies: Set<number>;
  /** Another result that is open was computed from it. */
  isCovered: boolean;
}

/** Of one block: more keep too many locals for too long. */
const most = 16;

/** What the block around gives. */
interface Surroundings {
  readonly emitter: Emitter;
  statement(expression: Expression): void;
  support(name: string): string;
}

export class OpenNans {
  readonly #surroundings: Surroundings;
  #open = new Map<number, OpenNan>();

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
  }

  /** A result is in a local, of operands in others. */
  add(width: Width, result: number, operands: readonly [number, number]): void {
    if (this.#open.size === most) this.settle();
    for (const operand of operands) {
      const open = this.#open.get(operand);
      if (open !== undefined) open.isCovered = true;
    }
    this.#open.set(result, { width, result, operands, copies: new Set(), isCovered: false });
  }

  /** A register's local is set to another local. */
  copy(from: number, to: number): void {
    for (const { copies } of this.#open.values()) copies.delete(to);
    this.#open.get(from)?.copies.add(to);
  }

  /** Somebody is to see what is in a local. */
  see(local: number): void {
    if (this.#open.has(local)) this.settle();
  }

  /** Somebody may see all of them. */
  settle(): void {
    if (this.#open.size === 0) return;
    const open = [...this.#open.values()];
    this.#open = new Map();
    const e = this.#surroundings.emitter;
    const ends = open.filter(({ isCovered }) => !isCovered);
    const isNan = ({ width, result }: OpenNan): Expression => notANumber(e, width, result);
    const mended = open.flatMap((each) => this.#mended(each));
    const [end] = ends;
    if (end !== undefined && ends.length === 1) {
      this.#surroundings.statement(e.ifRare(isNan(end), mended));
      return;
    }
    const nothing = e.block(undefined, []);
    const looks = ends.map((each) => e.branchIfRare('nan', isNan(each), nothing));
    this.#surroundings.statement(
      e.block('numbers', [e.block('nan', [...looks, e.branch('numbers')]), ...mended]),
    );
  }

  #mended({ width, result, operands: [x, y], copies }: OpenNan): Expression[] {
    const e = this.#surroundings.emitter;
    const type = floatType(width);
    const get = (local: number): Expression => e.get(local, type);
    const name = this.#surroundings.support(`mended${width}`);
    return [
      e.set(result, e.call(name, [get(x), get(y), get(result)], type)),
      ...[...copies].map((copy) => e.set(copy, get(result))),
    ];
  }
}

/** Of a local. `ne` would be two jumps in V8's code, one of them on parity. */
export function notANumber(e: Emitter, width: Width, local: number): Expression {
  const get = (): Expression => e.get(local, floatType(width));
  return e.op('i32.eqz', e.op(`${width === 32 ? 'f32' : 'f64'}.ge`, get(), get()));
}

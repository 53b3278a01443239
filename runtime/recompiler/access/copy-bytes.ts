/** A copy in the machine's memory whose length is not known: V8 calls C for `memory.copy`, which takes longer than few bytes do. */
import { type Carrier, carrier, loadOps, storeOps } from '../carrier.ts';
import type { Emitter, Expression } from '../emit/emitter.ts';

/** Locals that are free, one of each type that a tail may have. */
export type TailLocals = Readonly<Record<Carrier, number>>;

export interface Copied {
  /** Pointers and length in bytes, without side effects. */
  readonly to: () => Expression;
  readonly from: () => Expression;
  readonly length: () => Expression;
  /** Added to both pointers. */
  readonly offset: number;
}

/** Of a part, in bits; the widest first. */
const widths = [128, 64, 32, 16, 8] as const;

const longest = 32;

/**
 * Up to 32 bytes are a head and a tail that may overlap: both are read before either is written, so that the two blocks may
 * overlap, too.
 */
export function copyBytes(e: Emitter, copied: Copied, tails: TailLocals): Expression {
  const { to, from, length, offset } = copied;
  const isLong = e.op('i32.gt_u', length(), e.i32(longest));
  const whole = (pointer: () => Expression): Expression =>
    offset === 0 ? pointer() : e.op('i32.add', pointer(), e.i32(offset));
  const inParts = widths.map((width) => {
    const bytes = width / 8;
    const type = carrier(width);
    const tail = tails[type];
    const before = (pointer: () => Expression): Expression =>
      e.op('i32.add', pointer(), e.op('i32.sub', length(), e.i32(bytes)));
    return e.ifThen(e.op('i32.ge_u', length(), e.i32(bytes)), [
      e.set(tail, e.load(loadOps[width], offset, before(from))),
      e.store(storeOps[width], offset, to(), e.load(loadOps[width], offset, from())),
      e.store(storeOps[width], offset, before(to), e.get(tail, type)),
      e.branch('copied'),
    ]);
  });
  return e.block('copied', [
    e.ifThen(isLong, [e.op('memory.copy', whole(to), whole(from), length()), e.branch('copied')]),
    ...inParts,
  ]);
}

/** A copy in the machine's memory whose length is not known: V8 calls C for `memory.copy`, which takes longer than few bytes do. */
import type { Emitter, Expression, LoadOp, StoreOp, WasmType } from '../emit/emitter.ts';

/** Locals that are free, one of each type that a tail may have. */
export interface TailLocals {
  readonly i32: number;
  readonly i64: number;
  readonly v128: number;
}

export interface Copied {
  /** Pointers and length in bytes, without side effects. */
  readonly to: () => Expression;
  readonly from: () => Expression;
  readonly length: () => Expression;
  /** Added to both pointers. */
  readonly offset: number;
}

interface Part {
  readonly bytes: number;
  readonly type: keyof TailLocals & WasmType;
  readonly load: LoadOp;
  readonly store: StoreOp;
}

/** The largest first. */
const parts: readonly Part[] = [
  { bytes: 16, type: 'v128', load: 'v128.load', store: 'v128.store' },
  { bytes: 8, type: 'i64', load: 'i64.load', store: 'i64.store' },
  { bytes: 4, type: 'i32', load: 'i32.load', store: 'i32.store' },
  { bytes: 2, type: 'i32', load: 'i32.load16_u', store: 'i32.store16' },
  { bytes: 1, type: 'i32', load: 'i32.load8_u', store: 'i32.store8' },
];

const longest = 32;

/**
 * Up to 32 bytes are a head and a tail that may overlap: both are read before either is written, so that the two blocks may
 * overlap, too. json's strings: see `runtime/README.md`.
 */
export function copyBytes(e: Emitter, copied: Copied, tails: TailLocals): Expression {
  const { to, from, length, offset } = copied;
  const isLong = e.op('i32.gt_u', length(), e.i32(longest));
  const whole = (pointer: () => Expression): Expression =>
    offset === 0 ? pointer() : e.op('i32.add', pointer(), e.i32(offset));
  const tailOf = (pointer: () => Expression, { bytes }: Part): Expression =>
    e.op('i32.add', pointer(), e.op('i32.sub', length(), e.i32(bytes)));
  const inParts = parts.map((part) =>
    e.ifThen(e.op('i32.ge_u', length(), e.i32(part.bytes)), [
      e.set(tails[part.type], e.load(part.load, offset, tailOf(from, part))),
      e.store(part.store, offset, to(), e.load(part.load, offset, from())),
      e.store(part.store, offset, tailOf(to, part), e.get(tails[part.type], part.type)),
      e.branch('copied'),
    ]),
  );
  return e.block('copied', [
    e.ifThen(isLong, [e.op('memory.copy', whole(to), whole(from), length()), e.branch('copied')]),
    ...inParts,
  ]);
}

/**
 * Accesses that begin on one page and end on the next, which lies elsewhere: the value goes through 16 bytes of the vCPU's
 * own. `(address) → where it is`, or 0 where one of the pages is not in the TLB; after a store `(address) → 0` puts it in
 * its two places.
 */
import { tlbEntries, tlbTable } from '../../memory/tlb.ts';
import type { Emitter, Expression } from '../emit/emitter.ts';
import type { SupportFunction } from '../lower/support.ts';

export const crossingBytes = 16;

/** Parameter and locals: addresses of 64 bits, the rest of 32. */
const local = { address: 0, first: 1, last: 2, before: 3 } as const;

export interface Crossing {
  readonly kind: 'load' | 'store';
  /** Of the access. */
  readonly bytes: number;
  /** Offsets in the machine's memory. */
  readonly tlb: number;
  readonly value: number;
}

export const crossingStart = (crossing: Crossing): SupportFunction => ({
  parameters: ['i64'],
  result: 'i32',
  locals: ['i32', 'i32', 'i32'],
  body: (e) => {
    const { first, last, copies } = parts(e, crossing);
    const page = (value: Expression): Expression => e.op('i64.and', value, e.i64(-4096n));
    const misses = (entry: number, value: Expression): Expression =>
      e.op('i64.ne', e.load('i64.load', tlbOf(crossing), e.get(entry, 'i32')), page(value));
    const address = (): Expression => e.get(local.address, 'i64');
    const end = e.op('i64.add', address(), e.i64(BigInt(crossing.bytes - 1)));
    return e.block(undefined, [
      first,
      last,
      e.ifThen(e.op('i32.or', misses(local.first, address()), misses(local.last, end)), [
        e.return(e.i32(0)),
      ]),
      ...copies('in'),
      e.return(e.i32(crossing.value)),
    ]);
  },
});

export const crossingEnd = (crossing: Crossing): SupportFunction => ({
  parameters: ['i64'],
  result: 'i32',
  locals: ['i32', 'i32', 'i32'],
  body: (e) => {
    const { first, last, copies } = parts(e, crossing);
    return e.block(undefined, [first, last, ...copies('out'), e.return(e.i32(0))]);
  },
});

const tlbOf = ({ tlb, kind }: Crossing): number => tlbTable(tlb, kind);

interface Parts {
  /** Statements that find the entries of the two pages. */
  readonly first: Expression;
  readonly last: Expression;
  readonly copies: (way: 'in' | 'out') => Expression[];
}

function parts(e: Emitter, crossing: Crossing): Parts {
  const { bytes, value } = crossing;
  const low = (): Expression => e.op('i32.wrap_i64', e.get(local.address, 'i64'));
  const end = (): Expression => e.op('i32.add', low(), e.i32(bytes - 1));
  const entry = (at: Expression): Expression =>
    e.op('i32.and', e.op('i32.shr_u', at, e.i32(8)), e.i32((tlbEntries - 1) << 4));
  const border = (): Expression => e.op('i32.and', end(), e.i32(-4096));
  const delta = (which: number): Expression =>
    e.load('i32.load', tlbOf(crossing) + 8, e.get(which, 'i32'));
  const before = (): Expression => e.get(local.before, 'i32');
  const copy = (way: 'in' | 'out', host: Expression, own: Expression, size: Expression) =>
    way === 'in' ? e.op('memory.copy', own, host, size) : e.op('memory.copy', host, own, size);
  return {
    first: e.set(local.first, entry(low())),
    last: e.set(local.last, entry(end())),
    copies: (way) => [
      e.set(local.before, e.op('i32.sub', border(), low())),
      copy(way, e.op('i32.add', low(), delta(local.first)), e.i32(value), before()),
      copy(
        way,
        e.op('i32.add', border(), delta(local.last)),
        e.op('i32.add', e.i32(value), before()),
        e.op('i32.sub', e.i32(bytes), before()),
      ),
    ],
  };
}

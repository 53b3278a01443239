/**
 * Where an access lies that no quick check lets pass: `(address, bytes) → host offset`, or 0 where the TLB does not say, and the
 * host, which is asked next, could not fill it. Stores beside code pass that touch no byte of it.
 */
import { pageSize } from '../../memory/machine-memory.ts';
import { besideCode, type TlbKind, tlbEntries, tlbTable } from '../../memory/tlb.ts';
import type { Emitter, Expression } from '../emit/emitter.ts';
import type { SupportFunction } from '../lower/support.ts';

/** By what name modules know it: it is the dispatcher's. */
export const reachFunctions = { load: 'reach_load', store: 'reach_store' } as const;

/** Parameters and locals; all but the address have 32 bits. */
const local = { address: 0, bytes: 1, low: 2, entry: 3, host: 4, bit: 5 } as const;
type Narrow = 1 | 2 | 3 | 4 | 5;

const pageMask = -pageSize;
/** Of the bits of code so many are looked at in one go: 25 are what is left of 32 from any bit of a byte on. */
const bitsAtOnce = 16;

/** Looks twice: before and behind a question to the host. */
export const reach = (kind: TlbKind, lookUp: string): SupportFunction => ({
  parameters: ['i64', 'i32'],
  result: 'i32',
  locals: ['i32'],
  body: (e) => {
    const asked = [e.get(local.address, 'i64'), e.get(local.bytes, 'i32')];
    const found = e.call(lookUp, asked, 'i32');
    const refill = e.call('refill', [...asked, e.i32(kind === 'store' ? 1 : 0)], 'i32');
    return e.block(undefined, [
      e.ifThen(e.tee(local.low, found, 'i32'), [e.return(e.get(local.low, 'i32'))]),
      e.ifThen(refill, [e.return(e.call(lookUp, asked, 'i32'))]),
      e.return(e.i32(0)),
    ]);
  },
});

export const lookUp = (kind: TlbKind, tlb: number): SupportFunction => ({
  parameters: ['i64', 'i32'],
  result: 'i32',
  locals: ['i32', 'i32', 'i32', 'i32'],
  body: (e) => {
    const get = (which: Narrow): Expression => e.get(which, 'i32');
    const table = tlbTable(tlb, kind);
    const word = (offset: number): Expression =>
      e.load('i32.load', table + offset, get(local.entry));
    const inTable = e.i32((tlbEntries - 1) << 4);
    const page = e.op('i64.and', e.get(local.address, 'i64'), e.i64(BigInt(pageMask)));
    const tag = (): Expression => e.load('i64.load', table, get(local.entry));
    const end = e.op(
      'i32.add',
      e.op('i32.and', get(local.low), e.i32(~pageMask)),
      get(local.bytes),
    );
    const last = e.op('i32.sub', e.op('i32.add', get(local.low), get(local.bytes)), e.i32(1));
    return e.block(undefined, [
      e.set(local.low, e.op('i32.wrap_i64', e.get(local.address, 'i64'))),
      e.set(local.entry, e.op('i32.and', e.op('i32.shr_u', get(local.low), e.i32(8)), inTable)),
      e.set(local.host, e.op('i32.add', get(local.low), word(8))),
      e.set(local.bit, e.op('i32.gt_u', end, e.i32(pageSize))),
      e.ifThen(e.op('i64.eq', tag(), page), [
        e.ifThen(e.op('i32.eqz', get(local.bit)), [e.return(get(local.host))]),
        e.ifThen(e.op('i32.eq', word(12), e.op('i32.and', last, e.i32(pageMask))), [
          e.return(get(local.host)),
        ]),
        e.return(e.i32(0)),
      ]),
      ...(kind === 'store' ? storeBesideCode(e, tag(), word(12)) : []),
      e.return(e.i32(0)),
    ]);
  },
});

/** Returns where the store goes, if it stays in its page and meets no code there. */
function storeBesideCode(e: Emitter, tag: Expression, bits: Expression): Expression[] {
  const get = (which: Narrow): Expression => e.get(which, 'i32');
  const page = e.op('i64.and', e.get(local.address, 'i64'), e.i64(BigInt(pageMask)));
  const isOther = e.op('i64.ne', tag, e.op('i64.or', page, e.i64(BigInt(besideCode))));
  const byte = e.op('i32.add', get(local.entry), e.op('i32.shr_u', get(local.bit), e.i32(3)));
  const some = e.op(
    'i32.shr_u',
    e.load('i32.load', 0, byte),
    e.op('i32.and', get(local.bit), e.i32(7)),
  );
  const few = e.op('i32.lt_u', get(local.bytes), e.i32(bitsAtOnce));
  const ones = e.op('i32.sub', e.op('i32.shl', e.i32(1), get(local.bytes)), e.i32(1));
  const wanted = e.select(few, ones, e.i32((1 << bitsAtOnce) - 1));
  const step = (which: Narrow, by: number): Expression =>
    e.set(which, e.op('i32.add', get(which), e.i32(by)));
  return [
    e.ifThen(e.op('i32.or', isOther, get(local.bit)), [e.return(e.i32(0))]),
    e.set(local.entry, bits),
    e.set(local.bit, e.op('i32.and', get(local.low), e.i32(~pageMask))),
    e.loop('more', [
      e.ifThen(e.op('i32.and', some, wanted), [e.return(e.i32(0))]),
      step(local.bit, bitsAtOnce),
      step(local.bytes, -bitsAtOnce),
      e.branchIf('more', e.op('i32.gt_s', get(local.bytes), e.i32(0))),
    ]),
    e.return(get(local.host)),
  ];
}

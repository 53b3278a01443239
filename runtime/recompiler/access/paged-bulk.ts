/**
 * Repeated MOVS and STOS through page tables: page by page, as long as the pages are in a run or in the TLB and may be
 * written, and as one element after the other would do it. `(to, from or element, most, downwards) → elements done`, all
 * 64 bits but the last. What is found nowhere is left to the element that follows: its miss fills the TLB.
 */
import { pageSize } from '../../memory/machine-memory.ts';
import { runBound } from '../../memory/runs.ts';
import { tlbEntries, tlbTable } from '../../memory/tlb.ts';
import { storeOps } from '../carrier.ts';
import type { Emitter, Expression } from '../emit/emitter.ts';
import type { Layout } from '../layout.ts';
import type { SupportFunction } from '../lower/support.ts';
import { copyBytes } from './copy-bytes.ts';
import { mostBytes } from './linear-bulk.ts';
import { ownFlags, pageFlagsAt } from './page-flags.ts';

type Paging = NonNullable<Layout['paging']>;
type Kind = 'load' | 'store';

/** `(address) → offset in the machine's memory`, 0 where recompiled code cannot tell. */
export const pagedPlace = (
  layout: Layout,
  { tlb, sites }: Paging,
  kind: Kind,
): SupportFunction => ({
  parameters: ['i64'],
  result: 'i32',
  locals: ['i64', 'i32'],
  body: (e) => {
    const [address, offset, low] = [0, 1, 2];
    const narrow = (local: number): Expression => e.op('i32.wrap_i64', e.get(local, 'i64'));
    const { start } = sites.runs;
    const all = sites.everyRun();
    const inRuns = all.map(({ lo, host }, run) => {
      const distance = e.op('i64.sub', e.get(address, 'i64'), e.i64(lo));
      const bound = e.load('i64.load', runBound(start, run, 0), e.i32(0));
      const flags = ownFlags(e, pageFlagsAt(e, layout, host, narrow(offset)));
      return e.ifThen(e.op('i64.lt_u', e.tee(offset, distance, 'i64'), bound), [
        ...(kind === 'store' ? [e.ifRare(flags, [e.return(e.i32(0))])] : []),
        e.return(e.op('i32.add', narrow(offset), e.i32(host))),
      ]);
    });
    const shifted = e.op('i32.shr_u', narrow(address), e.i32(8));
    const entry = e.op('i32.and', shifted, e.i32((tlbEntries - 1) << 4));
    const table = tlbTable(tlb, kind);
    const page = e.op('i64.and', e.get(address, 'i64'), e.i64(BigInt(-pageSize)));
    return e.block(undefined, [
      ...inRuns,
      e.set(low, entry),
      e.ifThen(e.op('i64.ne', e.load('i64.load', table, e.get(low, 'i32')), page), [
        e.return(e.i32(0)),
      ]),
      e.return(e.op('i32.add', narrow(address), e.load('i32.load', table + 8, e.get(low, 'i32')))),
    ]);
  },
});

/** Parameters and locals: the first four as of every bulk function, then bytes done, bytes left; offsets, and a step. */
// biome-ignore format: a table
const local = {
  to: 0, from: 1, most: 2, downwards: 3, done: 4, left: 5, hostTo: 6, hostFrom: 7, step: 8,
  tail: 9, longTail: 10, vector: 11,
} as const;

/** `place` names the functions of `pagedPlace`; `width` is that of an element, in bits. */
export const pagedBulkFunction = (
  op: 'bulkCopy' | 'bulkFill',
  place: (kind: Kind) => string,
  width: 8 | 16 | 32 | 64,
): SupportFunction => ({
  parameters: ['i64', 'i64', 'i64', 'i32'],
  result: 'i64',
  locals: ['i64', 'i64', 'i32', 'i32', 'i32', 'i32', 'i64', 'v128'],
  body: (e) => new BulkWriter(e, place, width).write(op),
});

class BulkWriter {
  readonly #e: Emitter;
  readonly #place: (kind: Kind) => string;
  readonly #width: 8 | 16 | 32 | 64;
  /** Of an element. */
  readonly #bytes: number;

  constructor(e: Emitter, place: (kind: Kind) => string, width: 8 | 16 | 32 | 64) {
    this.#e = e;
    this.#place = place;
    this.#width = width;
    this.#bytes = width / 8;
  }

  write(op: 'bulkCopy' | 'bulkFill'): Expression {
    const e = this.#e;
    const bytes = BigInt(this.#bytes);
    const limit = mostBytes / bytes;
    const isMore = e.op('i64.gt_u', e.get(local.most, 'i64'), e.i64(limit));
    const most = e.select(isMore, e.i64(limit), e.get(local.most, 'i64'));
    return e.block(undefined, [
      e.set(local.left, e.op('i64.mul', most, e.i64(bytes))),
      e.block('end', [
        e.loop('next', [
          e.branchIf('end', e.op('i64.eqz', e.get(local.left, 'i64'))),
          ...(op === 'bulkCopy' ? this.#copyPage() : this.#fillPage()),
          this.#add(local.done, 'i64.add'),
          this.#add(local.left, 'i64.sub'),
          e.branch('next'),
        ]),
      ]),
      e.return(e.op('i64.div_u', e.get(local.done, 'i64'), e.i64(bytes))),
    ]);
  }

  #copyPage(): Expression[] {
    const e = this.#e;
    // What is written is read again behind this distance; modulo 2^32 it is long where that never happens.
    const distance = (): Expression => {
      const up = e.op('i32.sub', this.#get(local.hostTo), this.#get(local.hostFrom));
      const down = e.op('i32.sub', this.#get(local.hostFrom), this.#get(local.hostTo));
      return e.select(this.#get(local.downwards), down, up);
    };
    const copied = {
      to: () => this.#get(local.hostTo),
      from: () => this.#get(local.hostFrom),
      length: () => this.#get(local.step),
      offset: 0,
    };
    const tails = { i32: local.tail, i64: local.longTail, v128: local.vector };
    return [
      e.set(local.step, e.op('i32.wrap_i64', e.get(local.left, 'i64'))),
      ...this.#find(local.hostTo, local.to, 'store'),
      ...this.#find(local.hostFrom, local.from, 'load'),
      e.ifThen(e.op('i32.ne', this.#get(local.hostTo), this.#get(local.hostFrom)), [
        this.#atMost(distance),
      ]),
      ...this.#whole(),
      e.set(local.hostTo, this.#lowest(local.hostTo)),
      e.set(local.hostFrom, this.#lowest(local.hostFrom)),
      copyBytes(e, copied, tails),
    ];
  }

  #fillPage(): Expression[] {
    const e = this.#e;
    const byte = e.op('i64.and', e.get(local.from, 'i64'), e.i64(0xffn));
    const ones = e.i64(BigInt.asUintN(this.#width, 0x0101_0101_0101_0101n));
    const isUniform = e.op('i64.eq', e.op('i64.mul', byte, ones), e.get(local.from, 'i64'));
    const low = e.op('i32.wrap_i64', e.get(local.from, 'i64'));
    const element = this.#width === 64 ? e.get(local.from, 'i64') : low;
    const at = e.op('i32.add', this.#get(local.hostTo), this.#get(local.hostFrom));
    const one = e.i32(this.#bytes);
    return [
      e.set(local.step, e.op('i32.wrap_i64', e.get(local.left, 'i64'))),
      ...this.#find(local.hostTo, local.to, 'store'),
      ...this.#whole(),
      e.set(local.hostTo, this.#lowest(local.hostTo)),
      e.block('filled', [
        e.ifThen(isUniform, [
          e.op(
            'memory.fill',
            this.#get(local.hostTo),
            e.op('i32.wrap_i64', e.get(local.from, 'i64')),
            this.#get(local.step),
          ),
          e.branch('filled'),
        ]),
        e.set(local.hostFrom, e.i32(0)),
        e.loop('element', [
          e.store(storeOps[this.#width], 0, at, element),
          e.set(local.hostFrom, e.op('i32.add', this.#get(local.hostFrom), one)),
          e.branchIf('element', e.op('i32.lt_u', this.#get(local.hostFrom), this.#get(local.step))),
        ]),
      ]),
    ];
  }

  /** Where the next element lies, and no more of a step than its page has in the direction of the way. */
  #find(host: 6 | 7, start: 0 | 1, kind: Kind): Expression[] {
    const e = this.#e;
    const address = (): Expression => {
      const [at, done] = [e.get(start, 'i64'), (): Expression => e.get(local.done, 'i64')];
      const way = e.op('i64.sub', e.i64(0n), done());
      return e.op('i64.add', at, e.select(this.#get(local.downwards), way, done()));
    };
    const within = (plus: number): Expression => {
      const low = e.op('i32.add', e.op('i32.wrap_i64', address()), e.i32(plus));
      return e.op('i32.and', low, e.i32(pageSize - 1));
    };
    const room = (): Expression => {
      const up = e.op('i32.sub', e.i32(pageSize), within(0));
      const down = e.op('i32.add', within(this.#bytes - 1), e.i32(1));
      return e.select(this.#get(local.downwards), down, up);
    };
    return [
      this.#atMost(room),
      e.set(host, e.call(this.#place(kind), [address()], 'i32')),
      e.branchIf('end', e.op('i32.eqz', this.#get(host))),
    ];
  }

  /** Whole elements, one at least. */
  #whole(): Expression[] {
    const e = this.#e;
    const whole = e.op('i32.and', this.#get(local.step), e.i32(-this.#bytes));
    return [e.set(local.step, whole), e.branchIf('end', e.op('i32.eqz', this.#get(local.step)))];
  }

  /** The lowest byte of a step of which the first element lies there. */
  #lowest(host: 6 | 7): Expression {
    const e = this.#e;
    const below = e.op('i32.sub', this.#get(local.step), e.i32(this.#bytes));
    const distance = e.select(this.#get(local.downwards), below, e.i32(0));
    return e.op('i32.sub', this.#get(host), distance);
  }

  #atMost(bytes: () => Expression): Expression {
    const e = this.#e;
    const isLess = e.op('i32.lt_u', bytes(), this.#get(local.step));
    return e.set(local.step, e.select(isLess, bytes(), this.#get(local.step)));
  }

  #add(to: 4 | 5, op: 'i64.add' | 'i64.sub'): Expression {
    const e = this.#e;
    const step = e.op('i64.extend_i32_u', this.#get(local.step));
    return e.set(to, e.op(op, e.get(to, 'i64'), step));
  }

  #get(index: 3 | 6 | 7 | 8): Expression {
    return this.#e.get(index, 'i32');
  }
}

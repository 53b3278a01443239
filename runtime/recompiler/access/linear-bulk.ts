/**
 * Repeated MOVS and STOS over the linear run: as many elements at once as lie in the run, go to pages that may be written,
 * and come out as one after the other would. `(to, from or element, most, downwards) → elements done`, all 64 bits but the last.
 */
import { cpuState } from '../../x86/state.ts';
import { storeOps } from '../carrier.ts';
import type { Emitter, Expression } from '../emit/emitter.ts';
import type { Layout } from '../layout.ts';
import type { SupportFunction } from '../lower/support.ts';
import { copyBytes } from './copy-bytes.ts';
import { ownFlags } from './page-flags.ts';

/** What is done between two looks at events. */
export const mostBytes = 1n << 20n;

/** Parameters and locals, all i64 but `downwards` and the last two. `length` is in bytes. */
// biome-ignore format: a table
const local = {
  to: 0, from: 1, most: 2, downwards: 3, length: 4, page: 5, room: 6, tail: 7, vector: 8,
} as const;
type Local = 0 | 1 | 2 | 4 | 5 | 6;

/** `width`: of an element, in bits. */
export const bulkFunction = (
  op: 'bulkCopy' | 'bulkFill',
  layout: Layout,
  width: 8 | 16 | 32 | 64,
): SupportFunction => ({
  parameters: ['i64', 'i64', 'i64', 'i32'],
  result: 'i64',
  locals: ['i64', 'i64', 'i64', 'i32', 'v128'],
  body: (e) => {
    const writer = new BulkWriter(e, layout, width);
    return op === 'bulkCopy' ? writer.copy() : writer.fill();
  },
});

class BulkWriter {
  readonly #e: Emitter;
  readonly #layout: Layout;
  readonly #width: 8 | 16 | 32 | 64;
  /** Of an element. */
  readonly #bytes: bigint;

  constructor(e: Emitter, layout: Layout, width: 8 | 16 | 32 | 64) {
    this.#e = e;
    this.#layout = layout;
    this.#width = width;
    this.#bytes = BigInt(width / 8);
  }

  copy(): Expression {
    const copied = {
      to: () => this.#narrow(local.to),
      from: () => this.#narrow(local.from),
      length: () => this.#narrow(local.length),
      offset: this.#layout.run.host,
    };
    const tails = { i32: local.tail, i64: local.page, v128: local.vector };
    return this.#e.block(undefined, [
      ...this.#enter(local.to),
      ...this.#enter(local.from),
      ...this.#begin(),
      this.#within(local.to),
      this.#within(local.from),
      ...this.#writable(),
      ...this.#apart(),
      this.#whole(),
      this.#lowest(local.to),
      this.#lowest(local.from),
      copyBytes(this.#e, copied, tails),
      this.#done(),
    ]);
  }

  fill(): Expression {
    const e = this.#e;
    const [to, byte] = [this.#host(local.to), this.#narrow(local.from)];
    const ones = BigInt.asUintN(this.#width, 0x0101_0101_0101_0101n);
    const low = e.op('i64.and', this.#get(local.from), e.i64(0xffn));
    const isUniform = e.op('i64.eq', e.op('i64.mul', low, e.i64(ones)), this.#get(local.from));
    return e.block(undefined, [
      ...this.#enter(local.to),
      ...this.#begin(),
      this.#within(local.to),
      ...this.#writable(),
      this.#whole(),
      this.#lowest(local.to),
      e.ifThen(isUniform, [
        e.op('memory.fill', to, byte, this.#narrow(local.length)),
        this.#done(),
      ]),
      e.ifThen(e.op('i64.eqz', this.#get(local.length)), [e.return(e.i64(0n))]),
      ...this.#pattern(),
      this.#done(),
    ]);
  }

  /** An element that is no repeated byte: once, then all that is written so far (`room`) is copied behind itself. */
  #pattern(): Expression[] {
    const e = this.#e;
    const element = this.#width === 64 ? this.#get(local.from) : this.#narrow(local.from);
    const { host } = this.#layout.run;
    const behind = e.op('i32.add', this.#host(local.to), this.#narrow(local.room));
    const rest = (): Expression => e.op('i64.sub', this.#get(local.length), this.#get(local.room));
    return [
      e.store(storeOps[this.#width], host, this.#narrow(local.to), element),
      e.set(local.room, e.i64(this.#bytes)),
      e.loop('more', [
        e.set(local.page, this.#get(local.room)),
        e.ifThen(e.op('i64.gt_u', this.#get(local.page), rest()), [e.set(local.page, rest())]),
        e.op('memory.copy', behind, this.#host(local.to), this.#narrow(local.page)),
        e.set(local.room, e.op('i64.add', this.#get(local.room), this.#get(local.page))),
        e.branchIf('more', e.op('i64.lt_u', this.#get(local.room), this.#get(local.length))),
      ]),
    ];
  }

  /** Makes an address an offset in the run; nothing is done where no element lies there. */
  #enter(address: Local): Expression[] {
    const e = this.#e;
    const offset = e.op('i64.sub', this.#get(address), e.i64(this.#layout.run.lo));
    return [
      e.set(address, offset),
      e.ifThen(e.op('i64.gt_u', this.#get(address), this.#limit()), [e.return(e.i64(0n))]),
    ];
  }

  #begin(): Expression[] {
    const e = this.#e;
    return [
      e.set(local.length, this.#get(local.most)),
      this.#atMost(e.i64(mostBytes / this.#bytes)),
      e.set(local.length, e.op('i64.mul', this.#get(local.length), e.i64(this.#bytes))),
    ];
  }

  /** Up to the run's end, or down to its start. */
  #within(offset: Local): Expression {
    const e = this.#e;
    const up = e.op('i64.sub', this.#limit(), this.#get(offset));
    const room = e.select(this.#downwards(), this.#get(offset), up);
    return this.#atMost(e.op('i64.add', room, e.i64(this.#bytes)));
  }

  /** Up to the first page with a flag. */
  #writable(): Expression[] {
    const e = this.#e;
    const { host } = this.#layout.run;
    const start = (): Expression => e.op('i64.add', this.#get(local.to), e.i64(BigInt(host)));
    const end = (): Expression => e.op('i64.add', start(), e.i64(this.#bytes));
    const pageOf = (byte: Expression): Expression => e.op('i64.shr_u', byte, e.i64(12n));
    const border = (): Expression => e.op('i64.shl', this.#get(local.page), e.i64(12n));
    const step = (by: bigint): Expression =>
      e.set(local.page, e.op('i64.add', this.#get(local.page), e.i64(by)));
    const last = e.op('i64.sub', end(), e.i64(1n));
    return [
      e.set(local.room, e.i64(0n)),
      e.set(local.page, pageOf(e.select(this.#downwards(), last, start()))),
      e.block('flagged', [
        e.loop('next', [
          e.branchIf('flagged', this.#flagged()),
          e.ifThen(e.op('i32.eqz', this.#downwards()), [
            step(1n),
            e.set(local.room, e.op('i64.sub', border(), start())),
          ]),
          e.ifThen(this.#downwards(), [
            e.set(local.room, e.op('i64.sub', end(), border())),
            step(-1n),
          ]),
          e.branchIf('next', e.op('i64.lt_u', this.#get(local.room), this.#get(local.length))),
        ]),
      ]),
      this.#atMost(this.#get(local.room)),
    ];
  }

  #flagged(): Expression {
    const flags = this.#e.load('i32.load8_u', this.#layout.pageFlags, this.#narrow(local.page));
    return ownFlags(this.#e, flags);
  }

  /** Where what is written is read again later, only as much as lies between the two: the next round copies the copies. */
  #apart(): Expression[] {
    const e = this.#e;
    const [to, from] = [local.to, local.from];
    const up = e.op('i64.sub', this.#get(to), this.#get(from));
    const down = e.op('i64.sub', this.#get(from), this.#get(to));
    return [
      e.set(local.room, e.select(this.#downwards(), down, up)),
      e.ifThen(e.op('i64.ne', this.#get(to), this.#get(from)), [
        this.#atMost(this.#get(local.room)),
      ]),
    ];
  }

  #whole(): Expression {
    const e = this.#e;
    return e.set(local.length, e.op('i64.and', this.#get(local.length), e.i64(-this.#bytes)));
  }

  /** Makes the first element's offset that of the lowest byte. */
  #lowest(offset: Local): Expression {
    const e = this.#e;
    const distance = e.op('i64.sub', this.#get(local.length), e.i64(this.#bytes));
    const below = e.select(this.#downwards(), distance, e.i64(0n));
    return e.set(offset, e.op('i64.sub', this.#get(offset), below));
  }

  #done(): Expression {
    const e = this.#e;
    return e.return(e.op('i64.div_u', this.#get(local.length), e.i64(this.#bytes)));
  }

  /** `most` is free once the length is set. */
  #atMost(bytes: Expression): Expression {
    const e = this.#e;
    const most = e.tee(local.most, bytes, 'i64');
    const isMore = e.op('i64.gt_u', this.#get(local.length), most);
    return e.ifThen(isMore, [e.set(local.length, this.#get(local.most))]);
  }

  #limit(): Expression {
    const offset = cpuState.runLimits + 8 * Math.log2(Number(this.#bytes));
    return this.#e.load('i64.load', this.#layout.state + offset, this.#e.i32(0));
  }

  #get(index: Local): Expression {
    return this.#e.get(index, 'i64');
  }

  #downwards(): Expression {
    return this.#e.get(local.downwards, 'i32');
  }

  #narrow(index: Local): Expression {
    return this.#e.op('i32.wrap_i64', this.#get(index));
  }

  #host(offset: Local): Expression {
    return this.#e.op('i32.add', this.#narrow(offset), this.#e.i32(this.#layout.run.host));
  }
}

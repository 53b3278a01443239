/**
 * Guest memory through page tables: where a site is known to go to a run, a window on it; else the vCPU's TLB. What does not
 * pass leaves before the instruction; the evaluator walks the tables, fills the TLB and goes on. Sites that would leave for
 * nothing ask first (paged-reach.ts).
 */
import type { Statement, Value } from '../../ir/value.ts';
import { runBound } from '../../memory/runs.ts';
import { tlbEntries, tlbTable } from '../../memory/tlb.ts';
import { arg, carrier, loadOps, storeOps } from '../carrier.ts';
import type { Expression } from '../emit/emitter.ts';
import type { Layout } from '../layout.ts';
import type { Access, ChunkRange } from '../lower/chunk-loops.ts';
import type { Frame } from '../lower/frame.ts';
import type { Values } from '../lower/values.ts';
import { type AccessGroup, AccessGroups, bytesOf, type GroupedAccess } from './access-groups.ts';
import type { AccessSites } from './access-sites.ts';
import { callBulk } from './call-bulk.ts';
import type { AccessSite, MemoryAccess } from './memory-access.ts';
import { stretchFlags } from './page-flags.ts';
import { pagedBulkFunction, pagedPlace } from './paged-bulk.ts';
import { type Crossing, crossingEnd, crossingStart } from './paged-crossing.ts';
import { reachFunctions } from './paged-reach.ts';

/** A checked range: the local that points at its start, and what is to be added to it. */
interface Place {
  readonly pointer: number;
  readonly host: number;
  /** Of an access that may lie on two pages: the local with its address, 64 bits. */
  readonly crossing?: number;
}

const pageShift = 12;
const pageMask = -4096;
const entryShift = 4;

export class PagedAccess implements MemoryAccess {
  readonly #site: AccessSite;
  readonly #sites: AccessSites;
  readonly #paging: NonNullable<Layout['paging']>;
  readonly #frame: Frame;
  readonly #values: Values;
  readonly #groups: AccessGroups;
  readonly #places = new Map<AccessGroup, Place>();
  /** The same in chunks. */
  readonly #reached = new Map<ChunkRange, Map<AccessGroup, Place>>();

  constructor(site: AccessSite, paging: NonNullable<Layout['paging']>) {
    this.#site = site;
    this.#sites = paging.sites;
    this.#paging = paging;
    this.#frame = site.frame;
    this.#values = site.values;
    this.#groups = new AccessGroups(site.block, site.frame.layout.mode, (instruction, writes) =>
      paging.sites.isApart(instruction, writes),
    );
  }

  load(statement: Extract<Statement, { kind: 'load' }>): void {
    const e = this.#frame.emitter;
    const { value } = statement;
    const { pointer, host } = this.#place(this.#groups.ofLoad(statement), arg(value, 0), value);
    if (this.#values.usesOf(value) === 0) return;
    this.#values.keep(value, e.load(loadOps[value.width], host, e.get(pointer, 'i32')));
  }

  store(statement: Extract<Statement, { kind: 'store' }>): void {
    const e = this.#frame.emitter;
    const { address, value } = statement;
    const type = carrier(value.width);
    const held = this.#values.toLocal(this.#values.emit(value), type);
    const access = this.#groups.ofStore(statement);
    const { pointer, host, crossing } = this.#place(access, address, statement);
    const op = storeOps[value.width];
    this.#frame.statement(e.store(op, host, e.get(pointer, 'i32'), e.get(held, type)));
    if (crossing !== undefined) this.#finish(pointer, crossing, bytesOf(value));
  }

  bulk({ value }: Extract<Statement, { kind: 'bulk' }>): void {
    const { layout, context } = this.#frame;
    const place = (kind: 'load' | 'store'): string =>
      context.shared(`place_${kind}`, () => pagedPlace(layout, this.#paging, kind));
    callBulk(this.#frame, this.#values, value, (op, width) =>
      context.shared(`${op}${width}`, () => pagedBulkFunction(op, place, width)),
    );
  }

  #place({ group, offset }: GroupedAccess, address: Value, access: Access): Place {
    const range = this.#site.reached?.get(access);
    const known =
      range === undefined ? this.#places.get(group) : this.#reached.get(range)?.get(group);
    if (known !== undefined) return { ...known, host: known.host + Number(offset - group.least) };
    const place =
      range === undefined
        ? this.#check(group, address, offset)
        : this.#within(range, this.#leastOf(group, address, offset));
    if (range === undefined) this.#places.set(group, place);
    else this.#reached.set(range, new Map(this.#reached.get(range)).set(group, place));
    return { ...place, host: place.host + Number(offset - group.least) };
  }

  /** A local with the address of a group's first byte, at an access that lies `offset` from the root. */
  #leastOf(group: AccessGroup, at: Value, offset: bigint): number {
    const e = this.#frame.emitter;
    const { native } = this.#frame;
    const own = this.#values.emit(at);
    if (group.least === offset) return this.#values.toLocal(own, native);
    const distance = BigInt.asIntN(native === 'i64' ? 64 : 32, group.least - offset);
    const start = e.op(`${native}.add`, own, this.#frame.constant(distance));
    return this.#values.toLocal(start, native);
  }

  /** What the guard of a chunk has checked: an address and what was found for the range. */
  #within(range: ChunkRange, address: number): Place {
    const e = this.#frame.emitter;
    const low = this.#narrow(address);
    if (typeof range.way === 'number') {
      const { lo, host } = this.#sites.runOf(range.way);
      const start = e.i32(Number(BigInt.asIntN(32, lo)));
      return {
        pointer: this.#values.toLocal(e.op('i32.sub', e.get(low, 'i32'), start), 'i32'),
        host,
      };
    }
    const delta = e.get(this.#frame.deltaLocal(range), 'i32');
    return {
      pointer: this.#values.toLocal(e.op('i32.add', e.get(low, 'i32'), delta), 'i32'),
      host: 0,
    };
  }

  /** At the first access of a group, whose address is `offset` from the root. */
  #check(group: AccessGroup, at: Value, offset: bigint): Place {
    const { fn } = this.#frame;
    const chosen = this.#sites.classOfGroup(fn, group);
    const address = this.#leastOf(group, at, offset);
    if (chosen.kind === 'window')
      return this.#window(group, address, chosen.run, this.#sites.runOf(chosen.run));
    if (chosen.kind === 'noted') this.#note(address, chosen.note);
    if (chosen.kind === 'apart') return this.#across(group, address);
    return chosen.kind === 'tlb' ? this.#look(group, address) : this.#ask(group, address);
  }

  #note(address: number, note: number): void {
    const e = this.#frame.emitter;
    this.#frame.statement(e.store('i64.store', note, e.i32(0), this.#wide(address)));
  }

  // A window on a run.

  #window(
    group: AccessGroup,
    address: number,
    index: number,
    { lo, host }: { readonly lo: bigint; readonly host: number },
  ): Place {
    const e = this.#frame.emitter;
    const { native } = this.#frame;
    const offset = this.#frame.local(native);
    const distance = e.op(`${native}.sub`, e.get(address, native), this.#frame.constant(lo));
    this.#frame.statement(e.set(offset, distance));
    const span = spanOf(group);
    const at = runBound(this.#sites.runs.start, index, Math.ceil(Math.log2(span)));
    const bound = e.load(`${native}.load`, at, e.i32(0));
    const outside = e.op(`${native}.ge_u`, e.get(offset, native), bound);
    this.#leaveIf(outside);
    const pointer = this.#narrow(offset);
    if (group.writes) this.#leaveIf(this.#flagged(pointer, span, host));
    return { pointer, host };
  }

  /** The flags of the first byte's page, and of the last one's. */
  #flagged(pointer: number, bytes: number, host: number): Expression {
    const { emitter: e, layout } = this.#frame;
    return stretchFlags(e, layout, { host, place: () => e.get(pointer, 'i32'), bytes });
  }

  // The TLB.

  /** The local that says where the entry of an address is. */
  #entryOf(low: number): number {
    const e = this.#frame.emitter;
    // The index, in bytes: the page's number, times 16.
    const mask = (tlbEntries - 1) << entryShift;
    const shifted = e.op('i32.shr_u', e.get(low, 'i32'), e.i32(pageShift - entryShift));
    return this.#values.toLocal(e.op('i32.and', shifted, e.i32(mask)), 'i32');
  }

  /** An access of its own, of which it is known that it crosses pages at times. */
  #across(group: AccessGroup, address: number): Place {
    const e = this.#frame.emitter;
    const { native, context } = this.#frame;
    const crossing = this.#crossing(group.writes, spanOf(group));
    const table = tlbTable(this.#paging.tlb, crossing.kind);
    const low = this.#narrow(address);
    const entry = this.#entryOf(low);
    const wide = this.#values.toLocal(this.#wide(address), 'i64');
    const delta = e.load('i32.load', table + 8, e.get(entry, 'i32'));
    const pointer = this.#values.toLocal(e.op('i32.add', e.get(low, 'i32'), delta), 'i32');
    const tag = e.load(`${native}.load`, table, e.get(entry, 'i32'));
    const page = this.#frame.constant(BigInt(pageMask));
    const last = e.op(`${native}.and`, this.#plus(address, crossing.bytes - 1), page);
    const name = context.shared(`across_${crossing.kind}_${crossing.bytes}`, () =>
      crossingStart(crossing),
    );
    this.#frame.statement(
      e.ifRare(e.op(`${native}.ne`, tag, last), [
        e.set(pointer, e.call(name, [e.get(wide, 'i64')], 'i32')),
        e.ifThen(e.op('i32.eqz', e.get(pointer, 'i32')), this.#reach(group, address, pointer)),
      ]),
    );
    return { pointer, host: 0, crossing: wide };
  }

  /** Puts what was stored where it belongs, if that is on two pages. */
  #finish(pointer: number, address: number, bytes: number): void {
    const e = this.#frame.emitter;
    const crossing = this.#crossing(true, bytes);
    const name = this.#frame.context.shared(`across_end_${bytes}`, () => crossingEnd(crossing));
    const isOwn = e.op('i32.eq', e.get(pointer, 'i32'), e.i32(crossing.value));
    const end = e.set(pointer, e.call(name, [e.get(address, 'i64')], 'i32'));
    this.#frame.statement(e.ifThen(isOwn, [end]));
  }

  #crossing(writes: boolean, bytes: number): Crossing {
    const { tlb, crossing } = this.#paging;
    return { kind: writes ? 'store' : 'load', bytes, tlb, value: crossing };
  }

  /** A hit as it ever is; a miss asks where the access is, and leaves where nobody knows. */
  #ask(group: AccessGroup, address: number): Place {
    const e = this.#frame.emitter;
    const { native } = this.#frame;
    const table = tlbTable(this.#paging.tlb, group.writes ? 'store' : 'load');
    const low = this.#narrow(address);
    const entry = this.#entryOf(low);
    const delta = e.load('i32.load', table + 8, e.get(entry, 'i32'));
    const pointer = this.#values.toLocal(e.op('i32.add', e.get(low, 'i32'), delta), 'i32');
    const tag = e.load(`${native}.load`, table, e.get(entry, 'i32'));
    const page = this.#frame.constant(BigInt(pageMask));
    const last = e.op(`${native}.and`, this.#plus(address, spanOf(group) - 1), page);
    const misses = e.op(`${native}.ne`, tag, last);
    this.#frame.statement(e.ifRare(misses, this.#reach(group, address, pointer)));
    return { pointer, host: 0 };
  }

  #reach(group: AccessGroup, address: number, pointer: number): Expression[] {
    const e = this.#frame.emitter;
    const kind = group.writes ? 'store' : 'load';
    const found = e.call(reachFunctions[kind], [this.#wide(address), e.i32(spanOf(group))], 'i32');
    return [
      e.set(pointer, found),
      e.ifThen(e.op('i32.eqz', e.get(pointer, 'i32')), this.#site.exit()),
    ];
  }

  #look(group: AccessGroup, address: number): Place {
    const e = this.#frame.emitter;
    const { native } = this.#frame;
    const table = tlbTable(this.#paging.tlb, group.writes ? 'store' : 'load');
    const span = spanOf(group);
    const low = this.#narrow(address);
    const entry = this.#entryOf(low);
    const word = (offset: number): Expression =>
      e.load('i32.load', table + offset, e.get(entry, 'i32'));
    const tag = (): Expression => e.load(`${native}.load`, table, e.get(entry, 'i32'));
    const page = this.#frame.constant(BigInt(pageMask));
    const lastByte = this.#plus(address, span - 1);
    const misses = e.op(`${native}.ne`, tag(), e.op(`${native}.and`, lastByte, page));
    if (span <= 16) this.#leaveIf(misses);
    else {
      const first = e.op(`${native}.and`, e.get(address, native), page);
      const isOther = e.op(`${native}.ne`, tag(), first);
      const next = e.op('i32.add', e.get(low, 'i32'), e.i32(span - 1));
      const isApart = e.op('i32.ne', word(12), e.op('i32.and', next, e.i32(pageMask)));
      const outer = this.#frame.statements;
      this.#frame.statements = [];
      this.#leaveIf(e.op('i32.or', isOther, isApart));
      const inner = this.#frame.statements;
      this.#frame.statements = outer;
      this.#frame.statement(e.ifRare(misses, inner));
    }
    const pointer = this.#frame.local('i32');
    this.#frame.statement(e.set(pointer, e.op('i32.add', e.get(low, 'i32'), word(8))));
    return { pointer, host: 0 };
  }

  #plus(address: number, bytes: number): Expression {
    const e = this.#frame.emitter;
    const { native } = this.#frame;
    const start = e.get(address, native);
    return bytes === 0 ? start : e.op(`${native}.add`, start, this.#frame.constant(BigInt(bytes)));
  }

  #leaveIf(condition: Expression): void {
    this.#frame.statement(this.#site.exitIf(condition));
  }

  #narrow(local: number): number {
    if (this.#frame.native === 'i32') return local;
    const e = this.#frame.emitter;
    return this.#values.toLocal(e.op('i32.wrap_i64', e.get(local, 'i64')), 'i32');
  }

  #wide(local: number): Expression {
    const e = this.#frame.emitter;
    return this.#frame.native === 'i64'
      ? e.get(local, 'i64')
      : e.op('i64.extend_i32_u', e.get(local, 'i32'));
  }
}

const spanOf = ({ least, end }: AccessGroup): number => Number(end - least);

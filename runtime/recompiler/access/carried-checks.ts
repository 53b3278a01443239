/**
 * What a block has found out of guest memory, those behind it know: that addresses lie in the linear run, and that no page
 * of theirs has a flag. A check is not made again where it holds by every way to it, for as long as the registers of the
 * address stay what they are, or change by a constant; and what cannot leave needs no registers and flags for an exit.
 *
 * Nothing makes a check wrong before the next call: what changes the run's length or raises page flags is outside of
 * recompiled code, where only calls and leaves go. Behind a call nothing is known.
 *
 * Where only some ways to a block know something, the others may check it ahead, which pays where they are gone seldom:
 * into a loop what its first blocks check anyway; behind a call, where a copy of what is mostly called comes back to the same
 * block; and behind a call that stands alone, out of the way, as those of OCaml's garbage collector do.
 */
import type { Block, Statement } from '../../ir/value.ts';
import { type Mode, RSP } from '../../x86/registers.ts';
import type { AccessGroup } from './access-groups.ts';
import {
  addFact,
  commonOf,
  type Fact,
  type Facts,
  isWithin,
  noFacts,
  shifted,
} from './address-facts.ts';
import { AddressSums } from './address-sums.ts';
import { BlockChecks, type Reach } from './block-checks.ts';
import { Holders } from './holders.ts';

/** A block of a function, and where control goes from it. */
interface Node {
  readonly block: Block;
  readonly successors: readonly number[];
  /** Those that it goes to before it has done anything. */
  readonly early: readonly number[];
  /** Where a call that ends it comes back to. */
  readonly continuation: number | undefined;
}

interface Shape {
  /** Reverse postorder, from the entry. */
  readonly order: readonly number[];
  readonly place: readonly number[];
  readonly heads: ReadonlySet<number>;
}

/** The checks of the blocks of a function that is entered at one of them alone. */
export function carriedChecks(nodes: readonly Node[], mode: Mode, shape: Shape): BlockChecks[] {
  const checks = nodes.map(({ block }) => new BlockChecks(block, mode));
  if (nodes.length > 1) new Carrying(nodes, checks, mode, shape).run();
  return checks;
}

/** Blocks of a loop whose checks are made on the way into it. */
const mostAhead = 4;
/** Visits of a block after which what still changes there is not believed any more. */
const mostVisits = 6;

/** A block on the way of what is known. */
interface Station {
  readonly index: number;
  readonly node: Node;
  readonly checks: BlockChecks;
  readonly reaches: ReadonlyMap<AccessGroup, Reach>;
  readonly holders: Holders;
  /** Registers of addresses anywhere in the function: of others nothing need be known. */
  readonly wanted: ReadonlySet<number>;
  /** What the block itself finds out, at its end. */
  own: Facts | undefined;
  /** Comes back from a call that hardly happens, and only goes on. */
  readonly isAside: boolean;
  /** At the block's start; undefined where nobody has come yet. */
  known: Facts | undefined;
  visits: number;
}

class Carrying {
  readonly #stations: readonly Station[];
  readonly #shape: Shape;
  readonly #stale = new Set<Station>();

  constructor(nodes: readonly Node[], checks: readonly BlockChecks[], mode: Mode, shape: Shape) {
    const aside = new Set(nodes.flatMap((node) => asideOf(node, nodes) ?? []));
    const wanted = new Set<number>();
    this.#shape = shape;
    this.#stations = checks.flatMap((each, index) => {
      const node = nodes[index];
      return node === undefined ? [] : [stationOf(node, each, mode, { index, aside, wanted })];
    });
  }

  run(): void {
    const entry = this.#shape.order[0] ?? 0;
    this.#flow(entry, noFacts);
    // A function that begins with a loop checks ahead what other ways into it know, which may be much: it is made of a hot loop.
    if (this.#shape.heads.has(entry))
      this.#flow(entry, this.#withOwn(entry, this.#comingTo(entry)));
    this.#forgetUnasked();
    for (const station of this.#stations) {
      const { checks, reaches, known = noFacts } = station;
      checks.know(known, reaches);
      this.#checkAhead(station);
    }
    const first = this.#stations[entry];
    if (first !== undefined) first.checks.atEntry = [...(first.known ?? noFacts).values()];
  }

  #flow(entry: number, known: Facts): void {
    for (const station of this.#stations) {
      station.known = undefined;
      station.visits = 0;
    }
    this.#begin(entry, known);
    const goneTo = new Set(this.#stations.flatMap(({ node }) => node.successors));
    for (const { node } of this.#stations)
      if (node.continuation !== undefined && !goneTo.has(node.continuation))
        this.#begin(node.continuation);
    this.#spread();
    // Blocks that only ways aside lead to, or loops that only those lead into.
    for (const index of this.#shape.order)
      if (this.#stations[index]?.known === undefined) {
        this.#begin(index);
        this.#spread();
      }
  }

  /** What all ways to a block know. */
  #comingTo(index: number): Facts {
    let common: Facts | undefined;
    for (const station of this.#stations) {
      if (station.isAside || !station.node.successors.includes(index)) continue;
      const end = station.node.early.includes(index) ? noFacts : behind(station);
      common = common === undefined ? end : commonOf(common, end, false);
    }
    return common ?? noFacts;
  }

  #forgetUnasked(): void {
    const asked = this.#asked();
    for (const station of this.#stations) {
      const known = [...(station.known ?? noFacts)];
      station.known = new Map(known.filter(([name]) => asked[station.index]?.has(name) === true));
    }
  }

  #begin(index: number, known = noFacts): void {
    const station = this.#stations[index];
    if (station === undefined) return;
    station.known = known;
    this.#stale.add(station);
  }

  #spread(): void {
    while (this.#stale.size > 0)
      for (const index of this.#shape.order) {
        const station = this.#stations[index];
        if (station !== undefined && this.#stale.delete(station)) this.#goOn(station);
      }
  }

  #goOn(station: Station): void {
    if (station.isAside) return;
    const { early, successors } = station.node;
    const end = behind(station);
    for (const to of successors)
      this.#meet(to, this.#leadsInto(station, to) ? this.#withOwn(to, end) : end);
    for (const to of early) this.#meet(to, station.known ?? noFacts);
  }

  #meet(index: number, facts: Facts): void {
    const station = this.#stations[index];
    if (station === undefined) return;
    const { known, visits } = station;
    const common = known === undefined ? facts : commonOf(known, facts, visits > mostVisits);
    if (common === known) return;
    station.known = common;
    station.visits++;
    this.#stale.add(station);
  }

  /** Whether a way leads into a loop, and can check something. */
  #leadsInto({ index, node }: Station, to: number): boolean {
    const { heads, place } = this.#shape;
    return heads.has(to) && (place[index] ?? 0) < (place[to] ?? 0) && canCheck(node, to);
  }

  /** What is known, and what the first blocks of a loop check anyway. */
  #withOwn(index: number, facts: Facts): Facts {
    const all = new Map(facts);
    const passed: Holders[] = [];
    for (let at: number | undefined = index; at !== undefined && passed.length < mostAhead; ) {
      const station: Station | undefined = this.#stations[at];
      if (station === undefined || station.node.early.length > 0) break;
      for (const reach of station.reaches.values()) {
        const fact = factAt(reach);
        if (fact !== undefined && !passed.some((holders) => holders.setsOne(fact.parts)))
          addFact(all, fact);
      }
      passed.push(station.holders);
      at = this.#onlyWay(station);
    }
    return all;
  }

  /** Where a block goes, but for ways that end in a call, as that of a bound that is exceeded. */
  #onlyWay({ node }: Station): number | undefined {
    if (node.continuation !== undefined) return undefined;
    const ways = node.successors.filter((to) => {
      const next = this.#stations[to]?.node;
      return next === undefined || next.successors.length > 0 || !isBareCall(next.block);
    });
    return ways.length === 1 ? ways[0] : undefined;
  }

  /** Of each block the facts, by name, that it or those behind it ask for. */
  #asked(): readonly ReadonlySet<number>[] {
    const asked = this.#stations.map(({ reaches, known = noFacts }) => {
      const own = [...reaches.values()].map(({ name }) => name);
      return new Set(own.flatMap((name) => (name !== undefined && known.has(name) ? name : [])));
    });
    const backward = [...this.#shape.order].reverse();
    while (backward.filter((index) => this.#askMore(index, asked)).length > 0);
    return asked;
  }

  /** Adds what blocks behind one ask for; whether that is more. */
  #askMore(index: number, asked: readonly Set<number>[]): boolean {
    const station = this.#stations[index];
    const own = asked[index];
    if (station === undefined || own === undefined) return false;
    const before = own.size;
    for (const fact of (station.known ?? noFacts).values())
      if (!own.has(fact.name) && isAskedBehind(station, fact, asked)) own.add(fact.name);
    return own.size > before;
  }

  #checkAhead(station: Station): void {
    const { node, checks } = station;
    const back = node.continuation === undefined ? undefined : this.#stations[node.continuation];
    checks.behindCall = [...(back?.known ?? noFacts).values()];
    const end = behind(station);
    for (const to of new Set(node.successors)) {
      const next = this.#stations[to];
      const missing = next === undefined ? [] : missingOf(next.known ?? noFacts, end);
      if (next === undefined || missing.length === 0) continue;
      if (!canCheck(node, to)) throw new TypeError('nothing can be checked on this way');
      checks.ahead.set(next.node.block.address, missing);
    }
  }
}

/** What is to be known at a block, and is not at the end of one that goes there. */
const missingOf = (wanted: Facts, known: Facts): Fact[] =>
  [...wanted].flatMap(([name, fact]) => {
    const there = known.get(name);
    const isKnown =
      isWithin(fact.inside, there?.inside) &&
      (fact.writable === undefined || isWithin(fact.writable, there?.writable));
    return isKnown ? [] : fact;
  });

/** The block that a call comes back to which stands alone, if that does nothing but go elsewhere. */
function asideOf({ block, continuation }: Node, nodes: readonly Node[]): number | undefined {
  const back = continuation === undefined ? undefined : nodes[continuation];
  if (back === undefined || !isBareCall(block)) return undefined;
  const { statements, terminator } = back.block;
  const isJump = terminator.kind === 'jump' && statements.every(isNothing);
  return isJump ? continuation : undefined;
}

/** Nothing but a return address that is pushed, and jumps. */
const isBareCall = ({ statements, terminator }: Block): boolean =>
  terminator.kind === 'call' &&
  statements.filter(({ kind }) => kind === 'store').length === 1 &&
  statements.every((s) => isNothing(s) || s.kind === 'store' || isOfStack(s));

const isNothing = ({ kind }: Statement): boolean => kind === 'instruction';
const isOfStack = (s: Statement): boolean => s.kind === 'setRegister' && s.register === RSP;

/** Whether something can be written on the way: not where a table is jumped through, nor before a block has begun. */
const canCheck = ({ block, early }: Node, to: number): boolean =>
  block.terminator.kind !== 'jumpIndirect' && !early.includes(to);

function stationOf(
  node: Node,
  checks: BlockChecks,
  mode: Mode,
  { index, aside, wanted }: { index: number; aside: ReadonlySet<number>; wanted: Set<number> },
): Station {
  const sums = new AddressSums(mode);
  const reaches = checks.reaches(sums);
  for (const { parts } of reaches.values())
    for (const [part] of parts) if (typeof part === 'number') wanted.add(part);
  return {
    ...{ index, node, checks, reaches, wanted },
    holders: new Holders(node.block, sums, mode),
    isAside: aside.has(index),
    ...{ own: undefined, known: undefined, visits: 0 },
  };
}

/** What is known at a block's end. */
function behind(station: Station): Facts {
  const { known = noFacts, reaches } = station;
  station.own ??= saidAtEnd(station, reaches.values(), new Map());
  return known.size === 0 ? station.own : saidAtEnd(station, known.values(), new Map(station.own));
}

/** Facts, and what is known at the start, by what registers hold at the end. */
function saidAtEnd(
  { holders, wanted }: Station,
  known: Iterable<Reach>,
  facts: Map<number, Fact>,
): Facts {
  for (const { name, parts, inside, writable } of known)
    for (const said of holders.waysToSay(parts, name))
      if (said.parts.every(([register]) => wanted.has(register)))
        addFact(facts, {
          ...{ name: said.name, parts: said.parts },
          inside: shifted(inside, said.by),
          writable: writable && shifted(writable, said.by),
        });
  return facts;
}

function isAskedBehind(
  { node, holders }: Station,
  { name, parts }: Fact,
  asked: readonly ReadonlySet<number>[],
): boolean {
  const said = holders.waysToSay(parts, name);
  return (
    node.successors.some((to) => said.some((each) => asked[to]?.has(each.name) === true)) ||
    node.early.some((to) => asked[to]?.has(name) === true)
  );
}

/** What it says of registers as they are at the block's start. */
function factAt({ name, parts, inside, writable }: Reach): Fact | undefined {
  const registers = parts.flatMap(([part, factor]): [number, number][] =>
    typeof part === 'number' ? [[part, factor]] : [],
  );
  return name === undefined ? undefined : { name, parts: registers, inside, writable };
}

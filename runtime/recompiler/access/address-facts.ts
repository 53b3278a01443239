/** What is known of guest memory between two blocks: of sums of registers, where they lie in the run and may be written. */
import type { AddressSum } from './address-sums.ts';

/** Offsets from a sum: of the first byte, and of what is behind the last. */
export interface Stretch {
  readonly least: number;
  readonly end: number;
}

export interface Fact {
  readonly name: number;
  readonly parts: readonly (readonly [register: number, factor: number])[];
  /** What lies in the run. */
  readonly inside: Stretch;
  /** What can be written without a look at page flags. */
  readonly writable: Stretch | undefined;
}

/** By name of the sum. */
export type Facts = ReadonlyMap<number, Fact>;

/** As much of a block as pays. */
const mostFacts = 24;
/** Both ends of a stretch lie in the run, so all that is between them does; the run is longer. */
const mostInside = 2048;
/** So short a stretch lies in two pages, of both of which an end is known. */
const mostWritable = 4096;

export const noFacts: Facts = new Map();

/** The same for the same registers and factors, as a number; undefined where a part is no register. */
export function nameOf(parts: AddressSum['parts']): number | undefined {
  const names: number[] = [];
  for (const [part, factor] of parts) {
    if (typeof part !== 'number') return undefined;
    names.push(part * mostOfName + factor + mostOfName / 2);
  }
  if (names.length > 1) names.sort((a, b) => a - b);
  return names.reduce((whole, name) => whole * mostOfName * mostOfName + name, 0);
}

/** More than there are registers, and than factors are apart. */
const mostOfName = 64;

export function addFact(facts: Map<number, Fact>, { name, parts, inside, writable }: Fact): void {
  const there = facts.get(name);
  if (there === undefined && facts.size === mostFacts) return;
  facts.set(name, {
    ...{ name, parts },
    inside: hullOf(there?.inside, inside, mostInside) ?? inside,
    writable: hullOf(there?.writable, writable, mostWritable),
  });
}

/** From the one to the other; only the first where that is too long. */
function hullOf(
  one: Stretch | undefined,
  other: Stretch | undefined,
  most: number,
): Stretch | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  const least = Math.min(one.least, other.least);
  const end = Math.max(one.end, other.end);
  return end - least > most ? one : { least, end };
}

/** What both know; the first itself if that is all of it. `isWary`: nothing of what only a part is known of. */
export function commonOf(one: Facts, other: Facts, isWary: boolean): Facts {
  const common = new Map<number, Fact>();
  let isAll = true;
  for (const [name, fact] of one) {
    const there = other.get(name);
    const inside = overlapOf(fact.inside, there?.inside);
    const writable = overlapOf(fact.writable, there?.writable);
    if (areSame(inside, fact.inside) && areSame(writable, fact.writable)) common.set(name, fact);
    else {
      isAll = false;
      if (inside !== undefined && !isWary) common.set(name, { ...fact, inside, writable });
    }
  }
  return isAll ? one : common;
}

function overlapOf(one: Stretch | undefined, other: Stretch | undefined): Stretch | undefined {
  if (one === undefined || other === undefined) return undefined;
  const least = Math.max(one.least, other.least);
  const end = Math.min(one.end, other.end);
  return least < end ? { least, end } : undefined;
}

export const shifted = ({ least, end }: Stretch, by: number): Stretch => ({
  least: least + by,
  end: end + by,
});

export const isWithin = (part: Stretch | undefined, whole: Stretch | undefined): boolean =>
  part !== undefined && whole !== undefined && part.least >= whole.least && part.end <= whole.end;

const areSame = (one: Stretch | undefined, other: Stretch | undefined): boolean =>
  one?.least === other?.least && one?.end === other?.end;

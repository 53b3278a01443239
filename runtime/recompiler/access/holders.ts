/** Which registers hold, at a block's end, what its addresses were made of. */
import type { Block, Value } from '../../ir/value.ts';
import type { Mode } from '../../x86/registers.ts';
import { type Fact, nameOf } from './address-facts.ts';
import type { AddressSum, AddressSums, Part } from './address-sums.ts';

/** A sum by what registers hold at a block's end: it is as much, and a constant more. */
interface Said extends Pick<Fact, 'name' | 'parts'> {
  readonly by: number;
}

export class Holders {
  readonly #set = new Set<number>();
  /** By part: the registers that are as much, less a constant. */
  readonly #of = new Map<Part, (readonly [register: number, less: number])[]>();
  /** By the name of a sum. */
  readonly #said = new Map<number, readonly Said[]>();

  constructor({ statements }: Block, sums: AddressSums, mode: Mode) {
    const last = new Map<number, Value>();
    for (const s of statements) if (s.kind === 'setRegister') last.set(s.register, s.value);
    for (const [register, value] of last) {
      this.#set.add(register);
      if (value.width === mode) this.#hold(register, sums.of(value));
    }
  }

  /** Whether the block sets one of a sum's registers. */
  setsOne(parts: AddressSum['parts']): boolean {
    return parts.some(([part]) => typeof part !== 'number' || this.#set.has(part));
  }

  #hold(register: number, { parts, plus }: AddressSum): void {
    const [first] = parts;
    if (first === undefined || parts.length > 1 || first[1] !== 1) return;
    const [part] = first;
    const held = this.#of.get(part) ?? [];
    // A register that was stepped says best what it was.
    if (part === register) held.unshift([register, plus]);
    else held.push([register, plus]);
    this.#of.set(part, held);
  }

  /** The same sum by what registers hold at the end, and a constant; by each of them where it is of one part. */
  waysToSay(parts: AddressSum['parts'], name: number | undefined): readonly Said[] {
    const known = name === undefined ? undefined : this.#said.get(name);
    if (known !== undefined) return known;
    const said = this.#waysToSay(parts).flatMap(([moved, by]) => {
      const called = nameOf(moved);
      return called === undefined ? [] : { name: called, parts: moved, by };
    });
    if (name !== undefined) this.#said.set(name, said);
    return said;
  }

  #waysToSay(parts: AddressSum['parts']): readonly (readonly [Fact['parts'], number])[] {
    const [only] = parts;
    if (only !== undefined && parts.length === 1)
      return this.#holdersOf(only[0]).map(([register, less]) => [
        [[register, only[1]]],
        -only[1] * less,
      ]);
    const moved: [number, number][] = [];
    let by = 0;
    for (const [part, factor] of parts) {
      const [holder] = this.#holdersOf(part);
      if (holder === undefined || moved.some(([register]) => register === holder[0])) return [];
      moved.push([holder[0], factor]);
      by -= factor * holder[1];
    }
    return [[moved, by]];
  }

  #holdersOf(part: Part): readonly (readonly [register: number, less: number])[] {
    const held = this.#of.get(part) ?? [];
    return typeof part === 'number' && !this.#set.has(part) ? [[part, 0], ...held] : held;
  }
}

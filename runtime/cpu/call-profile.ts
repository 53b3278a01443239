/**
 * Where calls go, by samples: the code map forgets for a while what it has, so that calls through it ask the host, which sees who
 * calls what. A call costs nothing while nobody looks.
 */
import type { AddressSpace } from '../memory/address-space.ts';
import { GuestMemory } from '../memory/guest-memory.ts';
import type { MachineMemory } from '../memory/machine-memory.ts';
import type { Mode } from '../x86/registers.ts';

/** Calls that are looked at in one go. */
const samplesAtOnce = 128;
/** Places of calls that are known at the most; a guest that has more gets no wiser. */
const mostPlaces = 10_000;
/** Targets of a place that are worth a comparison, one of which may be called by name; and the share of its calls that each must have. */
const mostTargets = 4;
const leastShare = 0.1;

/** Whose stack has the return addresses. */
export interface Callers {
  readonly layout: { readonly mode: Mode };
  readonly memory: MachineMemory;
  readonly addressSpace: AddressSpace;
}

/** What must forget an address, or all, so that calls ask. */
export interface Hiding {
  hide(address?: bigint): void;
}

export class CallProfile {
  readonly #mode: Mode;
  readonly #stack: GuestMemory;
  #left = 0;
  #last: bigint | undefined;
  /** By return address, how often each target was called. */
  readonly #places = new Map<bigint, Map<bigint, number>>();

  constructor({ layout, memory, addressSpace }: Callers) {
    this.#mode = layout.mode;
    this.#stack = new GuestMemory(memory, addressSpace);
  }

  /** Looks at the next calls. */
  begin(map: Hiding): void {
    this.#left = samplesAtOnce;
    map.hide();
  }

  /** A call was not in the code map; its return address is at `sp`. One of the same target that follows at once is not seen. */
  called(target: bigint, sp: bigint, map: Hiding): void {
    if (this.#left === 0) return;
    this.#left--;
    if (this.#last !== undefined && this.#last !== target) map.hide(this.#last);
    this.#last = target;
    const returnTo = this.#wordAt(sp);
    if (returnTo === undefined) return;
    const seen = this.#places.get(returnTo);
    if (seen !== undefined) seen.set(target, (seen.get(target) ?? 0) + 1);
    else if (this.#places.size < mostPlaces) this.#places.set(returnTo, new Map([[target, 1]]));
  }

  /** What was mostly called where a call comes back to an address, the most frequent first. */
  readonly calledAt = (returnTo: bigint): readonly bigint[] => {
    const seen = [...(this.#places.get(returnTo) ?? [])].sort(([, a], [, b]) => b - a);
    const all = seen.reduce((sum, [, count]) => sum + count, 0);
    return seen
      .slice(0, mostTargets)
      .flatMap(([target, count]) => (count >= all * leastShare ? [target] : []));
  };

  #wordAt(address: bigint): bigint | undefined {
    const last = BigInt(this.#mode / 8 - 1);
    const isReadable = [address, address + last].every(
      (at) => typeof this.#stack.addressSpace.translate(at, 'read') === 'number',
    );
    return isReadable ? this.#stack.readWord(address, this.#mode) : undefined;
  }
}

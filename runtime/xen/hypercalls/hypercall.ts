/** What a hypercall is, and how one with sub-operations reads its argument and writes it back. */

import type { HypercallName } from '../../abi/xen.ts';
import { XenError } from '../../errors.ts';
import type { Layout, Struct } from '../../memory/layout.ts';
import type { DomainContext } from '../domain-context.ts';

/** A list that is not at its end: the guest asks anew, for the rest, when events have come and others had their turn. */
export class Continuation {
  readonly args: readonly bigint[];

  constructor(args: readonly bigint[]) {
    this.args = args;
  }
}

/** What rax becomes; nothing is 0. Failures are thrown as XenError. */
export type HypercallResult = bigint | number | Continuation | undefined;

export interface Hypercall {
  /** How many registers it reads. */
  readonly arguments: number;
  /** Arguments are as wide as the guest's registers, and not negative. */
  readonly call: (domain: DomainContext, args: readonly bigint[]) => HypercallResult;
}

/** Some hypercalls by name: each part of Xen brings its own. What is in none is answered with -ENOSYS. */
export type HypercallHandlers = Readonly<Partial<Record<HypercallName, Hypercall>>>;

type StructFields = Parameters<typeof import('../../memory/layout.ts').struct>[1];
type ViewOf<F extends StructFields> = ReturnType<Layout<F>['at']>;

/** A sub-operation: its number, and what it does with the struct that the argument points at. */
export interface Operation {
  readonly number: number;
  readonly call: (domain: DomainContext, argument: bigint) => HypercallResult;
}

/**
 * The struct is copied in, and back out where the operation has not failed: it works on a copy, which the guest cannot change
 * meanwhile.
 */
export const operation = <F extends StructFields>(
  number: number,
  type: Struct<F>,
  call: (domain: DomainContext, argument: ViewOf<F>) => HypercallResult,
): Operation => ({
  number,
  call: (domain, argument) => {
    const { size, at } = type.layout(domain.width);
    const bytes = domain.guest.readBytes(argument, size);
    const before = bytes.slice();
    const result = call(domain, at(bytes, 0));
    const isChanged = bytes.some((byte, i) => byte !== before[i]);
    if (isChanged) domain.guest.writeBytes(argument, bytes);
    return result;
  },
});

/** A hypercall whose first argument is the number of an operation and whose second points at its struct. */
export function multiplexed(
  name: HypercallName,
  operations: Readonly<Record<string, Operation>>,
): Hypercall {
  const byNumber = new Map(Object.values(operations).map((o) => [o.number, o]));
  return {
    arguments: 2,
    call: (domain, [number = 0n, argument = 0n]) => {
      const found = byNumber.get(Number(BigInt.asUintN(32, number)));
      if (found === undefined) throw new XenError('ENOSYS', `${name} has no operation ${number}`);
      return found.call(domain, argument);
    },
  };
}

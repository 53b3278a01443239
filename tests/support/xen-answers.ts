/** What a hypercall answers to the guest: a number, or the name of its error. */

import { XenError } from '../../runtime/errors.ts';
import type { FieldType, Struct, Width } from '../../runtime/memory/layout.ts';
import type { Hypercall } from '../../runtime/xen/hypercalls/hypercall.ts';
import type { TestDomain } from './xen-domain.ts';

export function answer(call: () => unknown): number | string {
  try {
    return Number(call() ?? 0);
  } catch (error) {
    if (error instanceof XenError) return error.errno;
    throw error;
  }
}

type Fields = Readonly<Record<string, FieldType<unknown, never>>>;
type View<F extends Fields> = ReturnType<ReturnType<Struct<F>['layout']>['at']>;

/** Asks for one operation with a struct in the guest's memory; what is there afterwards. */
export function ask<F extends Fields>(
  { domain, address, host }: TestDomain,
  hypercall: Hypercall,
  operation: number,
  type: Struct<F>,
  fill: Partial<View<F>>,
): { result: number | string; value: View<F> } {
  const value = type.layout(domain.width).at(domain.memory, host);
  Object.assign(value, fill);
  const result = answer(() => hypercall.call(domain, [BigInt(operation), address]));
  return { result, value };
}

export const bothWidths: readonly Width[] = [64, 32];

/**
 * A hypercall as a line of a trace: `d1 event_channel_op.alloc_unbound {dom:SELF remote_dom:0} = 0 {port:5}`. What Xen has written
 * into a struct stands behind the result.
 */
import { XEN_ERRNO } from '../../abi/errno.ts';
import type { HypercallName } from '../../abi/xen.ts';
import { XenError } from '../../errors.ts';
import type { DomainContext } from '../domain-context.ts';
import { type Arguments, hypercallArguments, type Pointed } from './hypercall-arguments.ts';
import { fieldTexts, hex, named } from './values.ts';

/** Of a list no more are shown. */
const mostShown = 4;

/** A call that has been begun. */
export interface ToldCall {
  /** When it is over; `failure` says why it has failed. */
  line(result: bigint, failure: XenError | undefined): string;
}

type Fields = readonly (readonly [string, string])[];

interface Snapshot {
  readonly fields: Fields;
  /** Where it is not shown by its fields. */
  readonly text: string | undefined;
}

export function tellCall(
  domain: DomainContext,
  name: HypercallName,
  args: readonly bigint[],
): ToldCall {
  const { id, width } = domain;
  const described = hypercallArguments[name]?.(args, width) ?? unknown(args);
  const { operation, values, pointed } = described;
  const called = operation === undefined ? name : `${name}.${operation}`;
  const numbers = values.map(([label, n, show]) => `${label}:${show(args[n] ?? 0n)}`);
  const before = snapshots(domain, args, pointed);
  return {
    line: (result, failure) => {
      const after = snapshots(domain, args, pointed);
      const given = before.map((one, n) => snapshotText(one, after[n], 'given'));
      const taken = after.flatMap((one, n) => snapshotText(one, before[n], 'taken') || []);
      const count = countOf(args, pointed);
      const more = count > before.length && given.length > 0 ? [`… ${count} in all`] : [];
      const outcome = resultText(result, width, failure);
      const call = [
        `d${id} ${called}`,
        ...numbers,
        ...given,
        ...more,
        unread(args, pointed, before),
      ];
      return [...call, '=', outcome, ...taken].filter((word) => word !== '').join(' ');
    },
  };
}

const unknown = (args: readonly bigint[]): Arguments => ({
  values: args.map((_, n) => [`arg${n + 1}`, n, hex] as const),
});

function countOf(args: readonly bigint[], pointed: Pointed | undefined): number {
  if (pointed === undefined) return 0;
  return pointed.count === undefined ? 1 : Number(BigInt.asUintN(31, args[pointed.count] ?? 0n));
}

/** Where nothing can be read, the pointer is shown. */
const unread = (
  args: readonly bigint[],
  pointed: Pointed | undefined,
  read: readonly Snapshot[],
): string =>
  pointed === undefined || read.length > 0 ? '' : `at ${hex(args[pointed.argument] ?? 0n)}`;

/** Copies of the first structs; fewer where they cannot be read. */
function snapshots(
  { guest, width }: DomainContext,
  args: readonly bigint[],
  pointed: Pointed | undefined,
): Snapshot[] {
  if (pointed === undefined) return [];
  const { struct, argument, show } = pointed;
  const { size, at } = struct.layout(width);
  const found: Snapshot[] = [];
  for (let n = 0; n < Math.min(countOf(args, pointed), mostShown); n++)
    try {
      const place = BigInt.asUintN(width, (args[argument] ?? 0n) + BigInt(n * size));
      const view = at(guest.readBytes(place, size), 0);
      found.push({ fields: fieldTexts(struct.name, view), text: show?.(view) });
    } catch (error) {
      if (!(error instanceof XenError)) throw error;
      break;
    }
  return found;
}

/** What stayed as it was given, or what has been written. */
function snapshotText(
  { fields, text }: Snapshot,
  other: Snapshot | undefined,
  which: 'given' | 'taken',
): string {
  if (text !== undefined) return which === 'given' ? text : '';
  const same = new Map(other?.fields ?? fields);
  const isSame = ([name, value]: readonly [string, string]): boolean => same.get(name) === value;
  const shown = fields.filter((field) => isSame(field) === (which === 'given'));
  if (which === 'taken' && shown.length === 0) return '';
  return `{${shown.map(([name, value]) => `${name}:${value}`).join(' ')}}`;
}

function resultText(result: bigint, width: 64 | 32, failure: XenError | undefined): string {
  if (failure !== undefined) return `${failure.errno} (${failure.message})`;
  const signed = BigInt.asIntN(width, result);
  if (signed < 0n && signed > -0x1000n) return named(XEN_ERRNO)(-signed);
  return signed < 0n || signed > 0xffffn ? `0x${result.toString(16)}` : `${signed}`;
}

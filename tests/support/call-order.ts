/**
 * The hypercalls of a domain in their order, from Xen's trace buffers (xentrace; public/trace.h, TRC_PV_HYPERCALL_V2) and from
 * our own trace, in the same words: what Xen records of each, in runs, without what tells only how long something took.
 */
import { GNTTABOP } from '../../runtime/abi/grant-table.ts';
import { SCHEDOP } from '../../runtime/abi/sched.ts';
import { HYPERCALLS, type HypercallName } from '../../runtime/abi/xen.ts';

interface Call {
  readonly name: HypercallName;
  /** By place: only those that Xen records. */
  readonly args: ReadonlyMap<number, number>;
}

const names = new Map(
  (Object.entries(HYPERCALLS) as [HypercallName, number][]).map(([name, number]) => [number, name]),
);
const operations: Readonly<Partial<Record<HypercallName, Readonly<Record<string, number>>>>> = {
  grant_table_op: GNTTABOP,
  sched_op: SCHEDOP,
};
/** Where each has the number of its requests. */
const counts: Readonly<Partial<Record<HypercallName, number>>> = {
  ...{ mmu_update: 1, mmuext_op: 1, multicall: 1 },
};

function showRecorded({ name, args }: Call): string {
  const command = args.get(0);
  const operation = Object.entries(operations[name] ?? {}).find(([, n]) => n === command)?.[0];
  return show(name, operation, args.get(counts[name] ?? -1));
}

const show = (name: string, operation: string | undefined, count: number | undefined): string =>
  `${name}${operation === undefined ? '' : `.${operation}`}${count === undefined ? '' : ` of ${count}`}`;

/**
 * Runs as `update_va_mapping x37`. Yields, and how often others are told of events between two other calls, depend on time: xentrace
 * does not say what event_channel_op is asked, so a run of it is one.
 */
function runsOf(calls: Iterable<string>): readonly string[] {
  const runs: { name: string; count: number }[] = [];
  for (const name of calls) {
    if (name === 'sched_op.yield') continue;
    const last = runs.at(-1);
    if (last?.name !== name) runs.push({ name, count: 1 });
    else if (name !== 'event_channel_op') last.count++;
  }
  return runs.map(({ name, count }) => (count === 1 ? name : `${name} x${count}`));
}

/** `d1 mmu_update foreign:SELF {MACHPHYS_UPDATE ptr:0x1000 val:0x441} {…} = 0`: requests are in braces. */
export function tracedOrder(lines: readonly string[]): readonly string[] {
  return runsOf(
    lines.flatMap((line) => {
      const [, name = '', operation] = /^d\d+ (\w+)(?:\.(\w+))? /.exec(line) ?? [];
      if (!isHypercall(name)) return [];
      const count = name in counts ? line.split('{').length - 1 : undefined;
      return [show(name, name in operations ? operation : undefined, count)];
    }),
  );
}

const isHypercall = (name: string): name is HypercallName => name in HYPERCALLS;

const events = { hypercall: 0x20100d, lost: 0x1f002 } as const;
/** Set where the domain is a 64-bit one. */
const wide = 0x100;

/** In the count of a call that Xen had interrupted and goes on with (MMU_UPDATE_PREEMPTED): not another call. */
const preempted = 2 ** 31;

/** Of a raw trace. */
export function recordedOrder(bytes: Uint8Array): readonly string[] {
  return runsOf(recordedCalls(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)));
}

function* recordedCalls(view: DataView): Iterable<string> {
  let at = 0;
  while (at + 4 <= view.byteLength) {
    const header = view.getUint32(at, true);
    const [event, extra, hasTime] = [header & 0xfffffff, (header >>> 28) & 7, header >>> 31];
    const start = at + 4 + (hasTime === 1 ? 8 : 0);
    at = start + 4 * extra;
    if (at > view.byteLength) return;
    if (event === events.lost) throw new Error('the trace has lost records: record again');
    if ((event & ~wide) !== events.hypercall) continue;
    const call = recordedCall(view, start);
    if ((call.args.get(counts[call.name] ?? -1) ?? 0) < preempted) yield showRecorded(call);
  }
}

/** The number, and in two bits a place which arguments follow: none, a word, two words. */
function recordedCall(view: DataView, start: number): Call {
  const word = view.getUint32(start, true);
  const name = names.get(word & 0xfffff);
  if (name === undefined) throw new Error(`xentrace: no hypercall ${word & 0xfffff}`);
  const args = new Map<number, number>();
  let at = start + 4;
  for (let place = 0; place < 6; place++) {
    const kind = (word >>> (20 + 2 * place)) & 3;
    if (kind === 0) continue;
    args.set(place, view.getUint32(at, true));
    at += 4 * kind;
  }
  return { name, args };
}

/** What stores ask of the bytes that machine-memory.ts keeps of pages. Places are offsets, of which `host` is the first one's. */
import { pageFlags, pageSize } from '../../memory/machine-memory.ts';
import type { Emitter, Expression } from '../emit/emitter.ts';
import type { Layout } from '../layout.ts';

const pageShift = Math.log2(pageSize);

/** The byte of the page that a place lies in, with what it says of the page behind. */
export function pageFlagsAt(
  e: Emitter,
  layout: Layout,
  host: number,
  place: Expression,
): Expression {
  const page = e.op('i32.shr_u', place, e.i32(pageShift));
  return e.load('i32.load8_u', layout.pageFlags + Math.floor(host / pageSize), page);
}

/** What such a byte says of its own page. */
export const ownFlags = (e: Emitter, flags: Expression): Expression =>
  e.op('i32.and', flags, e.i32(~pageFlags.next));

/** Not 0 where the page of a stretch's first or last byte has a flag; a stretch is no longer than a page. */
export function stretchFlags(
  e: Emitter,
  layout: Layout,
  { host, place, bytes }: { host: number; place: () => Expression; bytes: number },
): Expression {
  const first = pageFlagsAt(e, layout, host, place());
  if (bytes === 1) return ownFlags(e, first);
  const last = pageFlagsAt(e, layout, host, e.op('i32.add', place(), e.i32(bytes - 1)));
  return ownFlags(e, e.op('i32.or', first, last));
}

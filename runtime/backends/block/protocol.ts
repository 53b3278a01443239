/** Requests and responses as bytes (xen/io/blkif.h), in the layout of x86-64 or of x86-32 guests, into values and back. */
import {
  BLKIF_MAX_INDIRECT_PAGES_PER_REQUEST,
  BLKIF_MAX_SEGMENTS_PER_REQUEST,
  BLKIF_OP,
  blkif_request,
  blkif_request_discard,
  blkif_request_indirect,
  blkif_request_segment,
  blkif_response,
} from '../../abi/io/blkif.ts';
import { XEN_IO_PROTO_ABI } from '../../abi/io/protocols.ts';
import type { Width } from '../../memory/layout.ts';

export interface Segment {
  readonly gref: number;
  readonly first: number;
  readonly last: number;
}

interface Common {
  /** What the response repeats. */
  readonly operation: number;
  readonly id: bigint;
  /** Exact up to 2^53, and above that beyond the end of any disk. */
  readonly sector: number;
}

/** Copied, and not checked. */
export type BlockRequest =
  | (Common & {
      readonly kind: 'READ' | 'WRITE' | 'WRITE_BARRIER' | 'FLUSH_DISKCACHE';
      readonly count: number;
      /** At most as many as there is room for, whatever `count` says. */
      readonly segments: readonly Segment[];
    })
  | (Common & {
      readonly kind: 'INDIRECT';
      readonly count: number;
      readonly pages: readonly number[];
    })
  | (Common & { readonly kind: 'DISCARD'; readonly flag: number; readonly count: number })
  | (Common & { readonly kind: 'unknown' });

export interface Protocol {
  readonly width: Width;
  readonly requestSize: number;
  readonly responseSize: number;
}

const protocolOf = (width: Width): Protocol => ({
  width,
  requestSize: blkif_request.size(width),
  responseSize: blkif_response.size(width),
});

/** By what the front-end's node `protocol` says. */
export const protocols: Readonly<Record<string, Protocol>> = {
  [XEN_IO_PROTO_ABI.X86_64]: protocolOf(64),
  [XEN_IO_PROTO_ABI.X86_32]: protocolOf(32),
};

const layouts = {
  64: {
    request: blkif_request.layout(64).offsets,
    discard: blkif_request_discard.layout(64).offsets,
    indirect: blkif_request_indirect.layout(64).offsets,
    response: blkif_response.layout(64).offsets,
  },
  32: {
    request: blkif_request.layout(32).offsets,
    discard: blkif_request_discard.layout(32).offsets,
    indirect: blkif_request_indirect.layout(32).offsets,
    response: blkif_response.layout(32).offsets,
  },
};

/** The same at both widths. */
const { offsets: segmentOffsets, size: segmentSize } = blkif_request_segment.layout(64);
export const segmentsInPage = 4096 / segmentSize;

const kinds = {
  [BLKIF_OP.READ]: 'READ',
  [BLKIF_OP.WRITE]: 'WRITE',
  [BLKIF_OP.WRITE_BARRIER]: 'WRITE_BARRIER',
  [BLKIF_OP.FLUSH_DISKCACHE]: 'FLUSH_DISKCACHE',
} as const;

const isTransfer = (operation: number): operation is keyof typeof kinds => operation in kinds;

/** `view` is of a copy. */
export function decodeRequest({ width }: Protocol, view: DataView): BlockRequest {
  const { request, discard, indirect } = layouts[width];
  const operation = view.getUint8(request.operation);
  const common = {
    operation,
    id: view.getBigUint64(request.id, true),
    sector: u64(view, request.sector_number),
  };
  if (isTransfer(operation)) {
    const count = view.getUint8(request.nr_segments);
    const most = Math.min(count, BLKIF_MAX_SEGMENTS_PER_REQUEST);
    const segments = decodeSegments(view, request.seg, most);
    return { ...common, kind: kinds[operation], count, segments };
  }
  if (operation === BLKIF_OP.DISCARD) {
    const count = u64(view, discard.nr_sectors);
    return { ...common, kind: 'DISCARD', flag: view.getUint8(discard.flag), count };
  }
  if (operation !== BLKIF_OP.INDIRECT) return { ...common, kind: 'unknown' };
  return {
    ...common,
    kind: 'INDIRECT',
    // Front-ends compare the response's operation with this one.
    operation: view.getUint8(indirect.indirect_op),
    count: view.getUint16(indirect.nr_segments, true),
    pages: Array.from({ length: BLKIF_MAX_INDIRECT_PAGES_PER_REQUEST }, (_, n) =>
      view.getUint32(indirect.indirect_grefs + 4 * n, true),
    ),
  };
}

export function decodeSegments(view: DataView, start: number, count: number): Segment[] {
  const segments: Segment[] = [];
  for (let at = start; at < start + count * segmentSize; at += segmentSize)
    segments.push({
      gref: view.getUint32(at + segmentOffsets.gref, true),
      first: view.getUint8(at + segmentOffsets.first_sect),
      last: view.getUint8(at + segmentOffsets.last_sect),
    });
  return segments;
}

/** Into a buffer of `responseSize` bytes. */
export function encodeResponse(
  { width }: Protocol,
  view: DataView,
  { id, operation }: Pick<Common, 'id' | 'operation'>,
  status: number,
): void {
  const { response } = layouts[width];
  view.setBigUint64(response.id, id, true);
  view.setUint8(response.operation, operation);
  view.setInt16(response.status, status, true);
}

const u64 = (view: DataView, at: number): number =>
  view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32;

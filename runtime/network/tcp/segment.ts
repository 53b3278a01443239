/** TCP segments (RFC 9293, 3.1) over IPv4, with the options for segment size and window scaling (RFC 7323). */

import { type Datagram, PROTOCOL, payloadStart } from '../ipv4.ts';
import { transportSum } from '../udp.ts';

export const TCP_FLAG = { FIN: 1, SYN: 2, RST: 4, PSH: 8, ACK: 16 } as const;

/** What of the flags says which kind of segment it is; PSH and those of congestion notification (RFC 3168) do not. */
export const kindOf = (flags: number): number =>
  flags & (TCP_FLAG.FIN | TCP_FLAG.SYN | TCP_FLAG.RST | TCP_FLAG.ACK);

export const tcpHeader = 20;

export interface Segment {
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** Sequence numbers are unsigned 32-bit. */
  readonly sequence: number;
  readonly acknowledgment: number;
  readonly flags: number;
  /** As it stands in the header, not scaled. */
  readonly window: number;
  readonly maximumSize?: number | undefined;
  readonly windowScale?: number | undefined;
  readonly data: Uint8Array;
}

/** Undefined where the header is none. */
export function readSegment(payload: Uint8Array): Segment | undefined {
  if (payload.length < tcpHeader) return undefined;
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const headerLength = (view.getUint8(12) >> 4) * 4;
  if (headerLength < tcpHeader || headerLength > payload.length) return undefined;
  return {
    sourcePort: view.getUint16(0),
    destinationPort: view.getUint16(2),
    sequence: view.getUint32(4),
    acknowledgment: view.getUint32(8),
    flags: view.getUint8(13),
    window: view.getUint16(14),
    ...readOptions(payload.subarray(tcpHeader, headerLength)),
    data: payload.subarray(headerLength),
  };
}

/** RFC 7323, 2.3 */
const mostScale = 14;
const OPTION = { END: 0, NOP: 1, MAXIMUM_SIZE: 2, WINDOW_SCALE: 3 } as const;

function readOptions(bytes: Uint8Array): Pick<Segment, 'maximumSize' | 'windowScale'> {
  const options = optionsOf(bytes);
  const size = options.get(OPTION.MAXIMUM_SIZE);
  const scale = options.get(OPTION.WINDOW_SCALE);
  return {
    maximumSize: size?.length === 2 ? ((size[0] ?? 0) << 8) | (size[1] ?? 0) : undefined,
    windowScale: scale?.length === 1 ? Math.min(scale[0] ?? 0, mostScale) : undefined,
  };
}

/** By kind, without kind and length; up to the first that is none. */
function optionsOf(bytes: Uint8Array): Map<number, Uint8Array> {
  const options = new Map<number, Uint8Array>();
  for (let at = 0; at < bytes.length && bytes[at] !== OPTION.END; ) {
    const kind = bytes[at] ?? OPTION.END;
    const length = kind === OPTION.NOP ? 1 : (bytes[at + 1] ?? 0);
    if (length === 0 || at + length > bytes.length) break;
    options.set(kind, bytes.subarray(at + 2, at + length));
    at += length;
  }
  return options;
}

type Ends = Pick<Datagram, 'source' | 'destination'>;

/** With the checksum blank: the folded sum of the pseudo header, for whoever sends the frame to complete. */
export function writeSegment(ends: Ends, segment: Segment): Datagram {
  const { maximumSize, windowScale, data } = segment;
  const options = [
    ...(maximumSize === undefined ? [] : [2, 4, maximumSize >> 8, maximumSize & 0xff]),
    ...(windowScale === undefined ? [] : [1, 3, 3, windowScale]),
  ];
  const headerLength = tcpHeader + options.length;
  const frame = new Uint8Array(payloadStart + headerLength + data.length);
  const payload = frame.subarray(payloadStart);
  const view = new DataView(frame.buffer, payloadStart);
  view.setUint16(0, segment.sourcePort);
  view.setUint16(2, segment.destinationPort);
  view.setUint32(4, segment.sequence);
  view.setUint32(8, segment.acknowledgment);
  view.setUint8(12, (headerLength / 4) << 4);
  view.setUint8(13, segment.flags);
  view.setUint16(14, segment.window);
  view.setUint16(16, blankSum(ends, payload.length));
  payload.set(options, tcpHeader);
  payload.set(data, headerLength);
  return { ...ends, protocol: PROTOCOL.TCP, payload, frame };
}

const nothing = new Uint8Array(0);
const blankSum = (ends: Ends, length: number): number =>
  transportSum(ends, PROTOCOL.TCP + length, nothing);

/** Signed distance from b to a. */
export const distance = (a: number, b: number): number => (a - b) | 0;
/** Sequence numbers wrap. */
export const advance = (sequence: number, by: number): number => (sequence + by) >>> 0;

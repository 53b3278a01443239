/** IPv4 (RFC 791) inside of Ethernet frames: headers taken apart and written. */
import type { Ipv4Address } from './addresses.ts';
import { addWords, checksum, fold } from './checksum.ts';
import { ethernetHeader, mtu } from './frame.ts';

export const ETHERTYPE = { IPV4: 0x0800, ARP: 0x0806, IPV6: 0x86dd } as const;
export const PROTOCOL = { ICMP: 1, TCP: 6, UDP: 17 } as const;

const ipv4Header = 20;
/** Of a frame, before its datagram's payload. */
export const payloadStart = ethernetHeader + ipv4Header;

export interface Datagram {
  readonly source: Ipv4Address;
  readonly destination: Ipv4Address;
  readonly protocol: number;
  readonly payload: Uint8Array;
  /** A frame that is as yet nothing but its end, the payload, with room for the headers before it. */
  readonly frame?: Uint8Array | undefined;
}

export interface Packet extends Datagram {
  readonly identification: number;
  /** Of the payload within the whole datagram, in bytes. */
  readonly offset: number;
  readonly hasMore: boolean;
  /** As it came, options included. */
  readonly header: Uint8Array;
}

/** Undefined where the frame holds no sound IPv4 packet; who receives drops it, as a host does. */
export function readPacket(frame: Uint8Array): Packet | undefined {
  const at = ethernetHeader;
  if (frame.length < at + ipv4Header) return undefined;
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const first = view.getUint8(at);
  const headerLength = (first & 0xf) * 4;
  const length = view.getUint16(at + 2);
  if (first >> 4 !== 4 || headerLength < ipv4Header || length < headerLength) return undefined;
  if (at + length > frame.length) return undefined;
  if (fold(addWords(frame, at, at + headerLength)) !== 0xffff) return undefined;
  const fragment = view.getUint16(at + 6);
  return {
    source: view.getUint32(at + 12),
    destination: view.getUint32(at + 16),
    protocol: view.getUint8(at + 9),
    identification: view.getUint16(at + 4),
    offset: (fragment & 0x1fff) * 8,
    hasMore: (fragment & 0x2000) !== 0,
    header: frame.subarray(at, at + headerLength),
    payload: frame.subarray(at + headerLength, at + length),
  };
}

export interface FrameHeads {
  readonly to: Uint8Array;
  readonly from: Uint8Array;
  readonly identification: number;
}

/** One frame, or, where the payload is more than an Ethernet frame has room for and may be cut, its fragments. */
export function writeFragments(datagram: Datagram, heads: FrameHeads): Uint8Array[] {
  const room = (mtu - ipv4Header) & ~7;
  const { payload } = datagram;
  const frames: Uint8Array[] = [];
  let offset = 0;
  do {
    const part = payload.subarray(
      offset,
      offset + (payload.length <= mtu - ipv4Header ? mtu : room),
    );
    const hasMore = offset + part.length < payload.length;
    frames.push(
      writePacket({ ...datagram, frame: undefined, payload: part }, heads, { offset, hasMore }),
    );
    offset += part.length;
  } while (offset < payload.length);
  return frames;
}

/** A frame as long as its payload makes it. */
export function writePacket(
  { source, destination, protocol, payload, frame }: Datagram,
  { to, from, identification }: FrameHeads,
  { offset, hasMore }: { readonly offset: number; readonly hasMore: boolean } = whole,
): Uint8Array {
  const at = ethernetHeader;
  const bytes = frame ?? new Uint8Array(payloadStart + payload.length);
  const view = new DataView(bytes.buffer);
  bytes.set(to, 0);
  bytes.set(from, 6);
  view.setUint16(12, ETHERTYPE.IPV4);
  view.setUint8(at, 0x45);
  view.setUint16(at + 2, ipv4Header + payload.length);
  view.setUint16(at + 4, identification);
  view.setUint16(at + 6, (hasMore ? 0x2000 : 0) | (offset / 8));
  view.setUint8(at + 8, 64);
  view.setUint8(at + 9, protocol);
  view.setUint32(at + 12, source);
  view.setUint32(at + 16, destination);
  view.setUint16(at + 10, checksum(addWords(bytes, at, at + ipv4Header)));
  if (frame === undefined) bytes.set(payload, payloadStart);
  return bytes;
}

const whole = { offset: 0, hasMore: false };

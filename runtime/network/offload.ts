/** Does what offloading has put off: fills in checksums of TCP and UDP, and cuts long TCP segments (IPv4 and IPv6). */
import { addWords, checksum, pseudoHeaderSum } from './checksum.ts';
import { ethernetHeader, type Frame } from './frame.ts';
import { ETHERTYPE, PROTOCOL } from './ipv4.ts';
import { TCP_FLAG, tcpHeader } from './tcp/segment.ts';

/** Where the parts of a frame begin. */
interface Places {
  readonly version: 4 | 6;
  readonly ip: number;
  readonly transport: number;
  readonly protocol: number;
}

const ipv6Header = 40;

/** Undefined where there is no TCP or UDP that could have been put off. */
function placesOf(bytes: Uint8Array): Places | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const ip = ethernetHeader;
  if (bytes.length < ip + 20) return undefined;
  const type = view.getUint16(12);
  if (type === ETHERTYPE.IPV4) {
    const transport = ip + (view.getUint8(ip) & 0xf) * 4;
    return checked(bytes, { version: 4, ip, transport, protocol: view.getUint8(ip + 9) });
  }
  if (type !== ETHERTYPE.IPV6 || bytes.length < ip + ipv6Header) return undefined;
  const transport = ip + ipv6Header;
  return checked(bytes, { version: 6, ip, transport, protocol: view.getUint8(ip + 6) });
}

function checked(bytes: Uint8Array, places: Places): Places | undefined {
  const { protocol, transport, ip } = places;
  const need = protocol === PROTOCOL.TCP ? tcpHeader : protocol === PROTOCOL.UDP ? 8 : undefined;
  if (need === undefined || transport < ip + 20 || bytes.length < transport + need)
    return undefined;
  return places;
}

/** Frames of the usual size with whole checksums. What cannot be done leaves the frame as it is: its receiver drops it. */
export function complete(frame: Frame): Uint8Array[] {
  const { bytes, isChecksumBlank, segmentSize } = frame;
  if (isChecksumBlank !== true && segmentSize === undefined) return [bytes];
  const places = placesOf(bytes);
  if (places === undefined) return [bytes];
  const parts = segmentSize === undefined ? [bytes.slice()] : cut(bytes, places, segmentSize);
  for (const part of parts) fillChecksum(part, places);
  return parts;
}

function fillChecksum(bytes: Uint8Array, places: Places): void {
  const { transport, protocol } = places;
  const field = transport + (protocol === PROTOCOL.TCP ? 16 : 6);
  bytes[field] = 0;
  bytes[field + 1] = 0;
  const pseudo = pseudoHeaderSum(
    bytes,
    { version: places.version, at: places.ip },
    protocol,
    bytes.length - transport,
  );
  const sum = checksum(addWords(bytes, transport, bytes.length, pseudo));
  // UDP says 0 where there is no checksum.
  const value = sum === 0 && protocol === PROTOCOL.UDP ? 0xffff : sum;
  bytes[field] = value >> 8;
  bytes[field + 1] = value & 0xff;
}

/** Segments as one would have sent them: sequence numbers go on, PSH and FIN are the last one's. */
function cut(bytes: Uint8Array, places: Places, size: number): Uint8Array[] {
  const { transport, protocol } = places;
  const payload = transport + ((bytes[transport + 12] ?? 0) >> 4) * 4;
  if (protocol !== PROTOCOL.TCP || size === 0 || payload >= bytes.length) return [bytes.slice()];
  const parts: Uint8Array[] = [];
  for (let at = payload; at < bytes.length; at += size) {
    const data = bytes.subarray(at, at + size);
    const part = new Uint8Array(payload + data.length);
    part.set(bytes.subarray(0, payload));
    part.set(data, payload);
    setLengths(part, places, parts.length);
    const view = new DataView(part.buffer);
    view.setUint32(transport + 4, view.getUint32(transport + 4) + (at - payload));
    if (at + size < bytes.length) {
      const flags = view.getUint8(transport + 13) & ~(TCP_FLAG.PSH | TCP_FLAG.FIN);
      view.setUint8(transport + 13, flags);
    }
    parts.push(part);
  }
  return parts;
}

function setLengths(part: Uint8Array, { version, ip, transport }: Places, index: number): void {
  const view = new DataView(part.buffer);
  if (version === 6) {
    view.setUint16(ip + 4, part.length - ip - ipv6Header);
    return;
  }
  view.setUint16(ip + 2, part.length - ip);
  view.setUint16(ip + 4, view.getUint16(ip + 4) + index);
  view.setUint16(ip + 10, 0);
  view.setUint16(ip + 10, checksum(addWords(part, ip, transport)));
}

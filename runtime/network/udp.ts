/** UDP (RFC 768) over IPv4. */
import { addWords, fold } from './checksum.ts';
import { type Datagram, PROTOCOL } from './ipv4.ts';

const udpHeader = 8;

export interface UdpMessage {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly data: Uint8Array;
}

export function readUdp(payload: Uint8Array): UdpMessage | undefined {
  if (payload.length < udpHeader) return undefined;
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const length = view.getUint16(4);
  if (length < udpHeader || length > payload.length) return undefined;
  return {
    sourcePort: view.getUint16(0),
    destinationPort: view.getUint16(2),
    data: payload.subarray(udpHeader, length),
  };
}

type Addresses = Pick<Datagram, 'source' | 'destination'>;

export function writeUdp(addresses: Addresses, message: UdpMessage): Datagram {
  const payload = new Uint8Array(udpHeader + message.data.length);
  const view = new DataView(payload.buffer);
  view.setUint16(0, message.sourcePort);
  view.setUint16(2, message.destinationPort);
  view.setUint16(4, payload.length);
  payload.set(message.data, udpHeader);
  const sum = transportSum(addresses, PROTOCOL.UDP, payload);
  // A sum of 0 is sent as its other form, since 0 says that there is none.
  view.setUint16(6, ~sum & 0xffff || 0xffff);
  return { ...addresses, protocol: PROTOCOL.UDP, payload };
}

/** Folded, over pseudo header and payload. */
export function transportSum(
  { source, destination }: Addresses,
  protocol: number,
  payload: Uint8Array,
): number {
  const head = [source, destination].reduce(
    (sum, address) => sum + (address >>> 16) + (address & 0xffff),
    protocol + payload.length,
  );
  return fold(addWords(payload, 0, payload.length, head));
}

/** Address resolution for IPv4 over Ethernet (RFC 826). */
import type { Ipv4Address } from './addresses.ts';
import { broadcastMac } from './addresses.ts';
import { ethernetHeader } from './frame.ts';
import { ETHERTYPE } from './ipv4.ts';

export const ARP_OPERATION = { REQUEST: 1, REPLY: 2 } as const;

export interface ArpMessage {
  readonly operation: number;
  readonly senderMac: Uint8Array;
  readonly sender: Ipv4Address;
  readonly target: Ipv4Address;
}

const messageLength = 28;
/** Hardware type Ethernet, protocol IPv4, addresses of 6 and 4 bytes. */
const kind = [0, 1, 8, 0, 6, 4];

export function readArp(frame: Uint8Array): ArpMessage | undefined {
  const at = ethernetHeader;
  if (frame.length < at + messageLength) return undefined;
  if (kind.some((byte, n) => frame[at + n] !== byte)) return undefined;
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  return {
    operation: view.getUint16(at + 6),
    senderMac: frame.slice(at + 8, at + 14),
    sender: view.getUint32(at + 14),
    target: view.getUint32(at + 24),
  };
}

/** A reply goes to `targetMac`; a request, which has none, to everybody. */
export function writeArp(
  { operation, senderMac, sender, target }: ArpMessage,
  targetMac?: Uint8Array,
): Uint8Array {
  const at = ethernetHeader;
  const bytes = new Uint8Array(at + messageLength);
  const view = new DataView(bytes.buffer);
  bytes.set(targetMac ?? broadcastMac, 0);
  bytes.set(senderMac, 6);
  view.setUint16(12, ETHERTYPE.ARP);
  bytes.set(kind, at);
  view.setUint16(at + 6, operation);
  bytes.set(senderMac, at + 8);
  view.setUint32(at + 14, sender);
  if (targetMac !== undefined) bytes.set(targetMac, at + 18);
  view.setUint32(at + 24, target);
  return bytes;
}

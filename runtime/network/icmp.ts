/** What of ICMP (RFC 792) a gateway says: echo replies, and why a datagram did not arrive. */
import type { Ipv4Address } from './addresses.ts';
import { addWords, checksum } from './checksum.ts';
import { type Datagram, type Packet, PROTOCOL } from './ipv4.ts';

const TYPE = { ECHO_REPLY: 0, DESTINATION_UNREACHABLE: 3, ECHO: 8 } as const;

/** Codes of DESTINATION_UNREACHABLE; 13 is RFC 1812's. */
export const UNREACHABLE = { NET: 0, HOST: 1, PROTOCOL: 2, PORT: 3, PROHIBITED: 13 } as const;

/** The answer to an echo request; undefined to anything else. */
export function echoReply({ source, destination, payload }: Datagram): Datagram | undefined {
  if (payload.length < 8 || payload[0] !== TYPE.ECHO || payload[1] !== 0) return undefined;
  const message = payload.slice();
  message[0] = TYPE.ECHO_REPLY;
  return icmp(destination, source, message);
}

/** With the header of what did not arrive and its first 8 bytes. */
export function unreachable(
  code: number,
  { source, header, payload }: Packet,
  from: Ipv4Address,
): Datagram {
  const message = new Uint8Array(8 + header.length + 8);
  message[0] = TYPE.DESTINATION_UNREACHABLE;
  message[1] = code;
  message.set(header, 8);
  message.set(payload.subarray(0, 8), 8 + header.length);
  return icmp(from, source, message);
}

function icmp(source: Ipv4Address, destination: Ipv4Address, message: Uint8Array): Datagram {
  const view = new DataView(message.buffer);
  view.setUint16(2, 0);
  view.setUint16(2, checksum(addWords(message, 0, message.length)));
  return { source, destination, protocol: PROTOCOL.ICMP, payload: message };
}

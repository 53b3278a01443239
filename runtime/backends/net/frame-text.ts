/** A frame in a trace: who, and what its headers say. */
import { ipv4Text, macText } from '../../network/addresses.ts';
import { readArp } from '../../network/arp.ts';
import type { Frame } from '../../network/frame.ts';
import { ETHERTYPE, type Packet, PROTOCOL, readPacket } from '../../network/ipv4.ts';
import { readSegment, TCP_FLAG } from '../../network/tcp/segment.ts';
import { readUdp } from '../../network/udp.ts';

/** `vif1.0 sends tcp 10.0.2.15:1024 > 10.0.2.2:80 SYN seq 5 ack 0 win 4096 len 0`. */
export function frameText(
  name: string,
  does: 'sends' | 'gets',
  { bytes, segmentSize }: Frame,
): string {
  const cut = segmentSize === undefined ? '' : ` in segments of ${segmentSize}`;
  return `${name} ${does} ${contentText(bytes)}${cut}`;
}

function contentText(bytes: Uint8Array): string {
  const type = ((bytes[12] ?? 0) << 8) | (bytes[13] ?? 0);
  const packet = type === ETHERTYPE.IPV4 ? readPacket(bytes) : undefined;
  if (packet !== undefined) return packetText(packet);
  const arp = type === ETHERTYPE.ARP ? readArp(bytes) : undefined;
  if (arp !== undefined)
    return arp.operation === 1
      ? `arp who has ${ipv4Text(arp.target)}, tell ${ipv4Text(arp.sender)}`
      : `arp ${ipv4Text(arp.sender)} is at ${macText(arp.senderMac)}`;
  const [to, from] = [bytes.subarray(0, 6), bytes.subarray(6, 12)];
  return `ether ${macText(from)} > ${macText(to)} type 0x${type.toString(16)} len ${bytes.length}`;
}

function packetText(packet: Packet): string {
  const { source, destination, protocol, payload, offset } = packet;
  const ends = (from: number, to: number): string =>
    `${ipv4Text(source)}:${from} > ${ipv4Text(destination)}:${to}`;
  const tcp = protocol === PROTOCOL.TCP && offset === 0 ? readSegment(payload) : undefined;
  if (tcp !== undefined) {
    const { sequence, acknowledgment, window, data } = tcp;
    const flags = Object.entries(TCP_FLAG).filter(([, bit]) => (tcp.flags & bit) !== 0);
    const names = flags.map(([name]) => name).join('+');
    return `tcp ${ends(tcp.sourcePort, tcp.destinationPort)} ${names} seq ${sequence} ack ${acknowledgment} win ${window} len ${data.length}`;
  }
  const udp = protocol === PROTOCOL.UDP && offset === 0 ? readUdp(payload) : undefined;
  if (udp !== undefined)
    return `udp ${ends(udp.sourcePort, udp.destinationPort)} len ${udp.data.length}`;
  const part = offset === 0 ? '' : ` at ${offset}`;
  return `ip ${ipv4Text(source)} > ${ipv4Text(destination)} protocol ${protocol} len ${payload.length}${part}`;
}

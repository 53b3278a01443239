/**
 * User-mode networking: a network of its own, 10.0.2.0/24, whose gateway is the host, reached by the host's own sockets and
 * without any privilege. The addresses are those that QEMU's has, since people know them: 10.0.2.2 is the host's loopback,
 * 10.0.2.3 its name server, guests begin at 10.0.2.15. Nothing else is to be reached unless it was given.
 */
import type { Clock } from '../domain/clock.ts';
import { type Ipv4Address, ipv4Text, parseIpv4, parseMac } from './addresses.ts';
import { ARP_OPERATION, readArp, writeArp } from './arp.ts';
import { DHCP_PORT, DhcpServer } from './dhcp-server.ts';
import { Reassembly } from './fragments.ts';
import { ethernetHeader, type Frame, type Link, mtu } from './frame.ts';
import type { HostDatagrams, HostSockets, Listener } from './host-sockets.ts';
import { echoReply, UNREACHABLE, unreachable } from './icmp.ts';
import {
  type Datagram,
  ETHERTYPE,
  type Packet,
  PROTOCOL,
  readPacket,
  writeFragments,
  writePacket,
} from './ipv4.ts';
import { TcpRelay } from './tcp/tcp-relay.ts';
import { type TftpFiles, TftpServer, tftpPort } from './tftp-server.ts';
import { readUdp, type UdpMessage, writeUdp } from './udp.ts';
import { type HostPlace, UdpRelay } from './udp-relay.ts';

export const userNetworkAddresses = {
  gateway: parseIpv4('10.0.2.2'),
  nameServer: parseIpv4('10.0.2.3'),
  firstGuest: parseIpv4('10.0.2.15'),
  mask: parseIpv4('255.255.255.0'),
} as const;

const { gateway, nameServer, firstGuest, mask } = userNetworkAddresses;
const gatewayMac = parseMac('52:55:0a:00:02:02');
const mostGuests = 200;
const dnsPort = 53;
/** Frames for an address that has not said yet where it is. */
const mostWaiting = 64;

/** A port of the host's that leads to one of a guest's. */
export interface Forward {
  readonly protocol: 'tcp' | 'udp';
  /** Where the host listens. */
  readonly address: string;
  readonly port: number;
  readonly guestPort: number;
  /** The first guest, if not given. */
  readonly guest?: Ipv4Address | undefined;
}

export interface UserNetworkParts {
  readonly link: Link;
  readonly clock: Clock;
  readonly sockets: HostSockets;
  /** Numbers from 0 up to 2^32, for what others should not guess. */
  readonly random: () => number;
  /** Whether guests reach what the host reaches; else only its loopback and its name server. */
  readonly outside?: boolean | undefined;
  /** Whether guests reach nothing at all of the host: only forwards lead to them. */
  readonly restricted?: boolean | undefined;
  readonly tftp?: { readonly files: TftpFiles; readonly bootFile?: string | undefined } | undefined;
  /** For a person, once for each place: what a guest was not given. */
  readonly log?: ((line: string) => void) | undefined;
}

export class UserNetwork {
  readonly #parts: UserNetworkParts;
  readonly #dhcp: DhcpServer;
  readonly #tftp: TftpServer | undefined;
  readonly #tcp: TcpRelay;
  readonly #udp: UdpRelay;
  readonly #fragments: Reassembly;
  /** Where guests are, as they said last. */
  readonly #stations = new Map<Ipv4Address, Uint8Array>();
  readonly #waiting = new Map<Ipv4Address, ((mac: Uint8Array) => void)[]>();
  readonly #opened: (Listener | HostDatagrams)[] = [];
  readonly #refused = new Set<string>();
  #identification = 0;

  constructor(parts: UserNetworkParts) {
    const { clock, sockets, random, link, tftp } = parts;
    this.#parts = parts;
    this.#dhcp = new DhcpServer({
      ...{ server: gateway, nameServer, mask, mtu, most: mostGuests },
      ...{ first: firstGuest, bootFile: tftp?.bootFile },
    });
    const send = (datagram: Datagram): void => this.#send(datagram);
    const reach = (address: Ipv4Address, port: number): HostPlace | undefined =>
      this.#reach(address, port);
    this.#tftp =
      tftp &&
      new TftpServer({
        ...{ clock, files: tftp.files },
        send: ({ address, port }, sourcePort, data) =>
          this.#sendUdp(address, { sourcePort, destinationPort: port, data }),
      });
    this.#tcp = new TcpRelay({
      ...{ clock, sockets, random, reach },
      send: (datagram, segmentSize) => this.#sendSegment(datagram, segmentSize),
    });
    this.#udp = new UdpRelay({ clock, sockets, reach, send });
    this.#fragments = new Reassembly(clock);
    link.listen((frame) => this.#receive(frame));
  }

  /** Opens ports of the host's; UserError where one is another's. */
  async forward(forward: Forward): Promise<Listener | HostDatagrams> {
    const { protocol, address, port, guestPort, guest = firstGuest } = forward;
    const { sockets } = this.#parts;
    const to = { address: guest, port: guestPort };
    const opened =
      protocol === 'tcp'
        ? await sockets.listen(address, port, (attach) => this.#tcp.open(to, gateway, attach))
        : await this.#udp.forward({ address, port }, to, gateway);
    this.#opened.push(opened);
    return opened;
  }

  /** Closes everything of the host's. */
  close(): void {
    for (const opened of this.#opened) opened.close();
    this.#tcp.close();
    this.#udp.close();
    this.#tftp?.close();
  }

  #receive(frame: Frame): void {
    const { bytes } = frame;
    if (bytes.length < ethernetHeader) return;
    const type = ((bytes[12] ?? 0) << 8) | (bytes[13] ?? 0);
    if (type === ETHERTYPE.ARP) this.#receiveArp(bytes);
    if (type !== ETHERTYPE.IPV4) return;
    const packet = readPacket(bytes);
    if (packet === undefined) return;
    this.#meet(packet.source, bytes.slice(6, 12));
    const whole = this.#fragments.add(packet);
    if (whole !== undefined) this.#receivePacket(whole);
  }

  #receiveArp(bytes: Uint8Array): void {
    const message = readArp(bytes);
    if (message === undefined) return;
    this.#meet(message.sender, message.senderMac);
    const isOurs = message.target === gateway || message.target === nameServer;
    if (message.operation !== ARP_OPERATION.REQUEST || !isOurs) return;
    const reply = { operation: ARP_OPERATION.REPLY, senderMac: gatewayMac };
    const addresses = { sender: message.target, target: message.sender };
    this.#parts.link.send({ bytes: writeArp({ ...reply, ...addresses }, message.senderMac) });
  }

  /** Only those of our network have a place in it. */
  #meet(address: Ipv4Address, mac: Uint8Array): void {
    const isGuest = isInside(address) && address !== gateway && address !== nameServer;
    if (!isGuest) return;
    this.#stations.set(address, mac);
    const waiting = this.#waiting.get(address) ?? [];
    this.#waiting.delete(address);
    for (const send of waiting) send(mac);
  }

  #receivePacket(packet: Packet): void {
    if (packet.protocol === PROTOCOL.UDP) this.#receiveUdp(packet);
    else if (packet.protocol === PROTOCOL.TCP) {
      if (!this.#tcp.receive(packet)) this.#refuse(packet, UNREACHABLE.PROHIBITED);
    } else if (packet.protocol === PROTOCOL.ICMP) this.#receiveIcmp(packet);
    else this.#refuse(packet, UNREACHABLE.PROTOCOL);
  }

  #receiveIcmp(packet: Packet): void {
    const isOurs = packet.destination === gateway || packet.destination === nameServer;
    const reply = isOurs ? echoReply(packet) : undefined;
    if (reply !== undefined) this.#send(reply);
  }

  #receiveUdp(packet: Packet): void {
    const message = readUdp(packet.payload);
    if (message === undefined) return;
    if (message.destinationPort === DHCP_PORT.SERVER) this.#receiveDhcp(message);
    else if (packet.destination === gateway && this.#receiveTftp(packet, message)) return;
    else if (isMany(packet.destination)) return;
    else if (!this.#udp.receive(packet, message)) this.#refuse(packet, UNREACHABLE.PORT);
  }

  #receiveDhcp({ data }: UdpMessage): void {
    const reply = this.#dhcp.answer(data);
    if (reply === undefined) return;
    const ports = { sourcePort: DHCP_PORT.SERVER, destinationPort: DHCP_PORT.CLIENT };
    const datagram = writeUdp(
      { source: gateway, destination: reply.to },
      { ...ports, data: reply.data },
    );
    // The client has no address yet, but reads what is sent to its MAC.
    this.#transmit(datagram, data.slice(28, 34));
  }

  #receiveTftp(packet: Packet, { sourcePort, destinationPort, data }: UdpMessage): boolean {
    const client = { address: packet.source, port: sourcePort };
    if (this.#tftp === undefined) return false;
    if (destinationPort !== tftpPort) return this.#tftp.receive(client, destinationPort, data);
    void this.#tftp.request(client, data.slice());
    return true;
  }

  /** Where the host finds what a guest calls so. */
  #reach(address: Ipv4Address, port: number): HostPlace | undefined {
    const { restricted, outside, sockets } = this.#parts;
    if (restricted === true) return undefined;
    if (address === gateway) return { address: '127.0.0.1', port };
    if (address === nameServer) {
      const server = port === dnsPort ? sockets.nameServer() : undefined;
      return server === undefined ? undefined : { address: server, port };
    }
    const isElsewhere = !isInside(address) && !isMany(address) && !isLoopback(address);
    return outside === true && isElsewhere ? { address: ipv4Text(address), port } : undefined;
  }

  #refuse(packet: Packet, code: number): void {
    const { log } = this.#parts;
    const place = ipv4Text(packet.destination);
    if (log !== undefined && !isInside(packet.destination) && this.#refused.size < 100) {
      if (!this.#refused.has(place))
        log(`network: ${place} is outside, which the guest was not given`);
      this.#refused.add(place);
    }
    this.#send(unreachable(code, packet, gateway));
  }

  #sendUdp(destination: Ipv4Address, message: UdpMessage): void {
    this.#send(writeUdp({ source: gateway, destination }, message));
  }

  #send(datagram: Datagram): void {
    this.#whenMet(datagram.destination, (mac) => this.#transmit(datagram, mac));
  }

  #transmit(datagram: Datagram, to: Uint8Array): void {
    const identification = this.#nextIdentification();
    for (const bytes of writeFragments(datagram, { to, from: gatewayMac, identification }))
      this.#parts.link.send({ bytes });
  }

  #sendSegment(datagram: Datagram, size: number): void {
    this.#whenMet(datagram.destination, (to) => {
      const heads = { to, from: gatewayMac, identification: this.#nextIdentification() };
      const bytes = writePacket(datagram, heads);
      const isLong = bytes.length > ethernetHeader + mtu;
      this.#parts.link.send({
        ...{ bytes, isChecksumBlank: true },
        ...(isLong ? { segmentSize: size } : {}),
      });
    });
  }

  #nextIdentification(): number {
    this.#identification = (this.#identification + 1) & 0xffff;
    return this.#identification;
  }

  /** Asks where a guest is, unless it has said so. */
  #whenMet(address: Ipv4Address, send: (mac: Uint8Array) => void): void {
    const mac = this.#stations.get(address);
    if (mac !== undefined) {
      send(mac);
      return;
    }
    if (!isInside(address)) return;
    const waiting = this.#waiting.get(address) ?? [];
    if (waiting.length < mostWaiting) waiting.push(send);
    this.#waiting.set(address, waiting);
    const request = { operation: ARP_OPERATION.REQUEST, senderMac: gatewayMac };
    this.#parts.link.send({ bytes: writeArp({ ...request, sender: gateway, target: address }) });
  }
}

const isInside = (address: Ipv4Address): boolean => ((address ^ gateway) & mask) === 0;
const isLoopback = (address: Ipv4Address): boolean =>
  address >>> 24 === 127 || address >>> 24 === 0;
/** Multicast, reserved and broadcast addresses, our network's among them. */
const isMany = (address: Ipv4Address): boolean =>
  address >>> 28 >= 0xe || (isInside(address) && (address & 0xff) === 0xff);

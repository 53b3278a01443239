/** A DHCP server (RFC 2131, options of RFC 2132) for one small network: each station has its address for good. */
import { type Ipv4Address, macText } from './addresses.ts';

export const DHCP_PORT = { SERVER: 67, CLIENT: 68 } as const;

const MESSAGE = {
  DISCOVER: 1,
  OFFER: 2,
  REQUEST: 3,
  ACK: 5,
  NAK: 6,
  INFORM: 8,
} as const;
const OPTION = {
  ...{
    PAD: 0,
    SUBNET_MASK: 1,
    ROUTER: 3,
    NAME_SERVER: 6,
    INTERFACE_MTU: 26,
    REQUESTED_ADDRESS: 50,
  },
  ...{ LEASE_TIME: 51, MESSAGE_TYPE: 53, SERVER: 54, BOOT_FILE: 67, END: 255 },
} as const;

const BOOTREQUEST = 1;
const BOOTREPLY = 2;
const magic = 0x6382_5363;
/** Of op to file; the options follow the magic number behind it. */
const fixedLength = 236;
const day = 86_400;

export interface DhcpParts {
  readonly server: Ipv4Address;
  readonly nameServer: Ipv4Address;
  readonly mask: Ipv4Address;
  /** The first station's address; the next one's is one more. */
  readonly first: Ipv4Address;
  readonly most: number;
  readonly mtu: number;
  /** What a station is to boot by TFTP. */
  readonly bootFile?: string | undefined;
}

export interface DhcpReply {
  readonly to: Ipv4Address;
  readonly data: Uint8Array;
}

export class DhcpServer {
  readonly #parts: DhcpParts;
  readonly #leases = new Map<string, Ipv4Address>();

  constructor(parts: DhcpParts) {
    this.#parts = parts;
  }

  /** Undefined where nothing is to be said: no request, or no address left. */
  answer(data: Uint8Array): DhcpReply | undefined {
    if (data.length < fixedLength + 4) return undefined;
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    if (view.getUint8(0) !== BOOTREQUEST || view.getUint32(fixedLength) !== magic) return undefined;
    const options = readOptions(data.subarray(fixedLength + 4));
    const mac = data.slice(28, 34);
    const asked = number(options.get(OPTION.REQUESTED_ADDRESS)) ?? view.getUint32(12);
    const lease = this.#leaseOf(mac);
    if (lease === undefined) return undefined;
    switch (options.get(OPTION.MESSAGE_TYPE)?.[0]) {
      case MESSAGE.DISCOVER:
        return { to: lease, data: this.#reply(data, lease, MESSAGE.OFFER) };
      case MESSAGE.REQUEST:
        return this.#acknowledge(data, lease, asked, number(options.get(OPTION.SERVER)));
      case MESSAGE.INFORM:
        return { to: view.getUint32(12), data: this.#reply(data, 0, MESSAGE.ACK) };
      default:
        return undefined;
    }
  }

  #acknowledge(
    request: Uint8Array,
    lease: Ipv4Address,
    asked: Ipv4Address,
    server: Ipv4Address | undefined,
  ): DhcpReply | undefined {
    if (server !== undefined && server !== this.#parts.server) return undefined;
    if (asked === lease) return { to: lease, data: this.#reply(request, lease, MESSAGE.ACK) };
    return { to: everybody, data: this.#reply(request, 0, MESSAGE.NAK) };
  }

  #leaseOf(mac: Uint8Array): Ipv4Address | undefined {
    const key = macText(mac);
    const known = this.#leases.get(key);
    if (known !== undefined) return known;
    if (this.#leases.size >= this.#parts.most) return undefined;
    const lease = this.#parts.first + this.#leases.size;
    this.#leases.set(key, lease);
    return lease;
  }

  #reply(request: Uint8Array, lease: Ipv4Address, type: number): Uint8Array {
    const { server } = this.#parts;
    const fixed = new Uint8Array(fixedLength + 4);
    // Transaction, flags, the relay's and the client's addresses are the request's.
    fixed.set(request.subarray(0, fixedLength));
    fixed.fill(0, 44);
    const view = new DataView(fixed.buffer);
    view.setUint8(0, BOOTREPLY);
    view.setUint32(16, lease);
    view.setUint32(20, type === MESSAGE.NAK ? 0 : server);
    view.setUint32(fixedLength, magic);
    const options = [
      ...[OPTION.MESSAGE_TYPE, 1, type],
      ...address(OPTION.SERVER, server),
      ...(type === MESSAGE.NAK ? [] : this.#network(lease !== 0)),
      OPTION.END,
    ];
    // BOOTP's clients want 300 bytes.
    const reply = new Uint8Array(Math.max(300, fixed.length + options.length));
    reply.set(fixed);
    reply.set(options, fixed.length);
    return reply;
  }

  #network(isLease: boolean): number[] {
    const { server, nameServer, mask, mtu, bootFile } = this.#parts;
    return [
      ...(isLease ? address(OPTION.LEASE_TIME, day) : []),
      ...address(OPTION.SUBNET_MASK, mask),
      ...address(OPTION.ROUTER, server),
      ...address(OPTION.NAME_SERVER, nameServer),
      ...[OPTION.INTERFACE_MTU, 2, mtu >> 8, mtu & 0xff],
      ...(bootFile === undefined ? [] : text(OPTION.BOOT_FILE, bootFile)),
    ];
  }
}

const everybody = 0xffff_ffff;

const address = (option: number, value: number): number[] => [
  ...[option, 4],
  ...[24, 16, 8, 0].map((shift) => (value >>> shift) & 0xff),
];

const text = (option: number, value: string): number[] => {
  const bytes = new TextEncoder().encode(value).subarray(0, 255);
  return [option, bytes.length, ...bytes];
};

function readOptions(bytes: Uint8Array): Map<number, Uint8Array> {
  const options = new Map<number, Uint8Array>();
  for (let at = 0; at < bytes.length; ) {
    const option = bytes[at] ?? OPTION.END;
    if (option === OPTION.END) break;
    if (option === OPTION.PAD) {
      at++;
      continue;
    }
    const length = bytes[at + 1] ?? 0;
    options.set(option, bytes.subarray(at + 2, at + 2 + length));
    at += 2 + length;
  }
  return options;
}

const number = (bytes: Uint8Array | undefined): number | undefined =>
  bytes?.length === 4 ? new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0) : undefined;

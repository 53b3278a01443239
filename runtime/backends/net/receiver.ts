/** What a guest receives (xen/io/netif.h): frames go into the pages that its receive ring names, and wait while it names none. */
import {
  NETRXF,
  netif_extra_info,
  netif_rx_request,
  netif_rx_response,
  XEN_NETIF_EXTRA_TYPE,
  XEN_NETIF_GSO_TYPE,
} from '../../abi/io/netif.ts';
import type { GrantedMemory } from '../../domain/granted-memory.ts';
import { XenError } from '../../errors.ts';
import { type MachineMemory, pageSize } from '../../memory/machine-memory.ts';
import type { Frame } from '../../network/frame.ts';
import { ETHERTYPE } from '../../network/ipv4.ts';
import { complete } from '../../network/offload.ts';
import { BackRing } from '../ring.ts';

/** Bytes that wait for room; what comes then is lost, as on a wire. */
const mostWaiting = 4 * 2 ** 20;

const requestLayout = netif_rx_request.layout(64);
const responseLayout = netif_rx_response.layout(64);
const extraLayout = netif_extra_info.layout(64);

/** What the front-end said it can take. */
export interface ReceiverFeatures {
  /** A frame in several pages. */
  readonly scatters: boolean;
  /** TCP segments for it to cut, and their checksums to fill in. */
  readonly segments: { readonly 4: boolean; readonly 6: boolean };
  readonly checksums: { readonly 4: boolean; readonly 6: boolean };
}

export interface ReceiverParts {
  readonly memory: MachineMemory;
  readonly granted: GrantedMemory;
  /** Host offset of the ring's page. */
  readonly page: number;
  readonly features: ReceiverFeatures;
}

interface Room {
  readonly id: number;
  readonly gref: number;
}

export class Receiver {
  readonly #parts: ReceiverParts;
  readonly #ring: BackRing;
  readonly #request = new Uint8Array(requestLayout.size);
  readonly #response = new Uint8Array(responseLayout.size);
  /** Pages that are taken off the ring. */
  readonly #rooms: Room[] = [];
  #waiting: Frame[] = [];
  #waitingBytes = 0;

  constructor(parts: ReceiverParts) {
    const { memory, page } = parts;
    this.#parts = parts;
    const entrySize = Math.max(requestLayout.size, responseLayout.size);
    this.#ring = new BackRing({ memory, pages: [page], entrySize });
  }

  /** A frame for the guest; `fill` brings it there. It is lost where nobody has taken those before it. */
  add(frame: Frame): void {
    for (const part of this.#suitable(frame)) {
      if (this.#waitingBytes + part.bytes.length > mostWaiting) continue;
      this.#waiting.push(part);
      this.#waitingBytes += part.bytes.length;
    }
  }

  /** As many frames as there is room for; whether the front-end wants to hear of it. */
  fill(): boolean {
    let done = 0;
    for (const frame of this.#waiting) {
      if (!this.#hasRoom(slotsOf(frame))) break;
      this.#write(frame);
      this.#waitingBytes -= frame.bytes.length;
      done++;
    }
    if (done > 0) this.#waiting = this.#waiting.slice(done);
    return this.#ring.push();
  }

  /** The frame as the front-end takes it, or in parts. */
  #suitable(frame: Frame): readonly Frame[] {
    const { scatters, segments, checksums } = this.#parts.features;
    const { bytes, segmentSize, isChecksumBlank } = frame;
    const fits = scatters || bytes.length <= pageSize;
    const version = versionOf(bytes);
    const takesSegments = segmentSize === undefined || segments[version];
    const takesChecksum = isChecksumBlank !== true || checksums[version];
    if (fits && takesSegments && takesChecksum) return [frame];
    return complete(frame).map((part) => ({ bytes: part }));
  }

  #hasRoom(slots: number): boolean {
    while (this.#rooms.length < slots) {
      if (this.#ring.take(this.#request)) {
        const { id, gref } = requestLayout.at(this.#request, 0);
        this.#rooms.push({ id, gref });
      } else if (!this.#ring.finalCheck()) return false;
    }
    return true;
  }

  #write({ bytes, isChecksumBlank = false, segmentSize }: Frame): void {
    const first =
      (isChecksumBlank ? NETRXF.csum_blank | NETRXF.data_validated : 0) |
      (segmentSize === undefined ? 0 : NETRXF.extra_info);
    for (let at = 0; at < bytes.length; at += pageSize) {
      const part = bytes.subarray(at, at + pageSize);
      const more = at + pageSize < bytes.length ? NETRXF.more_data : 0;
      this.#writeSlot(part, more | (at === 0 ? first : 0));
      if (at === 0 && segmentSize !== undefined) this.#writeExtra(bytes, segmentSize);
    }
  }

  /** A page that is not what it was said to be costs its frame, no more. */
  #writeSlot(part: Uint8Array, flags: number): void {
    const { id, gref } = this.#rooms.shift() ?? noRoom;
    let status = part.length;
    try {
      const { memory, granted } = this.#parts;
      const mapping = granted.map(gref, 'write');
      memory.willWrite(mapping.host, part.length);
      memory.bytes().set(part, mapping.host);
      mapping.unmap();
    } catch (error) {
      if (!(error instanceof XenError)) throw error;
      status = -1;
    }
    Object.assign(responseLayout.at(this.#response, 0), { id, offset: 0, flags, status });
    this.#ring.put(this.#response);
  }

  #writeExtra(bytes: Uint8Array, size: number): void {
    this.#rooms.shift();
    const type = XEN_NETIF_GSO_TYPE[versionOf(bytes) === 4 ? 'TCPV4' : 'TCPV6'];
    const extra = { type: XEN_NETIF_EXTRA_TYPE.GSO, flags: 0 };
    Object.assign(extraLayout.at(this.#response, 0), extra);
    Object.assign(extraLayout.at(this.#response, 0).u, { size, type, pad: 0, features: 0 });
    this.#ring.put(this.#response);
  }
}

const noRoom: Room = { id: 0, gref: 0 };

const slotsOf = ({ bytes, segmentSize }: Frame): number =>
  Math.ceil(bytes.length / pageSize) + Number(segmentSize !== undefined);

const versionOf = (bytes: Uint8Array): 4 | 6 =>
  (((bytes[12] ?? 0) << 8) | (bytes[13] ?? 0)) === ETHERTYPE.IPV6 ? 6 : 4;

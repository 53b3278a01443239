/**
 * What a guest sends (xen/io/netif.h): slots of its transmit ring become frames. A frame is one slot, extra information
 * where a flag says so, and further slots as long as each says that there is more.
 */
import {
  NETIF_RSP,
  NETTXF,
  netif_extra_info,
  netif_tx_request,
  netif_tx_response,
  XEN_NETIF_EXTRA_FLAG_MORE,
  XEN_NETIF_EXTRA_TYPE,
  XEN_NETIF_GSO_TYPE,
} from '../../abi/io/netif.ts';
import type { GrantedMemory } from '../../domain/granted-memory.ts';
import { XenError } from '../../errors.ts';
import { type MachineMemory, pageSize } from '../../memory/machine-memory.ts';
import { ethernetHeader, type Frame } from '../../network/frame.ts';
import { BackRing } from '../ring.ts';

/** XEN_NETIF_NR_SLOTS_MIN is 18; Linux's back-end takes two more before it gives a front-end up. */
const mostSlots = 20;
const mostExtras = 4;

const requestLayout = netif_tx_request.layout(64);
const extraLayout = netif_extra_info.layout(64);
const responseLayout = netif_tx_response.layout(64);

export interface TransmitterParts {
  readonly memory: MachineMemory;
  readonly granted: GrantedMemory;
  /** Host offset of the ring's page. */
  readonly page: number;
  send(frame: Frame): void;
}

interface Slot {
  readonly gref: number;
  readonly offset: number;
  readonly flags: number;
  readonly id: number;
  readonly size: number;
}

interface Taken {
  readonly slots: readonly Slot[];
  /** Slots that hold extra information, which are answered, too. */
  readonly extras: number;
  readonly segmentSize: number | undefined;
}

export class Transmitter {
  readonly #parts: TransmitterParts;
  readonly #ring: BackRing;
  readonly #entry = new Uint8Array(requestLayout.size);
  readonly #response = new Uint8Array(responseLayout.size);

  constructor(parts: TransmitterParts) {
    const { memory, page } = parts;
    this.#parts = parts;
    this.#ring = new BackRing({ memory, pages: [page], entrySize: requestLayout.size });
  }

  /** Takes one frame; false where there is none, and the front-end will tell of the next. */
  takeOne(): boolean {
    while (!this.#ring.take(this.#entry)) if (!this.#ring.finalCheck()) return false;
    const taken = this.#takeRest(this.#slot());
    const status = this.#deliver(taken);
    for (const [n, { id }] of taken.slots.entries()) {
      this.#answer(id, status);
      for (let extra = 0; n === 0 && extra < taken.extras; extra++) this.#answer(0, NETIF_RSP.NULL);
    }
    return true;
  }

  /** Whether the front-end wants to hear of what was answered. */
  push(): boolean {
    return this.#ring.push();
  }

  #slot(): Slot {
    const { gref, offset, flags, id, size } = requestLayout.at(this.#entry, 0);
    return { gref, offset, flags, id, size };
  }

  #takeRest(first: Slot): Taken {
    const slots = [first];
    let extras = 0;
    let segmentSize: number | undefined;
    for (let more = (first.flags & NETTXF.extra_info) !== 0; more; extras++) {
      if (extras === mostExtras) throw new XenError('EINVAL', `more than ${mostExtras} extras`);
      this.#takeNext('extra information');
      const extra = extraLayout.at(this.#entry, 0);
      more = (extra.flags & XEN_NETIF_EXTRA_FLAG_MORE) !== 0;
      if (extra.type === XEN_NETIF_EXTRA_TYPE.GSO) segmentSize = segmentSizeOf(extra.u);
    }
    for (let last = first; (last.flags & NETTXF.more_data) !== 0; slots.push(last)) {
      if (slots.length === mostSlots)
        throw new XenError('EINVAL', `a frame of more than ${mostSlots} slots`);
      this.#takeNext('the rest of a frame');
      last = this.#slot();
    }
    return { slots, extras, segmentSize };
  }

  /** A frame is put into the ring as a whole before it is told of. */
  #takeNext(what: string): void {
    if (!this.#ring.take(this.#entry)) throw new XenError('EINVAL', `${what} is missing`);
  }

  #deliver({ slots, segmentSize }: Taken): number {
    const [first] = slots;
    if (first === undefined) return NETIF_RSP.ERROR;
    try {
      const bytes = this.#gather(first, slots);
      const isChecksumBlank = (first.flags & NETTXF.csum_blank) !== 0;
      this.#parts.send({
        bytes,
        ...(isChecksumBlank || segmentSize !== undefined ? { isChecksumBlank: true } : {}),
        ...(segmentSize === undefined ? {} : { segmentSize }),
      });
      return NETIF_RSP.OKAY;
    } catch (error) {
      if (!(error instanceof XenError)) throw error;
      return NETIF_RSP.ERROR;
    }
  }

  #gather(first: Slot, slots: readonly Slot[]): Uint8Array {
    const rest = slots.slice(1).reduce((sum, { size }) => sum + size, 0);
    if (first.size < ethernetHeader || first.size < rest)
      throw new XenError('EINVAL', `a frame of ${first.size} bytes, ${rest} in later slots`);
    const bytes = new Uint8Array(first.size);
    let at = 0;
    for (const [n, slot] of slots.entries()) {
      const length = n === 0 ? first.size - rest : slot.size;
      this.#copy(slot, bytes.subarray(at, at + length));
      at += length;
    }
    return bytes;
  }

  #copy({ gref, offset }: Slot, to: Uint8Array): void {
    if (offset + to.length > pageSize)
      throw new XenError('EINVAL', `${to.length} bytes at ${offset} leave their page`);
    const { memory, granted } = this.#parts;
    const mapping = granted.map(gref, 'read');
    const from = mapping.host + offset;
    to.set(memory.bytes().subarray(from, from + to.length));
    mapping.unmap();
  }

  #answer(id: number, status: number): void {
    Object.assign(responseLayout.at(this.#response, 0), { id, status });
    this.#ring.put(this.#response);
  }
}

function segmentSizeOf({ type, size }: { readonly type: number; readonly size: number }): number {
  const isKnown = type === XEN_NETIF_GSO_TYPE.TCPV4 || type === XEN_NETIF_GSO_TYPE.TCPV6;
  if (!isKnown || size === 0)
    throw new XenError('EINVAL', `segments of type ${type}, size ${size}`);
  return size;
}

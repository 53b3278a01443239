/** The guest's half of a block device: a ring in granted pages, requests written into it and responses read from it. */
import {
  BLKIF_OP,
  blkif_request,
  blkif_request_discard,
  blkif_request_indirect,
  blkif_request_segment,
  blkif_response,
} from '../../runtime/abi/io/blkif.ts';
import { sring } from '../../runtime/abi/io/ring.ts';
import {
  BlockBackend,
  type BlockBackendParts,
} from '../../runtime/backends/block/block-backend.ts';
import type { Disk } from '../../runtime/backends/block/disk.ts';
import { protocols } from '../../runtime/backends/block/protocol.ts';
import { type Clock, systemClock } from '../../runtime/domain/clock.ts';
import type { Width } from '../../runtime/memory/layout.ts';
import { MachineMemory, pageSize } from '../../runtime/memory/machine-memory.ts';
import { FakeEventPort } from './fake-event-port.ts';
import { FakeGrants } from './fake-grants.ts';

export interface Segment {
  readonly gref: number;
  readonly first_sect: number;
  readonly last_sect: number;
}

export interface Response {
  readonly id: bigint;
  readonly operation: number;
  readonly status: number;
}

/** No test depends on how long requests take. */
const stillClock: Clock = { ...systemClock(), monotonic: () => 0n };

const segmentsInPage = 512;

export class BlockFrontEnd {
  readonly memory = new MachineMemory();
  readonly grants = new FakeGrants(this.memory);
  readonly port = new FakeEventPort();
  readonly backend: BlockBackend;
  readonly width: Width;
  /** Entries. */
  readonly size: number;
  readonly pages: readonly number[];
  /** The grants of the ring's pages. */
  readonly references: readonly number[];
  /** What the back-end says of a ring that it gave up. */
  broken: string | undefined;
  /** The next request's index, and the next response's. */
  produced = 0;
  consumed = 0;

  constructor(
    disk: Disk,
    options: {
      readonly width?: Width;
      readonly ringPages?: number;
    } & Partial<BlockBackendParts> = {},
  ) {
    const { width = 64, ringPages: count = 1, ...parts } = options;
    this.width = width;
    const ring = Array.from({ length: count }, () => this.grants.page());
    this.pages = ring.map(({ host }) => host);
    this.references = ring.map(({ gref }) => gref);
    const protocol = protocols[`x86_${width}-abi`];
    if (protocol === undefined) throw new Error(`no protocol of ${width} bits`);
    const room = (count * pageSize - 64) / protocol.requestSize;
    this.size = 2 ** Math.floor(Math.log2(room));
    this.setIndex('req_event', 1);
    this.setIndex('rsp_event', 1);
    this.backend = new BlockBackend({
      ...{ name: 'xvda', memory: this.memory, granted: this.grants, port: this.port, disk },
      ...{ pages: this.pages, protocol, isPersistent: false, clock: stillClock },
      discards: disk.discardGranularity > 0,
      onBroken: (reason) => {
        this.broken = reason;
      },
      ...parts,
    });
  }

  index(name: 'req_prod' | 'req_event' | 'rsp_prod' | 'rsp_event'): number {
    return this.memory.view().getUint32(this.#head(name), true);
  }

  setIndex(name: 'req_prod' | 'req_event' | 'rsp_prod' | 'rsp_event', value: number): void {
    this.memory.view().setUint32(this.#head(name), value, true);
  }

  #head(name: 'req_prod' | 'req_event' | 'rsp_prod' | 'rsp_event'): number {
    return (this.pages[0] ?? 0) + sring.layout(64).offsets[name];
  }

  /** Segments that are granted pages, whole. */
  whole(pages: readonly { readonly gref: number }[]): Segment[] {
    return pages.map(({ gref }) => ({ gref, first_sect: 0, last_sect: 7 }));
  }

  queue(operation: number, id: bigint, sector: number, seg: readonly Segment[] = []): void {
    const bytes = new Uint8Array(blkif_request.size(this.width));
    const request = blkif_request.layout(this.width).at(bytes, 0);
    Object.assign(request, {
      ...{ operation, id, seg, nr_segments: seg.length, sector_number: BigInt(sector) },
    });
    this.queueBytes(bytes);
  }

  queueDiscard(id: bigint, sector: number, sectors: number, flag = 0): void {
    const bytes = new Uint8Array(blkif_request.size(this.width));
    Object.assign(blkif_request_discard.layout(this.width).at(bytes, 0), {
      ...{ operation: BLKIF_OP.DISCARD, flag, id, sector_number: BigInt(sector) },
      nr_sectors: BigInt(sectors),
    });
    this.queueBytes(bytes);
  }

  /** With pages of its own for the segments. */
  queueIndirect(
    indirect_op: number,
    id: bigint,
    sector: number,
    segments: readonly Segment[],
  ): void {
    const bytes = new Uint8Array(blkif_request.size(this.width));
    const pages = Array.from({ length: Math.ceil(segments.length / segmentsInPage) }, () =>
      this.grants.page('read'),
    );
    for (const [n, segment] of segments.entries()) {
      const host = pages[Math.floor(n / segmentsInPage)]?.host ?? 0;
      const at = host + (n % segmentsInPage) * 8;
      Object.assign(blkif_request_segment.layout(64).at(this.memory, at), segment);
    }
    Object.assign(blkif_request_indirect.layout(this.width).at(bytes, 0), {
      ...{ operation: BLKIF_OP.INDIRECT, indirect_op, id, sector_number: BigInt(sector) },
      ...{ nr_segments: segments.length, indirect_grefs: pages.map(({ gref }) => gref) },
    });
    this.queueBytes(bytes);
  }

  queueBytes(bytes: Uint8Array): void {
    const start = this.#entry(this.produced);
    for (const [n, byte] of bytes.entries()) this.memory.bytes()[this.#place(start + n)] = byte;
    this.produced = (this.produced + 1) >>> 0;
  }

  /** RING_PUSH_REQUESTS_AND_CHECK_NOTIFY, and the notification. */
  push(): boolean {
    const before = this.index('req_prod');
    this.setIndex('req_prod', this.produced);
    const wanted = (this.produced - this.index('req_event')) >>> 0;
    const isWanted = wanted < (this.produced - before) >>> 0;
    if (isWanted) this.port.send();
    return isWanted;
  }

  /** The responses that are there, and asks to be told of the next. */
  take(): Response[] {
    const responses: Response[] = [];
    for (; this.consumed !== this.index('rsp_prod'); this.consumed = (this.consumed + 1) >>> 0) {
      const start = this.#entry(this.consumed);
      const { size } = blkif_response.layout(this.width);
      const bytes = Uint8Array.from({ length: size }, (_, n) => this.#byte(start + n));
      const { id, operation, status } = blkif_response.layout(this.width).at(bytes, 0);
      responses.push({ id, operation, status });
    }
    this.setIndex('rsp_event', (this.consumed + 1) >>> 0);
    return responses;
  }

  /** Waits until that many responses are there. */
  async answers(count: number): Promise<Response[]> {
    const responses = this.take();
    while (responses.length < count) {
      await new Promise((resolve) => setImmediate(resolve));
      responses.push(...this.take());
    }
    return responses;
  }

  #entry(index: number): number {
    return 64 + (index & (this.size - 1)) * blkif_request.size(this.width);
  }

  #byte(at: number): number {
    return this.memory.bytes()[this.#place(at)] ?? 0;
  }

  /** The host offset of a byte of the ring. */
  #place(at: number): number {
    return (this.pages[Math.floor(at / pageSize)] ?? 0) + (at % pageSize);
  }
}

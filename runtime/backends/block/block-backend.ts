/**
 * The blkif back-end (xen/io/blkif.h): takes requests off one front-end's ring and answers them. What a disk does at once is
 * done inside the guest's own event, so that a guest that waits by yielding finds the answer when its send returns.
 */
import { BLKIF_DISCARD_SECURE, BLKIF_RSP } from '../../abi/io/blkif.ts';
import type { Clock } from '../../domain/clock.ts';
import type { EventPort } from '../../domain/event-port.ts';
import type { GrantedMemory } from '../../domain/granted-memory.ts';
import { XenError } from '../../errors.ts';
import type { MachineMemory } from '../../memory/machine-memory.ts';
import type { Trace } from '../../trace.ts';
import { GrantCache } from '../grant-cache.ts';
import { BackRing } from '../ring.ts';
import { Service } from '../service.ts';
import type { Disk, Done } from './disk.ts';
import {
  type BlockRequest,
  decodeRequest,
  encodeResponse,
  type Protocol,
  type Segment,
} from './protocol.ts';
import { requestText } from './request-text.ts';
import {
  checkExtent,
  type Extent,
  indirectSegments,
  type TransferParts,
  transfer,
} from './transfer.ts';

/** Bytes under way to and from a disk that answers later; beyond it the ring waits. */
const mostUnderWay = 8 * 2 ** 20;
/** Grants kept for one front-end: as many as Linux's back-end keeps. */
const mostKept = 1056;

export interface BlockBackendParts {
  /** In traces. */
  readonly name: string;
  readonly memory: MachineMemory;
  readonly granted: GrantedMemory;
  readonly port: EventPort;
  readonly disk: Disk;
  /** Host offsets of the ring's pages, mapped for as long as this lives. */
  readonly pages: readonly number[];
  readonly protocol: Protocol;
  /** The front-end uses its grants again and again. */
  readonly isPersistent: boolean;
  /** Discarding is offered. */
  readonly discards: boolean;
  readonly clock: Clock;
  readonly trace?: Trace | undefined;
  /** The front-end counts what cannot be: its ring is not looked at any more. */
  onBroken(reason: string): void;
}

export class BlockBackend {
  readonly #parts: BlockBackendParts;
  readonly #ring: BackRing;
  readonly #grants: GrantCache;
  readonly #transfer: TransferParts;
  readonly #request: DataView<ArrayBuffer>;
  readonly #requestBytes: Uint8Array;
  readonly #response: DataView<ArrayBuffer>;
  readonly #service: Service;
  /** A barrier, or a flush behind writes under way: nothing is taken until it is done. */
  #isHeld = false;
  /** Requests that are answered later. */
  #later = 0;
  /** Of these, reads, writes and discards. */
  #moves = 0;
  #underWay = 0;
  #whenStill: (() => void)[] = [];

  constructor(parts: BlockBackendParts) {
    const { memory, granted, disk, pages, protocol } = parts;
    const { requestSize, responseSize } = protocol;
    this.#parts = parts;
    this.#ring = new BackRing({ memory, pages, entrySize: requestSize });
    this.#grants = new GrantCache(granted, parts.isPersistent ? mostKept : 0);
    this.#service = new Service({
      clock: parts.clock,
      step: () => this.#step(),
      finish: () => this.#push(),
      onBroken: parts.onBroken,
    });
    const isClosed = (): boolean => this.#service.isClosed;
    this.#transfer = { memory, granted: this.#grants, disk, isClosed };
    this.#request = new DataView(new ArrayBuffer(requestSize));
    this.#requestBytes = new Uint8Array(this.#request.buffer);
    this.#response = new DataView(new ArrayBuffer(responseSize));
    parts.port.listen(() => this.serve());
  }

  /** Takes what requests there are. */
  serve(): void {
    this.#service.serve();
  }

  /** Takes no more requests; resolves when none is under way and nothing of the guest's is mapped here. */
  async close(): Promise<void> {
    if (this.#service.isClosed) return;
    this.#service.close();
    this.#parts.port.close();
    while (this.#later > 0) await this.#stillness();
    this.#grants.close();
  }

  #step(): boolean {
    if (this.#isHeld || this.#underWay >= mostUnderWay) return false;
    if (!this.#ring.take(this.#requestBytes)) return this.#ring.finalCheck();
    this.#begin(decodeRequest(this.#parts.protocol, this.#request));
    return true;
  }

  #begin(request: BlockRequest): void {
    let done: Done;
    try {
      done = this.#perform(request);
    } catch (error) {
      this.#answer(request, error);
      return;
    }
    if (done === undefined) this.#answer(request, undefined);
    else void this.#answerLater(request, done);
  }

  async #answerLater(request: BlockRequest, done: Promise<void>): Promise<void> {
    this.#later++;
    let error: unknown;
    try {
      await done;
    } catch (reason) {
      error = reason;
    }
    this.#later--;
    if (this.#service.isOpen) this.#answer(request, error);
    this.#wakeStill();
    this.#service.finishSoon();
  }

  #push(): void {
    if (this.#ring.push()) this.#parts.port.notify();
  }

  #answer(request: BlockRequest, error: unknown): void {
    const { protocol, name, trace } = this.#parts;
    const status = statusOf(error);
    encodeResponse(protocol, this.#response, request, status);
    this.#ring.put(new Uint8Array(this.#response.buffer));
    trace?.({ kind: 'blk', text: requestText(name, request, status, error) });
  }

  #perform(request: BlockRequest): Done {
    switch (request.kind) {
      case 'READ':
        return this.#move('read', this.#extent(request));
      case 'WRITE':
        return this.#move('write', this.#extent(request));
      case 'FLUSH_DISKCACHE':
      case 'WRITE_BARRIER':
        return this.#commit(request);
      case 'INDIRECT':
        return this.#indirect(request);
      case 'DISCARD':
        return this.#discard(request);
      case 'unknown':
        throw new XenError('EOPNOTSUPP', 'no such operation');
    }
  }

  #extent({
    sector,
    count,
    segments,
  }: {
    readonly sector: number;
    readonly count: number;
    readonly segments: readonly Segment[];
  }): Extent {
    return checkExtent(this.#parts.disk, sector, count, segments);
  }

  #indirect({
    operation,
    sector,
    count,
    pages,
  }: Extract<BlockRequest, { kind: 'INDIRECT' }>): Done {
    const way = indirectWays[operation];
    if (way === undefined) throw new XenError('EINVAL', `an indirect operation ${operation}`);
    const segments = indirectSegments(this.#transfer, count, pages);
    return this.#move(way, this.#extent({ sector, count, segments }));
  }

  #discard({ sector, count, flag }: Extract<BlockRequest, { kind: 'DISCARD' }>): Done {
    const { disk, discards } = this.#parts;
    if (!discards) throw new XenError('EOPNOTSUPP', 'discarding is not offered');
    if ((flag & BLKIF_DISCARD_SECURE) !== 0)
      throw new XenError('EOPNOTSUPP', 'discarding for sure is not offered');
    return this.#moving(disk.discard(sector, count), 0);
  }

  #move(way: 'read' | 'write', extent: Extent): Done {
    return this.#moving(transfer(this.#transfer, way, extent), extent.bytes);
  }

  #moving(done: Done, bytes: number): Done {
    if (done === undefined) return undefined;
    this.#moves++;
    this.#underWay += bytes;
    return done.finally(() => {
      this.#moves--;
      this.#underWay -= bytes;
      this.#wakeStill();
    });
  }

  /** A flush, perhaps with data, which is then to be as safe as what was written before; Linux sends such for FUA. */
  #commit(request: Extract<BlockRequest, { segments: unknown }>): Done {
    const { disk } = this.#parts;
    const extent = request.count === 0 ? undefined : this.#extent(request);
    if (extent !== undefined && disk.isReadOnly)
      throw new XenError('EROFS', 'the disk is read-only');
    const isBarrier = request.kind === 'WRITE_BARRIER';
    if (!isBarrier && extent === undefined && this.#moves === 0) return disk.flush();
    return this.#inOrder(extent, isBarrier);
  }

  /** Behind all writes under way; behind a barrier nothing is taken until it is done. */
  async #inOrder(extent: Extent | undefined, isBarrier: boolean): Promise<void> {
    const { disk } = this.#parts;
    this.#isHeld = true;
    try {
      while (this.#moves > 0) await this.#stillness();
      if (!isBarrier) this.#release();
      await disk.flush();
      if (extent === undefined) return;
      await this.#move('write', extent);
      await disk.flush();
    } finally {
      if (isBarrier) this.#release();
    }
  }

  #release(): void {
    this.#isHeld = false;
    this.#service.finishSoon();
  }

  /** Resolves when something that was under way has ended. */
  #stillness(): Promise<void> {
    return new Promise((resolve) => this.#whenStill.push(resolve));
  }

  #wakeStill(): void {
    const waiting = this.#whenStill;
    this.#whenStill = [];
    for (const wake of waiting) wake();
  }
}

const indirectWays: Readonly<Record<number, 'read' | 'write'>> = { 0: 'read', 1: 'write' };

/** What is not the guest's or the disk's fault is ours, and shows its stack. */
function statusOf(error: unknown): number {
  if (error === undefined) return BLKIF_RSP.OKAY;
  if (!(error instanceof XenError)) throw error;
  return error.errno === 'EOPNOTSUPP' ? BLKIF_RSP.EOPNOTSUPP : BLKIF_RSP.ERROR;
}

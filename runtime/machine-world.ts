/** What all domains of one machine share: its memory, Xen's event channels and grants between them, and the store. */
import { type Clock, systemClock } from './domain/clock.ts';
import { MachineMemory, pageSize } from './memory/machine-memory.ts';
import type { Trace } from './trace.ts';
import { FrameTable } from './xen/frames.ts';
import { XenWorld } from './xen/xen-world.ts';
import { createDomainNodes, createHostNodes, type SharedPage } from './xenstore/domain-nodes.ts';
import { Xenstored } from './xenstore/xenstored.ts';

export interface WorldOptions {
  readonly clock?: Clock | undefined;
  /** Hears of the store's requests, and of what back-ends do with events and grants. */
  readonly trace?: Trace | undefined;
}

/** A domain as a toolstack writes it down. */
export interface WorldDomain {
  readonly name: string;
  /** Bytes. */
  readonly memory: number;
  readonly commandLine?: string | undefined;
  /** Where the guest's own kernel talks through rings. */
  readonly store?: SharedPage;
  readonly console?: SharedPage;
}

/** Of the last numbers some mean other things (DOMID_SELF and its kin). */
const highestDomid = 0x7fef;

export class MachineWorld {
  readonly clock: Clock;
  readonly frames: FrameTable;
  readonly memory: MachineMemory;
  readonly xen: XenWorld;
  readonly store: Xenstored;
  #lastDomid = 0;
  /** Domains whose memory waits for somebody who needs it. */
  #ended: number[] = [];
  #zeros: number | undefined;

  constructor({ clock = systemClock(), trace }: WorldOptions = {}) {
    this.clock = clock;
    this.memory = new MachineMemory();
    this.frames = new FrameTable(this.memory);
    this.xen = new XenWorld(this.frames, clock, trace);
    this.store = new Xenstored({ trace });
    const client = this.store.connect();
    createHostNodes(client);
    client.close();
  }

  /** Host offset of a page that is all zeros, and that nobody may write. */
  get zeros(): number {
    this.#zeros ??= this.memory.allocate(pageSize);
    return this.#zeros;
  }

  /** 1, 2, 3 …: a number is never given twice, so that nobody takes one domain for another. */
  takeDomid(): number {
    if (this.#lastDomid === highestDomid)
      throw new RangeError(`the machine has had ${highestDomid} domains`);
    for (const ended of this.#ended.splice(0)) this.frames.giveUpAll(ended);
    this.#lastDomid++;
    return this.#lastDomid;
  }

  /** Makes its nodes in the store; it may talk with the store once it is served. */
  describe(domid: number, domain: WorldDomain): void {
    const { name, memory, commandLine, store, console } = domain;
    this.store.addDomain(domid);
    const client = this.store.connect();
    createDomainNodes(client, {
      ...{ domid, name, vcpus: 1, kernel: name },
      ...(commandLine !== undefined && { commandLine }),
      uuid: `00000000-0000-0000-0000-${String(domid).padStart(12, '0')}`,
      memoryKiB: Math.floor(memory / 1024),
      startTime: Number(this.clock.realtime() / 1_000_000n) / 1000,
      ...(store && { store }),
      ...(console && { console }),
    });
    client.close();
  }

  /** It runs no more: what others share with it, they find closed. Its nodes stay for whoever looks why it ended. */
  end(domid: number): void {
    this.store.shutDown(domid);
    this.xen.leave(domid);
    this.#ended.push(domid);
  }
}

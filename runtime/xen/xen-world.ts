/**
 * What the domains of one machine have of each other: event channels, grants and time, with the host, where back-ends are, as
 * domain 0. A domain joins when it is built and leaves at its end.
 */
import { GNTTAB_RESERVED, GTF } from '../abi/grant-table.ts';
import { RUNSTATE } from '../abi/vcpu.ts';
import { DOMID } from '../abi/xen.ts';
import type { Clock } from '../domain/clock.ts';
import type { DomainEvents, PortBits } from '../domain/domain-events.ts';
import type { DomainGrants } from '../domain/domain-grants.ts';
import type { EventPorts } from '../domain/event-port.ts';
import type { GrantedMemory } from '../domain/granted-memory.ts';
import type { Trace } from '../trace.ts';
import type { DomainContext } from './domain-context.ts';
import type { EventPeer } from './events/channel.ts';
import { EventBits } from './events/event-bits.ts';
import { eventHypercalls } from './events/event-channel-op.ts';
import { EventChannels } from './events/event-channels.ts';
import { HostEvents } from './events/host-events.ts';
import type { FrameTable } from './frames.ts';
import { type GrantMapper, GrantMappings } from './grants/grant-mappings.ts';
import { GrantTable } from './grants/grant-table.ts';
import { grantTableOp } from './grants/grant-table-op.ts';
import { HostGrants } from './grants/host-grants.ts';
import { KernelGrants } from './grants/kernel-grants.ts';
import { hvmOp } from './hypercalls/hvm-op.ts';
import type { HypercallHandlers } from './hypercalls/hypercall.ts';
import { physdevOp } from './hypercalls/physdev-op.ts';
import { refusedHypercalls } from './hypercalls/refused-calls.ts';
import { xenVersion } from './hypercalls/xen-version.ts';
import { schedulerHypercalls } from './scheduler/sched-op.ts';
import { vcpuOp } from './scheduler/vcpu-op.ts';
import { SystemTime } from './time/system-time.ts';
import { VcpuTime } from './time/vcpu-time.ts';
import { VcpuTimers } from './time/vcpu-timers.ts';
import { tracedGrants, tracedPorts } from './trace/host-trace.ts';

/** What else of a domain is asked for. */
export interface DomainHooks {
  readonly mapper: GrantMapper;
  /** PHYSDEVOP_set_iopl. */
  readonly setIopl: (level: number) => void;
  /** VCPUOP_send_nmi. */
  readonly sendNmi: () => void;
}

/** A domain as its kernel and its back-ends need it. */
export interface DomainParts {
  readonly handlers: HypercallHandlers;
  readonly timers: readonly VcpuTimers[];
  readonly accounts: { readonly running: () => void; readonly waiting: () => void };
  readonly channels: EventChannels;
  readonly grants: GrantTable;
  readonly eventPorts: EventPorts;
  readonly grantedMemory: GrantedMemory;
  /** Back-ends hear now of the domain's events that they have not heard of yet; whether one has answered. */
  readonly tellHost: () => boolean;
}

/** What the tools give a domain before it runs. */
export interface ToolPages {
  readonly store: number;
  readonly console: number;
}

/** A domain whose kernel is in here, which needs neither hypercalls nor shared pages. */
export interface KernelParts {
  readonly events: DomainEvents;
  readonly grants: DomainGrants;
  readonly eventPorts: EventPorts;
  readonly grantedMemory: GrantedMemory;
}

interface Member {
  readonly channels: EventChannels<PortBits>;
  readonly grants: GrantTable;
  /** Lets go of what it has mapped of others'. */
  readonly unmapAll: () => void;
}

export class XenWorld {
  readonly time: SystemTime;
  readonly #frames: FrameTable;
  readonly #trace: Trace | undefined;
  readonly #hostEvents = new HostEvents();
  readonly #hostGrants: GrantTable;
  readonly #members = new Map<number, Member>();

  constructor(frames: FrameTable, clock: Clock, trace?: Trace) {
    this.#trace = trace;
    this.time = new SystemTime(clock);
    this.#frames = frames;
    this.#hostGrants = new GrantTable(0, frames);
  }

  join(context: DomainContext, { mapper, setIopl, sendNmi }: DomainHooks): DomainParts {
    const { id, width, memory, sharedInfo, vcpu } = context;
    const bits = new EventBits(memory, width, sharedInfo, vcpu);
    const peers = (domid: number): EventPeer | undefined => this.#eventPeer(domid);
    const channels = new EventChannels({
      ...{ domid: id, bits, peers },
      changed: () => context.changed.raise(),
    });
    const grants = new GrantTable(id, this.#frames);
    const mappings = new GrantMappings(id, (domid) => this.#grantPeer(domid), mapper);
    this.#members.set(id, { channels, grants, unmapAll: () => mappings.releaseAll() });

    const isThere = (domid: number): boolean => peers(domid) !== undefined;
    const vcpuTime = new VcpuTime(context, this.time);
    vcpuTime.updateWallClock();
    vcpuTime.update();
    const timers = new VcpuTimers(this.time, vcpu, (virq) => channels.sendVirq(virq));
    const grantPeers = (domid: number): GrantTable | undefined => this.#grantPeer(domid);
    return {
      handlers: {
        ...eventHypercalls(channels, peers),
        ...schedulerHypercalls({ channels, time: this.time, timers, isThere }),
        ...refusedHypercalls(isThere),
        vcpu_op: vcpuOp({ bits, vcpuTime, timers, sendNmi }),
        grant_table_op: grantTableOp({ table: grants, peers: grantPeers, mappings }),
        xen_version: xenVersion,
        physdev_op: physdevOp(setIopl),
        hvm_op: hvmOp(this.time, isThere),
      },
      timers: [timers],
      accounts: {
        running: () => vcpuTime.enter(RUNSTATE.running),
        waiting: () => vcpuTime.enter(RUNSTATE.blocked),
      },
      ...{ channels, grants },
      ...this.#toHost(id, channels, grants),
      tellHost: () => this.#hostEvents.tell(channels),
    };
  }

  #toHost(
    id: number,
    channels: EventPeer,
    grants: GrantTable,
  ): Pick<DomainParts, 'eventPorts' | 'grantedMemory'> {
    const eventPorts = this.#hostEvents.portsOf(channels);
    const grantedMemory = new HostGrants(grants, this.#frames);
    const trace = this.#trace;
    if (trace === undefined) return { eventPorts, grantedMemory };
    return {
      eventPorts: tracedPorts(eventPorts, id, trace),
      grantedMemory: tracedGrants(grantedMemory, id, trace),
    };
  }

  /** `bits` are where its kernel hears of events; `changed` says that there is one. */
  admit(id: number, bits: PortBits, changed: () => void): KernelParts {
    const peers = (domid: number): EventPeer | undefined => this.#eventPeer(domid);
    const channels = new EventChannels({ domid: id, bits, peers, changed });
    const table = new GrantTable(id, this.#frames);
    const grants = new KernelGrants(table, this.#frames, (domid) => this.#grantPeer(domid));
    this.#members.set(id, { channels, grants: table, unmapAll: () => grants.releaseAll() });
    return {
      ...{ events: channels, grants },
      ...this.#toHost(id, channels, table),
    };
  }

  isThere(domid: number): boolean {
    return this.#eventPeer(domid) !== undefined;
  }

  /** The ports and grants that the tools make: the ports' numbers are those that start_info names. */
  openTools({ channels, grants }: DomainParts, pages: ToolPages): ToolPages {
    grants.entries.writeEntry(GNTTAB_RESERVED.XENSTORE, GTF.permit_access, 0, pages.store);
    grants.entries.writeEntry(GNTTAB_RESERVED.CONSOLE, GTF.permit_access, 0, pages.console);
    const store = channels.allocateUnbound(0);
    return { store, console: channels.allocateUnbound(0) };
  }

  /** At a domain's end: what others share with it, they find closed. */
  leave(domid: number): void {
    const member = this.#members.get(domid);
    if (member === undefined) return;
    member.channels.reset();
    member.unmapAll();
    this.#members.delete(domid);
  }

  #eventPeer(domid: number): EventPeer | undefined {
    return domid === 0 ? this.#hostEvents : this.#members.get(domid)?.channels;
  }

  #grantPeer(domid: number): GrantTable | undefined {
    if (domid >= DOMID.FIRST_RESERVED) return undefined;
    return domid === 0 ? this.#hostGrants : this.#members.get(domid)?.grants;
  }
}

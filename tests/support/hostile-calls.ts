/** Hypercalls that nearly make sense: arguments that are a guest's own, others', Xen's and nobody's, at random. */
import { EVTCHNOP, evtchn_bind_interdomain } from '../../runtime/abi/event-channel.ts';
import {
  GNTTABOP,
  gnttab_copy,
  gnttab_map_grant_ref,
  gnttab_setup_table,
  gnttab_transfer,
  gnttab_unmap_and_replace,
  gnttab_unmap_grant_ref,
} from '../../runtime/abi/grant-table.ts';
import { XENMEM, xen_memory_exchange, xen_memory_reservation } from '../../runtime/abi/memory.ts';
import {
  DOMID,
  HYPERCALLS,
  HYPERVISOR_VIRT_START,
  type HypercallName,
  MMUEXT,
  mmu_update,
  mmuext_op,
  multicall_entry,
} from '../../runtime/abi/xen.ts';
import { type FieldType, pointer, type Struct, struct } from '../../runtime/memory/layout.ts';
import type { Random } from './random.ts';
import { attackerId, victimId, type XenMachine } from './xen-machine.ts';

type Fields = Readonly<Record<string, FieldType<unknown, never>>>;
type Values = Readonly<Record<string, unknown>>;

export interface HostileCall {
  readonly name: HypercallName | number;
  readonly args: readonly bigint[];
}

/** Pseudo-physical pages that structs are written to: at addresses and in frames that the guest begins with. */
const firstScratch = 300;
const scratchPages = 8;
/** Pages that requests are about, most of them. */
const firstSubject = 340;
const subjects = 60;

export class HostileCalls {
  readonly #machine: XenMachine;
  readonly #r: Random;
  /** References of the victim's that grant something to the attacker. */
  readonly #granted: number;

  constructor(machine: XenMachine, r: Random, granted: number) {
    this.#machine = machine;
    this.#r = r;
    this.#granted = granted;
  }

  next(): HostileCall {
    const { below } = this.#r;
    const make = this.#pick(kinds);
    const call = make(this);
    if (below(12) > 0) return call;
    const args = [...call.args];
    args[below(args.length)] = this.word();
    return { ...call, args };
  }

  #pick<T>(of: readonly T[]): T {
    const found = of[this.#r.below(of.length)];
    if (found === undefined) throw new RangeError('nothing to pick from');
    return found;
  }

  pick = <T>(of: readonly T[]): T => this.#pick(of);

  below(n: number): number {
    return this.#r.below(n);
  }

  /** A page of the guest's by its address, as it began. */
  address(): bigint {
    return BigInt(firstSubject + this.below(subjects)) * 4096n;
  }

  /** A machine frame: its own, one of its tables, the victim's, Xen's, or none. */
  frame(): bigint {
    const { attacker, victim, frames, width } = this.#machine;
    const { built } = attacker;
    const kind = this.below(16);
    const own = (pfn: number): number => built.frames[pfn] ?? 0;
    if (kind < 9) return BigInt(own(firstSubject + this.below(subjects)));
    if (kind < 12) return BigInt(own(this.pick(built.plan.tables).pfn));
    if (kind === 12) return BigInt(victim.built.frames[this.below(400)] ?? 0);
    if (kind === 13) return BigInt(this.pick([built.sharedInfo, victim.built.sharedInfo]));
    if (kind === 14) return BigInt(frames.frameOf(frames.m2p(width)) + this.below(4));
    return BigInt(this.pick([0, 1, frames.end, frames.end - 1, 0xffff_ffff, 0x10_0000]));
  }

  /** An entry of a page table. */
  entry(): bigint {
    const flags = this.pick([7n, 7n, 7n, 5n, 3n, 1n, 0n, 0x67n, 0x87n, 0x1e7n, 0xfffn]);
    const high = this.below(20) === 0 ? this.#r.bigint64() & (0xfffn << 52n) : 0n;
    return BigInt.asUintN(64, (this.frame() << 12n) | flags | high);
  }

  word(): bigint {
    const kind = this.below(10);
    if (kind < 3) return BigInt(this.below(40));
    if (kind === 3) return BigInt.asUintN(64, -BigInt(this.below(50)));
    if (kind === 4) return this.frame();
    if (kind === 5) return this.entry();
    if (kind === 6) return this.address() + BigInt(this.below(4096));
    if (kind === 7)
      return HYPERVISOR_VIRT_START[this.#machine.width] + BigInt(this.below(65536) * 8);
    if (kind === 8) return BigInt.asUintN(64, this.#r.bigint64());
    return 1n << BigInt(this.below(64));
  }

  count(): bigint {
    return this.below(30) === 0 ? this.word() : BigInt(this.below(5));
  }

  domain(): number {
    return this.pick([
      DOMID.SELF,
      DOMID.SELF,
      DOMID.SELF,
      0,
      1,
      victimId,
      3,
      DOMID.IO,
      0x7ff2,
      0xffff,
    ]);
  }

  reference(): number {
    const kind = this.below(10);
    if (kind < 7) return 8 + this.below(this.#granted + 2);
    return kind < 9 ? this.below(600) : this.#r.u32();
  }

  /** Structs one behind the other in a scratch page; their address. */
  list<F extends Fields>(type: Struct<F>, values: readonly Values[]): bigint {
    const { width, attacker, frames } = this.#machine;
    const { size, at } = type.layout(width);
    const pfn = firstScratch + this.below(scratchPages);
    const frame = attacker.built.frames[pfn] ?? 0;
    const host = frames.hostOf(frame) ?? 0;
    const offset = this.below(4) * 1024;
    // It may have been given back, and be the other's.
    if (frames.ownerOf(frame) !== attackerId) return BigInt(pfn * 4096 + offset);
    for (const [n, value] of values.entries()) {
      const bytes = new Uint8Array(size);
      Object.assign(at(bytes, 0), value);
      frames.memory.bytes().set(bytes, host + offset + n * size);
    }
    return BigInt(pfn * 4096 + offset);
  }

  /** As many as that, made one by one. */
  some(count: number, make: () => Values): readonly Values[] {
    return Array.from({ length: count }, make);
  }

  /** Guest words, such as the frames of an extent. */
  words(count: number, make: () => bigint): bigint {
    return this.list(
      guest_word,
      this.some(count, () => ({ word: BigInt.asUintN(this.#machine.width, make()) })),
    );
  }
}

const guest_word = struct('guest_word', { word: pointer });

type Kind = (c: HostileCalls) => HostileCall;

const mmuUpdate: Kind = (c) => {
  const count = 1 + c.below(4);
  const list = c.list(
    mmu_update,
    c.some(count, () => ({
      ptr: (c.frame() << 12n) | BigInt(c.below(512) * 8) | BigInt(c.below(8) ? 0 : c.below(8)),
      val: c.entry(),
    })),
  );
  const domain = c.below(8) ? DOMID.SELF : c.domain();
  return { name: 'mmu_update', args: [list, BigInt(count), 0n, BigInt(domain)] };
};

const likelyExtended = [
  ...[MMUEXT.PIN_L1_TABLE, MMUEXT.PIN_L2_TABLE, MMUEXT.PIN_L3_TABLE, MMUEXT.PIN_L4_TABLE],
  ...[MMUEXT.UNPIN_TABLE, MMUEXT.UNPIN_TABLE, MMUEXT.NEW_BASEPTR, MMUEXT.NEW_USER_BASEPTR],
  ...[MMUEXT.CLEAR_PAGE, MMUEXT.COPY_PAGE, MMUEXT.SET_LDT, MMUEXT.INVLPG_LOCAL],
];

const mmuExtended: Kind = (c) => {
  const count = 1 + c.below(3);
  const list = c.list(
    mmuext_op,
    c.some(count, () => ({
      cmd: c.below(6) ? c.pick(likelyExtended) : c.below(24),
      arg1: c.below(5) ? c.frame() : BigInt.asUintN(32, c.word()),
      arg2: c.below(3) ? c.frame() : BigInt.asUintN(32, c.word()),
    })),
  );
  return { name: 'mmuext_op', args: [list, BigInt(count), 0n, BigInt(c.domain())] };
};

const mapping: Kind = (c) => ({
  name: c.below(6) ? 'update_va_mapping' : 'update_va_mapping_otherdomain',
  args: [
    c.below(10) ? c.address() : c.word(),
    c.entry(),
    BigInt(c.below(3)),
    BigInt(c.below(3)),
    BigInt(c.domain()),
  ],
});

const reservations = [
  ...[XENMEM.decrease_reservation, XENMEM.increase_reservation, XENMEM.populate_physmap],
  XENMEM.decrease_reservation,
];

const memory: Kind = (c) => {
  const count = c.below(4);
  const reservation = (): Values => ({
    extent_start: c.words(count, () => (c.below(3) ? c.frame() : BigInt(c.below(1000)))),
    nr_extents: BigInt.asUintN(32, c.below(20) ? BigInt(count) : c.word()),
    extent_order: c.below(8) ? 0 : c.below(12),
    ...{ mem_flags: 0, domid: c.below(8) ? DOMID.SELF : c.domain() },
  });
  const kind = c.below(10);
  if (kind < 6)
    return {
      name: 'memory_op',
      args: [BigInt(c.pick(reservations)), c.list(xen_memory_reservation, [reservation()])],
    };
  if (kind < 8) {
    const exchange = { in: reservation(), out: reservation(), nr_exchanged: BigInt(c.below(2)) };
    return {
      name: 'memory_op',
      args: [BigInt(XENMEM.exchange), c.list(xen_memory_exchange, [exchange])],
    };
  }
  return { name: 'memory_op', args: [BigInt(c.below(64)), c.words(8, () => c.word())] };
};

interface GrantKind {
  readonly operation: number;
  /** Structs one behind the other, and where. */
  readonly list: (c: HostileCalls, count: number) => bigint;
}

const grantKind = <F extends Fields>(
  operation: number,
  type: Struct<F>,
  make: (c: HostileCalls) => Values,
): GrantKind => ({
  operation,
  list: (c, count) =>
    c.list(
      type,
      c.some(count, () => make(c)),
    ),
});

const copyEnd = (c: HostileCalls): Values => ({
  u: c.below(3) ? BigInt(c.reference()) : c.frame(),
  ...{ domid: c.below(3) ? victimId : c.domain(), offset: c.below(4) ? 0 : c.below(65536) },
});

const mapGrant = grantKind(GNTTABOP.map_grant_ref, gnttab_map_grant_ref, (c) => ({
  host_addr: c.below(4) ? c.address() : (c.frame() << 12n) | BigInt(c.below(512) * 8),
  ...{ flags: c.below(32), ref: c.reference(), dom: c.below(3) ? victimId : c.domain() },
}));

const copyGrant = grantKind(GNTTABOP.copy, gnttab_copy, (c) => ({
  ...{ source: copyEnd(c), dest: copyEnd(c), flags: c.below(4) },
  len: c.below(4) ? 64 : c.below(65536),
}));

const grantKinds: readonly GrantKind[] = [
  ...[mapGrant, mapGrant, copyGrant, copyGrant],
  grantKind(GNTTABOP.unmap_grant_ref, gnttab_unmap_grant_ref, (c) => ({
    ...{ host_addr: c.below(3) ? c.address() : 0n, dev_bus_addr: c.below(3) ? 0n : c.word() },
    handle: c.below(40),
  })),
  grantKind(GNTTABOP.unmap_and_replace, gnttab_unmap_and_replace, (c) => ({
    ...{ host_addr: c.address(), new_addr: c.address(), handle: c.below(40) },
  })),
  grantKind(GNTTABOP.transfer, gnttab_transfer, (c) => ({
    ...{ mfn: c.frame(), domid: c.domain(), ref: c.reference() },
  })),
];

/** Operations on the table as a whole. */
const setup = (operation: number): GrantKind =>
  grantKind(operation, gnttab_setup_table, (c) => ({
    ...{ dom: c.domain(), nr_frames: c.below(70), frame_list: c.address() },
  }));

const grant: Kind = (c) => {
  const count = 1 + c.below(2);
  const { operation, list } = c.below(8) ? c.pick(grantKinds) : setup(c.below(16));
  return { name: 'grant_table_op', args: [BigInt(operation), list(c, count), BigInt(count)] };
};

const events: Kind = (c) => ({
  name: c.below(8) ? 'event_channel_op' : 'event_channel_op_compat',
  args: [
    BigInt(c.below(8) ? c.below(8) : c.pick(Object.values(EVTCHNOP))),
    c.list(evtchn_bind_interdomain, [
      { remote_dom: c.below(2) ? c.domain() : c.below(9), remote_port: c.below(12), local_port: 0 },
    ]),
  ],
});

/** Any number with any arguments; only what ends or stops the guest is left out. */
const any: Kind = (c) => {
  const ends: readonly number[] = [
    HYPERCALLS.sched_op,
    HYPERCALLS.sched_op_compat,
    HYPERCALLS.iret,
  ];
  const number = c.below(45);
  const args = Array.from({ length: 5 }, () =>
    c.below(2) ? c.words(8, () => c.word()) : c.word(),
  );
  return { name: ends.includes(number) ? HYPERCALLS.xen_version : number, args };
};

const multicall: Kind = (c) => {
  const calls = Array.from({ length: 1 + c.below(5) }, () => c.pick(single)(c));
  const list = c.list(
    multicall_entry,
    calls.map(({ name, args }) => ({
      op: BigInt(typeof name === 'number' ? name : HYPERCALLS[name]),
      args: Array.from({ length: 6 }, (_, n) => BigInt.asUintN(32, args[n] ?? 0n)),
    })),
  );
  return { name: 'multicall', args: [list, BigInt(calls.length)] };
};

const single: readonly Kind[] = [
  mmuUpdate,
  mmuUpdate,
  mmuExtended,
  mapping,
  mapping,
  memory,
  grant,
  grant,
  events,
  any,
];
const kinds: readonly Kind[] = [
  ...single,
  ...single,
  multicall,
  (c) => ({
    name: 'multicall',
    args: [
      c.list(multicall_entry, [
        { op: BigInt(HYPERCALLS.multicall), args: [c.address(), 2n, 0n, 0n, 0n, 0n] },
      ]),
      c.count(),
    ],
  }),
];

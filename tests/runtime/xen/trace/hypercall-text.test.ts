/** Lines of a trace, as a person reads them. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { evtchn_alloc_unbound } from '../../../../runtime/abi/event-channel.ts';
import { GNTST, GNTTABOP, gnttab_map_grant_ref } from '../../../../runtime/abi/grant-table.ts';
import { XENMEM, xen_memory_reservation } from '../../../../runtime/abi/memory.ts';
import { SCHEDOP, SHUTDOWN, sched_shutdown } from '../../../../runtime/abi/sched.ts';
import {
  DOMID,
  HYPERCALLS,
  type HypercallName,
  MMUEXT,
  mmu_update,
  mmuext_op,
} from '../../../../runtime/abi/xen.ts';
import { XenError } from '../../../../runtime/errors.ts';
import type { Width } from '../../../../runtime/memory/layout.ts';
import type { TraceEvent } from '../../../../runtime/trace.ts';
import type { HypercallHandlers } from '../../../../runtime/xen/hypercalls/hypercall.ts';
import { HypercallTable } from '../../../../runtime/xen/hypercalls/hypercall-table.ts';
import type { AnyStruct } from '../../../../runtime/xen/trace/hypercall-arguments.ts';
import { hypercallArguments } from '../../../../runtime/xen/trace/hypercall-arguments.ts';
import { testDomain } from '../../../support/xen-domain.ts';

const lines = suite('runtime/xen/trace/hypercall-text');

function scene(handlers: HypercallHandlers, width: Width = 64) {
  const { domain, address } = testDomain(width);
  const heard: TraceEvent[] = [];
  const table = new HypercallTable(domain, handlers, (event) => heard.push(event));
  const put = (struct: AnyStruct, ...values: readonly object[]): bigint => {
    const { size, at } = struct.layout(width);
    for (const [n, value] of values.entries()) {
      const bytes = new Uint8Array(size);
      Object.assign(at(bytes, 0), value);
      domain.guest.writeBytes(address + BigInt(n * size), bytes);
    }
    return address;
  };
  return { table, heard, put, domain, address, text: () => heard.map((event) => event.text) };
}

const answering = (result: number): { arguments: number; call: () => number } => ({
  arguments: 4,
  call: () => result,
});

lines('what Xen writes into a struct stands behind the result', () => {
  const { table, text, put } = scene({
    event_channel_op: {
      arguments: 2,
      call: ({ guest }, [, at = 0n]) => {
        guest.writeU32(at + 4n, 5);
        return 0;
      },
    },
  });

  table.call(HYPERCALLS.event_channel_op, [
    6n,
    put(evtchn_alloc_unbound, { dom: DOMID.SELF, remote_dom: 0 }),
  ]);

  assert.equal(text(), ['d1 event_channel_op.alloc_unbound {dom:SELF remote_dom:0} = 0 {port:5}']);
});

lines('a failure has its name and its reason, in the same line', () => {
  const { table, text, put } = scene({
    sched_op: {
      arguments: 2,
      call: () => {
        throw new XenError('EPERM', 'not now');
      },
    },
    xen_version: answering(-38),
  });

  table.call(HYPERCALLS.sched_op, [
    BigInt(SCHEDOP.shutdown),
    put(sched_shutdown, { reason: SHUTDOWN.reboot }),
  ]);
  table.call(HYPERCALLS.xen_version, [99n, 0n]);
  table.call(44, []);

  assert.equal(text(), [
    'd1 sched_op.shutdown {reason:reboot} = EPERM (not now)',
    'd1 xen_version.99 = ENOSYS',
    'd1 not one of Xen’s (44) = ENOSYS',
  ]);
});

lines('lists are shown by their first entries, with commands and flags by name', () => {
  const { table, text, put } = scene({
    ...{ mmu_update: answering(0), mmuext_op: answering(0), grant_table_op: answering(0) },
    memory_op: answering(1),
  });
  const entry = { ptr: 0x12_3008n, val: 0x45_6007n };

  const list = put(mmu_update, entry, ...Array.from({ length: 5 }, () => ({ ptr: 1n, val: 2n })));
  table.call(HYPERCALLS.mmu_update, [list, 1n, 0n, BigInt(DOMID.SELF)]);
  table.call(HYPERCALLS.mmu_update, [list, 6n, 0n, BigInt(DOMID.SELF)]);
  table.call(HYPERCALLS.mmuext_op, [
    put(mmuext_op, { cmd: MMUEXT.PIN_L4_TABLE, arg1: 0x1_0aa6n }),
    ...[1n, 0n, BigInt(DOMID.SELF)],
  ]);
  table.call(HYPERCALLS.grant_table_op, [
    BigInt(GNTTABOP.map_grant_ref),
    put(gnttab_map_grant_ref, { flags: 6, ref: 9, dom: 2, status: GNTST.bad_gntref }),
    1n,
  ]);
  table.call(HYPERCALLS.memory_op, [
    BigInt(XENMEM.decrease_reservation),
    put(xen_memory_reservation, { extent_start: 0x1000n, nr_extents: 1n, domid: DOMID.SELF }),
  ]);

  const more = '{MACHPHYS_UPDATE ptr:0 val:0x2}';
  assert.equal(text(), [
    'd1 mmu_update foreign:SELF {NORMAL_PT_UPDATE ptr:0x123008 val:0x456007} = 0',
    `d1 mmu_update foreign:SELF {NORMAL_PT_UPDATE ptr:0x123008 val:0x456007} ${more} ${more} ${more} … 6 in all = 0`,
    'd1 mmuext_op foreign:SELF {PIN_L4_TABLE arg1:0x10aa6} = 0',
    'd1 grant_table_op.map_grant_ref {host_addr:0 flags:host_map|readonly ref:9 dom:2 status:bad_gntref handle:0 dev_bus_addr:0} = 0',
    'd1 memory_op.decrease_reservation {extent_start:0x1000 nr_extents:1 extent_order:0 mem_flags:0 domid:SELF} = 1',
  ]);
});

lines('a pointer to nowhere is shown, and so are numbers by what they are', () => {
  const { table, text } = scene({
    ...{ event_channel_op: answering(-14), update_va_mapping: answering(0) },
    ...{ set_segment_base: answering(0), vm_assist: answering(0) },
  });

  table.call(HYPERCALLS.event_channel_op, [4n, 0xdead_0000n]);
  table.call(HYPERCALLS.update_va_mapping, [0x41_1000n, 0x14a6_b007n, 2n, 0n]);
  table.call(HYPERCALLS.set_segment_base, [2n, 0x7000_0000n]);
  table.call(HYPERCALLS.vm_assist, [0n, 4n]);

  assert.equal(text(), [
    'd1 event_channel_op.send at 0xdead0000 = EFAULT',
    'd1 update_va_mapping va:0x411000 val:0x14a6b007 flags:INVLPG = 0',
    'd1 set_segment_base.GS_KERNEL base:0x70000000 = 0',
    'd1 vm_assist.enable type:architectural_iopl = 0',
  ]);
});

lines('events and grants are heard by who asked for those alone', () => {
  const { table, heard } = scene({ event_channel_op: answering(0), grant_table_op: answering(0) });

  table.call(HYPERCALLS.event_channel_op, [4n, 0n]);
  table.call(HYPERCALLS.grant_table_op, [8n, 0n, 1n]);

  const kinds = heard.map((event) => (event.kind === 'hostCall' ? [] : [event.kind, event.also]));
  assert.equal(kinds, [
    ['hypercall', 'event'],
    ['hypercall', 'grant'],
  ]);
});

const names = (Object.keys(HYPERCALLS) as HypercallName[]).filter((name) =>
  Object.hasOwn(hypercallArguments, name),
);

/** All that a hypercall without sense says. */
function saidOf(name: HypercallName, width: Width): readonly string[] {
  const { table, text } = scene({ [name]: answering(0) }, width);
  for (let operation = 0n; operation < 40n; operation++)
    for (const argument of [0n, 0x1000_0000n, 0xffff_fff0n])
      table.call(HYPERCALLS[name], [operation, argument, argument, 1n, 0n]);
  return text();
}

for (const width of [64, 32] as const)
  lines(`${width}: whatever the arguments are, there is a line`, () => {
    for (const name of names.filter((one) => one !== 'multicall')) {
      const said = saidOf(name, width);

      assert.is(said.length, 120, name);
      for (const line of said) {
        assert.match(line, new RegExp(`^d1 ${name}[ .].*= 0( \\{.*\\})?$`));
        assert.not.match(line, /undefined|NaN|\[object/);
      }
    }
  });

lines.run();

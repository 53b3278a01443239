/** What each hypercall is given, for traces: names of its operations, what its arguments mean, and which structs they point at. */
import {
  EVTCHNOP,
  evtchn_alloc_unbound,
  evtchn_bind_interdomain,
  evtchn_bind_ipi,
  evtchn_bind_pirq,
  evtchn_bind_vcpu,
  evtchn_bind_virq,
  evtchn_close,
  evtchn_expand_array,
  evtchn_init_control,
  evtchn_reset,
  evtchn_send,
  evtchn_set_priority,
  evtchn_status,
  evtchn_unmask,
} from '../../abi/event-channel.ts';
import {
  GNTTABOP,
  gnttab_cache_flush,
  gnttab_copy,
  gnttab_get_status_frames,
  gnttab_get_version,
  gnttab_map_grant_ref,
  gnttab_query_size,
  gnttab_set_version,
  gnttab_setup_table,
  gnttab_swap_grant_ref,
  gnttab_transfer,
  gnttab_unmap_and_replace,
  gnttab_unmap_grant_ref,
} from '../../abi/grant-table.ts';
import {
  XENMEM,
  xen_machphys_mapping,
  xen_machphys_mfn_list,
  xen_memory_exchange,
  xen_memory_map,
  xen_memory_reservation,
} from '../../abi/memory.ts';
import {
  PHYSDEVOP,
  physdev_get_free_pirq,
  physdev_irq_status_query,
  physdev_set_iobitmap,
  physdev_set_iopl,
} from '../../abi/physdev.ts';
import {
  SCHEDOP,
  sched_pin_override,
  sched_poll,
  sched_remote_shutdown,
  sched_shutdown,
  sched_watchdog,
} from '../../abi/sched.ts';
import {
  VCPUOP,
  vcpu_get_physid,
  vcpu_register_runstate_memory_area,
  vcpu_register_time_memory_area,
  vcpu_register_vcpu_info,
  vcpu_runstate_info,
  vcpu_set_periodic_timer,
  vcpu_set_singleshot_timer,
} from '../../abi/vcpu.ts';
import { XENVER, xen_feature_info, xen_platform_parameters } from '../../abi/version.ts';
import {
  type HypercallName,
  MMU,
  MMUEXT,
  mmu_update,
  mmuext_op,
  SEGBASE,
  UVMF,
  VMASST,
} from '../../abi/xen.ts';
import type { Width } from '../../memory/layout.ts';
import { domid, fieldTexts, hex, named, number, type Show } from './values.ts';

/** Any struct, read from a copy. */
export interface AnyStruct {
  readonly name: string;
  layout(width: Width): { readonly size: number; at(source: Uint8Array, offset: number): object };
}

/** A struct, or several one behind the other, that an argument points at. */
export interface Pointed {
  readonly argument: number;
  readonly struct: AnyStruct;
  /** The argument that says how many; one, if not given. */
  readonly count?: number;
  /** How one is shown; by its fields, if not given. */
  readonly show?: (view: object) => string;
}

/** How a call is shown: its operation's name, the arguments that are numbers, and what others point at. */
export interface Arguments {
  readonly operation?: string;
  readonly values: readonly (readonly [name: string, argument: number, show: Show])[];
  readonly pointed?: Pointed;
}

type Describe = (args: readonly bigint[], width: Width) => Arguments;

const at = (args: readonly bigint[], n: number): bigint => args[n] ?? 0n;
const low = (value: bigint): bigint => BigInt.asUintN(32, value);

interface Multiplexed {
  readonly numbers: Readonly<Record<string, number>>;
  readonly structs: Readonly<Record<string, AnyStruct>>;
  /** Which argument points at the struct; the second, if not given. */
  readonly argument?: number;
  readonly count?: number;
  /** Bits of the first argument that are the operation's number. */
  readonly mask?: bigint;
  readonly values?: Arguments['values'];
}

/** Operations by number in the first argument. What has no struct shows its argument where that is not 0. */
const multiplexed =
  ({
    numbers,
    structs,
    argument = 1,
    count,
    mask = 0xffff_ffffn,
    values = [],
  }: Multiplexed): Describe =>
  (args) => {
    const operation = named(numbers)(at(args, 0) & mask);
    const struct = Object.hasOwn(structs, operation) ? structs[operation] : undefined;
    const isBare = struct === undefined || at(args, argument) === 0n;
    if (isBare && at(args, argument) === 0n) return { operation, values };
    if (struct === undefined) return { operation, values: [...values, ['arg', argument, hex]] };
    const pointed = { argument, struct, ...(count === undefined ? {} : { count }) };
    return { operation, values, pointed };
  };

const plain =
  (...values: Arguments['values']): Describe =>
  () => ({ values });

const fieldsOf = (struct: string, view: object): ReadonlyMap<string, string> =>
  new Map(fieldTexts(struct, view));

/** The command is in the lowest bits of the address. */
function updateText(view: object): string {
  const ptr = BigInt(Reflect.get(view, 'ptr'));
  const command = named(MMU)(ptr & 7n);
  return `{${command} ptr:${hex(ptr & ~7n)} val:${fieldsOf('mmu_update', view).get('val')}}`;
}

function extendedText(view: object): string {
  const [cmd, arg1, arg2] = ['cmd', 'arg1', 'arg2'].map((name) => BigInt(Reflect.get(view, name)));
  const more = arg2 === 0n ? '' : ` arg2:${hex(arg2 ?? 0n)}`;
  return `{${named(MMUEXT)(cmd ?? 0n)} arg1:${hex(arg1 ?? 0n)}${more}}`;
}

const listOf =
  (struct: AnyStruct, show: (view: object) => string): Describe =>
  () => ({
    values: [['foreign', 3, domid]],
    pointed: { argument: 0, struct, count: 1, show },
  });

const flushes = (value: bigint): string => {
  const { NONE, TLB_FLUSH, INVLPG } = UVMF;
  const kind = named({ NONE, TLB_FLUSH, INVLPG })(value & BigInt(UVMF.FLUSHTYPE_MASK));
  const isOfAll = (value & BigInt(UVMF.ALL)) !== 0n;
  return isOfAll ? `${kind}|ALL` : kind;
};

/** 32-bit guests give the entry in two registers. */
const mapping =
  (foreign: boolean): Describe =>
  (_, width) => {
    const last = width === 64 ? 2 : 3;
    return {
      values: [
        ['va', 0, hex],
        ['val', 1, hex],
        ...(width === 64 ? [] : ([['high', 2, hex]] as const)),
        ['flags', last, (value) => flushes(low(value))],
        ...(foreign ? ([['dom', last + 1, domid]] as const) : []),
      ],
    };
  };

const vmAssists: Describe = (args) => {
  const commands = { enable: VMASST.CMD_enable, disable: VMASST.CMD_disable };
  const types = Object.entries(VMASST).filter(([name]) => name.startsWith('TYPE_'));
  const names = Object.fromEntries(types.map(([name, value]) => [name.slice(5), value]));
  return { operation: named(commands)(low(at(args, 0))), values: [['type', 1, named(names)]] };
};

const consoleOperations = { write: 0, read: 1 } as const;

const callback = (name: string, first: number): Arguments['values'][number] => [name, first, hex];

export const hypercallArguments: Readonly<Partial<Record<HypercallName, Describe>>> = {
  event_channel_op: multiplexed({
    numbers: EVTCHNOP,
    structs: {
      ...{ bind_interdomain: evtchn_bind_interdomain, bind_virq: evtchn_bind_virq },
      ...{ bind_pirq: evtchn_bind_pirq, close: evtchn_close, send: evtchn_send },
      ...{ status: evtchn_status, alloc_unbound: evtchn_alloc_unbound, bind_ipi: evtchn_bind_ipi },
      ...{ bind_vcpu: evtchn_bind_vcpu, unmask: evtchn_unmask, reset: evtchn_reset },
      ...{ init_control: evtchn_init_control, expand_array: evtchn_expand_array },
      set_priority: evtchn_set_priority,
    },
  }),
  sched_op: multiplexed({
    numbers: SCHEDOP,
    structs: {
      ...{ shutdown: sched_shutdown, poll: sched_poll, remote_shutdown: sched_remote_shutdown },
      ...{ shutdown_code: sched_shutdown, watchdog: sched_watchdog },
      pin_override: sched_pin_override,
    },
  }),
  grant_table_op: multiplexed({
    numbers: GNTTABOP,
    structs: {
      ...{ map_grant_ref: gnttab_map_grant_ref, unmap_grant_ref: gnttab_unmap_grant_ref },
      ...{ setup_table: gnttab_setup_table, transfer: gnttab_transfer, copy: gnttab_copy },
      ...{ query_size: gnttab_query_size, unmap_and_replace: gnttab_unmap_and_replace },
      ...{ set_version: gnttab_set_version, get_status_frames: gnttab_get_status_frames },
      ...{ get_version: gnttab_get_version, swap_grant_ref: gnttab_swap_grant_ref },
      cache_flush: gnttab_cache_flush,
    },
    count: 2,
  }),
  memory_op: multiplexed({
    numbers: XENMEM,
    structs: {
      increase_reservation: xen_memory_reservation,
      decrease_reservation: xen_memory_reservation,
      populate_physmap: xen_memory_reservation,
      ...{ exchange: xen_memory_exchange, machphys_mfn_list: xen_machphys_mfn_list },
      ...{ machphys_mapping: xen_machphys_mapping, memory_map: xen_memory_map },
    },
    mask: 0x3fn,
  }),
  vcpu_op: multiplexed({
    numbers: VCPUOP,
    structs: {
      get_runstate_info: vcpu_runstate_info,
      register_runstate_memory_area: vcpu_register_runstate_memory_area,
      set_periodic_timer: vcpu_set_periodic_timer,
      set_singleshot_timer: vcpu_set_singleshot_timer,
      ...{ register_vcpu_info: vcpu_register_vcpu_info, get_physid: vcpu_get_physid },
      register_vcpu_time_memory_area: vcpu_register_time_memory_area,
    },
    argument: 2,
    values: [['vcpu', 1, number]],
  }),
  physdev_op: multiplexed({
    numbers: PHYSDEVOP,
    structs: {
      ...{ irq_status_query: physdev_irq_status_query, set_iopl: physdev_set_iopl },
      ...{ set_iobitmap: physdev_set_iobitmap, get_free_pirq: physdev_get_free_pirq },
    },
  }),
  xen_version: multiplexed({
    numbers: XENVER,
    structs: { get_features: xen_feature_info, platform_parameters: xen_platform_parameters },
  }),
  mmu_update: listOf(mmu_update, updateText),
  mmuext_op: listOf(mmuext_op, extendedText),
  update_va_mapping: mapping(false),
  update_va_mapping_otherdomain: mapping(true),
  multicall: plain(['list', 0, hex], ['calls', 1, (value) => number(low(value))]),
  vm_assist: vmAssists,
  console_io: (args) => ({
    operation: named(consoleOperations)(low(at(args, 0))),
    values: [
      ['count', 1, number],
      ['buffer', 2, hex],
    ],
  }),
  set_segment_base: (args) => ({
    operation: named(SEGBASE)(low(at(args, 0))),
    values: [['base', 1, hex]],
  }),
  set_trap_table: plain(['table', 0, hex]),
  set_gdt: plain(['frames', 0, hex], ['entries', 1, number]),
  stack_switch: plain(['ss', 0, hex], ['sp', 1, hex]),
  set_callbacks: (_, width) => ({
    values:
      width === 64
        ? [callback('event', 0), callback('failsafe', 1), callback('syscall', 2)]
        : [
            callback('event_cs', 0),
            callback('event', 1),
            callback('failsafe_cs', 2),
            callback('failsafe', 3),
          ],
  }),
  fpu_taskswitch: plain(['set', 0, number]),
  set_debugreg: plain(['n', 0, number], ['value', 1, hex]),
  get_debugreg: plain(['n', 0, number]),
  update_descriptor: plain(['address', 0, hex], ['descriptor', 1, hex]),
  set_timer_op: plain(['timeout', 0, number]),
  iret: plain(),
};

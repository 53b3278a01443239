/** xen/include/public/memory.h: XENMEM_* and what each takes. */
import { pointer, struct, u16, u32 } from '../memory/layout.ts';

// biome-ignore format: a table
export const XENMEM = {
  increase_reservation: 0, decrease_reservation: 1, maximum_ram_page: 2, current_reservation: 3, maximum_reservation: 4,
  machphys_mfn_list: 5, populate_physmap: 6, add_to_physmap: 7, memory_map: 9, machine_memory_map: 10, exchange: 11,
  machphys_mapping: 12, set_memory_map: 13, maximum_gpfn: 14, remove_from_physmap: 15, set_pod_target: 16, get_pod_target: 17,
  get_sharing_freed_pages: 18, get_sharing_shared_pages: 19, access_op: 21, add_to_physmap_batch: 23, claim_pages: 24,
  machphys_compat_mfn_list: 25, get_vnumainfo: 26, reserved_device_memory_map: 27, acquire_resource: 28,
} as const;

export const xen_memory_reservation = struct('xen_memory_reservation', {
  extent_start: pointer,
  nr_extents: pointer,
  extent_order: u32,
  mem_flags: u32,
  domid: u16,
});

export const xen_memory_exchange = struct('xen_memory_exchange', {
  in: xen_memory_reservation,
  out: xen_memory_reservation,
  nr_exchanged: pointer,
});

export const xen_machphys_mfn_list = struct('xen_machphys_mfn_list', {
  max_extents: u32,
  extent_start: pointer,
  nr_extents: u32,
});

export const xen_machphys_mapping = struct('xen_machphys_mapping', {
  v_start: pointer,
  v_end: pointer,
  max_mfn: pointer,
});

export const xen_memory_map = struct('xen_memory_map', { nr_entries: u32, buffer: pointer });

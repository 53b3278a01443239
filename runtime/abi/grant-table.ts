/** xen/include/public/grant_table.h: entries of both versions, GNTTABOP_* and what each takes. */
import { i16, pointer, struct, u16, u32, u64 } from '../memory/layout.ts';

// biome-ignore format: a table
export const GNTTABOP = {
  map_grant_ref: 0, unmap_grant_ref: 1, setup_table: 2, dump_table: 3, transfer: 4, copy: 5, query_size: 6,
  unmap_and_replace: 7, set_version: 8, get_status_frames: 9, get_version: 10, swap_grant_ref: 11, cache_flush: 12,
} as const;

// biome-ignore format: a table
export const GNTST = {
  okay: 0, general_error: -1, bad_domain: -2, bad_gntref: -3, bad_handle: -4, bad_virt_addr: -5, bad_dev_addr: -6,
  no_device_space: -7, permission_denied: -8, bad_page: -9, bad_copy_arg: -10, address_too_big: -11, eagain: -12, no_space: -13,
} as const;

// biome-ignore format: a table
export const GTF = {
  invalid: 0, permit_access: 1, accept_transfer: 2, transitive: 3, type_mask: 3,
  readonly: 1 << 2, reading: 1 << 3, writing: 1 << 4, sub_page: 1 << 8, transfer_committed: 1 << 2, transfer_completed: 1 << 3,
} as const;

// biome-ignore format: a table
export const GNTMAP = {
  device_map: 1 << 0, host_map: 1 << 1, readonly: 1 << 2, application_map: 1 << 3, contains_pte: 1 << 4,
} as const;

export const GNTCOPY = { source_gref: 1, dest_gref: 2 } as const;

export const GNTTAB_CACHE = { CLEAN: 1, INVAL: 2 } as const;

/** References that every domain has for its tools. */
export const GNTTAB_RESERVED = { CONSOLE: 0, XENSTORE: 1 } as const;
export const GNTTAB_NR_RESERVED_ENTRIES = 8;

export const grant_entry_v1 = struct('grant_entry_v1', {
  flags: u16, // GTF
  domid: u16,
  frame: u32,
});

/** As full_page and sub_page have it; of a transitive one the words are trans_domid, and gref in `frame`'s lower half. */
export const grant_entry_v2 = struct('grant_entry_v2', {
  flags: u16,
  domid: u16,
  page_off: u16,
  length: u16,
  frame: u64,
});

export const gnttab_map_grant_ref = struct('gnttab_map_grant_ref', {
  host_addr: u64,
  flags: u32, // GNTMAP
  ref: u32,
  dom: u16,
  status: i16, // OUT
  handle: u32, // OUT
  dev_bus_addr: u64, // OUT
});

export const gnttab_unmap_grant_ref = struct('gnttab_unmap_grant_ref', {
  host_addr: u64,
  dev_bus_addr: u64,
  handle: u32,
  status: i16, // OUT
});

export const gnttab_unmap_and_replace = struct('gnttab_unmap_and_replace', {
  host_addr: u64,
  new_addr: u64,
  handle: u32,
  status: i16, // OUT
});

export const gnttab_setup_table = struct('gnttab_setup_table', {
  dom: u16,
  nr_frames: u32,
  status: i16, // OUT
  frame_list: pointer, // of xen_pfn_t
});

export const gnttab_transfer = struct('gnttab_transfer', {
  mfn: pointer,
  domid: u16,
  ref: u32,
  status: i16, // OUT
});

/** The union holds a grant_ref_t or a gmfn. */
const gnttab_copy_ptr = struct('gnttab_copy_ptr', {
  u: pointer,
  domid: u16,
  offset: u16,
});

export const gnttab_copy = struct('gnttab_copy', {
  source: gnttab_copy_ptr,
  dest: gnttab_copy_ptr,
  len: u16,
  flags: u16, // GNTCOPY
  status: i16, // OUT
});

export const gnttab_query_size = struct('gnttab_query_size', {
  dom: u16,
  nr_frames: u32, // OUT
  max_nr_frames: u32, // OUT
  status: i16, // OUT
});

export const gnttab_set_version = struct('gnttab_set_version', { version: u32 });

export const gnttab_get_status_frames = struct('gnttab_get_status_frames', {
  nr_frames: u32,
  dom: u16,
  status: i16, // OUT
  frame_list: pointer, // of uint64_t
});

export const gnttab_get_version = struct('gnttab_get_version', {
  dom: u16,
  pad: u16,
  version: u32, // OUT
});

export const gnttab_swap_grant_ref = struct('gnttab_swap_grant_ref', {
  ref_a: u32,
  ref_b: u32,
  status: i16, // OUT
});

/** The union of a bus address and a reference. */
export const gnttab_cache_flush = struct('gnttab_cache_flush', {
  a: u64,
  offset: u16,
  length: u16,
  op: u32, // GNTTAB_CACHE
});

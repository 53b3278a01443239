/** xen/include/public/version.h and features.h: XENVER_* and what each takes. */
import { pointer, struct, u32 } from '../memory/layout.ts';

// biome-ignore format: a table
export const XENVER = {
  version: 0, extraversion: 1, compile_info: 2, capabilities: 3, changeset: 4, platform_parameters: 5, get_features: 6,
  pagesize: 7, guest_handle: 8, commandline: 9, build_id: 10,
} as const;

/** Bytes of what each gives, where it gives characters. */
export const XENVER_SIZES = {
  extraversion: 16,
  compiler: 64,
  compile_by: 16,
  compile_domain: 32,
  compile_date: 32,
  capabilities: 1024,
  changeset: 64,
  guest_handle: 16,
  commandline: 1024,
} as const;

export const xen_platform_parameters = struct('xen_platform_parameters', { virt_start: pointer });

export const xen_feature_info = struct('xen_feature_info', {
  submap_idx: u32,
  submap: u32, // OUT
});

export const xen_build_id = struct('xen_build_id', { len: u32 });

// biome-ignore format: a table
export const XENFEAT = {
  writable_page_tables: 0, writable_descriptor_tables: 1, auto_translated_physmap: 2, supervisor_mode_kernel: 3,
  pae_pgdir_above_4gb: 4, mmu_pt_update_preserve_ad: 5, highmem_assist: 6, gnttab_map_avail_bits: 7, hvm_callback_vector: 8,
  hvm_safe_pvclock: 9, hvm_pirqs: 10, dom0: 11, memory_op_vnode_supported: 13,
  ARM_SMCCC_supported: 14, linux_rsdp_unrestricted: 15, not_direct_mapped: 16, direct_mapped: 17,
} as const;

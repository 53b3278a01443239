/** xen/include/public/xen.h and arch-x86/xen*.h: hypercall numbers, domain numbers, and the structs that Xen shares with a guest. */
import {
  array,
  byWidth,
  type FieldType,
  i8,
  pointer,
  struct,
  u8,
  u16,
  u32,
  u64,
} from '../memory/layout.ts';

/** By name; names without a number here are answered with -ENOSYS, as Xen does. */
// biome-ignore format: a line for each line of xen.h
export const HYPERCALLS = {
  set_trap_table: 0,
  mmu_update: 1,
  set_gdt: 2,
  stack_switch: 3,
  set_callbacks: 4,
  fpu_taskswitch: 5,
  sched_op_compat: 6,
  platform_op: 7,
  set_debugreg: 8,
  get_debugreg: 9,
  update_descriptor: 10,
  memory_op: 12,
  multicall: 13,
  update_va_mapping: 14,
  set_timer_op: 15,
  event_channel_op_compat: 16,
  xen_version: 17,
  console_io: 18,
  physdev_op_compat: 19,
  grant_table_op: 20,
  vm_assist: 21,
  update_va_mapping_otherdomain: 22,
  iret: 23,
  vcpu_op: 24,
  set_segment_base: 25,
  mmuext_op: 26,
  xsm_op: 27,
  nmi_op: 28,
  sched_op: 29,
  callback_op: 30,
  xenoprof_op: 31,
  event_channel_op: 32,
  physdev_op: 33,
  hvm_op: 34,
  sysctl: 35,
  domctl: 36,
  kexec_op: 37,
  tmem_op: 38,
  argo_op: 39,
  xenpmu_op: 40,
  dm_op: 41,
  hypfs_op: 42,
} as const;
export type HypercallName = keyof typeof HYPERCALLS;

export const DOMID = {
  FIRST_RESERVED: 0x7ff0,
  SELF: 0x7ff0,
  IO: 0x7ff1,
  XEN: 0x7ff2,
  COW: 0x7ff3,
  INVALID: 0x7ff4,
  IDLE: 0x7fff,
} as const;

export const MMU = {
  NORMAL_PT_UPDATE: 0,
  MACHPHYS_UPDATE: 1,
  PT_UPDATE_PRESERVE_AD: 2,
  PT_UPDATE_NO_TRANSLATE: 3,
} as const;

export const MMUEXT = {
  PIN_L1_TABLE: 0,
  PIN_L2_TABLE: 1,
  PIN_L3_TABLE: 2,
  PIN_L4_TABLE: 3,
  UNPIN_TABLE: 4,
  NEW_BASEPTR: 5,
  TLB_FLUSH_LOCAL: 6,
  INVLPG_LOCAL: 7,
  TLB_FLUSH_MULTI: 8,
  INVLPG_MULTI: 9,
  TLB_FLUSH_ALL: 10,
  INVLPG_ALL: 11,
  FLUSH_CACHE: 12,
  SET_LDT: 13,
  NEW_USER_BASEPTR: 15,
  CLEAR_PAGE: 16,
  COPY_PAGE: 17,
  FLUSH_CACHE_GLOBAL: 18,
  MARK_SUPER: 19,
  UNMARK_SUPER: 20,
} as const;

export const UVMF = { NONE: 0, TLB_FLUSH: 1, INVLPG: 2, FLUSHTYPE_MASK: 3, ALL: 4 } as const;

export const VMASST = {
  CMD_enable: 0,
  CMD_disable: 1,
  TYPE_4gb_segments: 0,
  TYPE_4gb_segments_notify: 1,
  TYPE_writable_pagetables: 2,
  TYPE_pae_extended_cr3: 3,
  TYPE_architectural_iopl: 4,
  TYPE_runstate_update_flag: 5,
  TYPE_m2p_strict: 32,
} as const;

export const SEGBASE = { FS: 0, GS_USER: 1, GS_KERNEL: 2, GS_USER_SEL: 3 } as const;

export const VIRQ = {
  TIMER: 0,
  DEBUG: 1,
  CONSOLE: 2,
  DOM_EXC: 3,
  TBUF: 4,
  DEBUGGER: 6,
  XENOPROF: 7,
  CON_RING: 8,
} as const;
export const NR_VIRQS = 24;

/** Where Xen's own addresses begin, and the machine-to-physical table with them; those of 64-bit guests end, too. */
export const HYPERVISOR_VIRT_START = { 64: 0xffff_8000_0000_0000n, 32: 0xf580_0000n } as const;
export const HYPERVISOR_VIRT_END = { 64: 0xffff_8800_0000_0000n, 32: 0x1_0000_0000n } as const;
export const MACH2PHYS_VIRT_END = { 64: 0xffff_8040_0000_0000n, 32: 0xf680_0000n } as const;

/** Selectors that every guest finds in its GDT, at the level that runs its kernel. */
export const FLAT_KERNEL = {
  64: { cs: 0xe033, ss: 0xe02b, ds: 0 },
  32: { cs: 0xe019, ss: 0xe021, ds: 0xe021 },
} as const;
export const FLAT_USER = {
  64: { cs: 0xe033, ss: 0xe02b, ds: 0 },
  32: { cs: 0xe02b, ss: 0xe033, ds: 0xe033 },
} as const;
/** Of 16 pages of descriptors the first that is Xen's. */
const FIRST_RESERVED_GDT_PAGE = 14;
export const FIRST_RESERVED_GDT_ENTRY = (FIRST_RESERVED_GDT_PAGE * 4096) / 8;

export const XEN_LEGACY_MAX_VCPUS = 32;

export const vcpu_time_info = struct('vcpu_time_info', {
  version: u32,
  pad0: u32,
  tsc_timestamp: u64,
  system_time: u64,
  tsc_to_system_mul: u32,
  tsc_shift: i8,
  flags: u8,
  pad1: array(u8, 2),
});

export const XEN_PVCLOCK_TSC_STABLE_BIT = 1;

const arch_vcpu_info = struct('arch_vcpu_info', {
  cr2: pointer,
  pad: byWidth({ 64: array(pointer, 1), 32: array(pointer, 5) }),
});

export const vcpu_info = struct('vcpu_info', {
  evtchn_upcall_pending: u8,
  evtchn_upcall_mask: u8,
  evtchn_pending_sel: pointer,
  arch: arch_vcpu_info,
  time: vcpu_time_info,
});

/** A field that only guests of the other width have. */
const absent: FieldType<number> = {
  size: () => 0,
  alignment: () => 1,
  read: () => 0,
  write: () => {},
};

const arch_shared_info = struct('arch_shared_info', {
  max_pfn: pointer,
  pfn_to_mfn_frame_list_list: pointer,
  nmi_reason: pointer,
  p2m_cr3: pointer,
  p2m_vaddr: pointer,
  p2m_generation: pointer,
  wc_sec_hi: byWidth({ 64: absent, 32: u32 }),
});

/** As many words as a word has bits. */
const eventBits = byWidth({ 64: array(pointer, 64), 32: array(pointer, 32) });

export const shared_info = struct('shared_info', {
  vcpu_info: array(vcpu_info, XEN_LEGACY_MAX_VCPUS),
  evtchn_pending: eventBits,
  evtchn_mask: eventBits,
  wc_version: u32,
  wc_sec: u32,
  wc_nsec: u32,
  wc_sec_hi: byWidth({ 64: u32, 32: absent }),
  arch: arch_shared_info,
});

export const MAX_GUEST_CMDLINE = 1024;

export const SIF = {
  PRIVILEGED: 1,
  INITDOMAIN: 2,
  MULTIBOOT_MOD: 4,
  MOD_START_PFN: 8,
  VIRT_P2M_4TOOLS: 16,
} as const;

const start_info_console = struct('start_info_console', { mfn: pointer, evtchn: u32 });

export const start_info = struct('start_info', {
  magic: array(u8, 32),
  nr_pages: pointer,
  shared_info: pointer, // machine address
  flags: u32,
  store_mfn: pointer,
  store_evtchn: u32,
  console: start_info_console,
  pt_base: pointer,
  nr_pt_frames: pointer,
  mfn_list: pointer,
  mod_start: pointer,
  mod_len: pointer,
  cmd_line: array(u8, MAX_GUEST_CMDLINE),
  first_p2m_pfn: pointer,
  nr_p2m_frames: pointer,
});

export const trap_info = struct('trap_info', {
  vector: u8,
  flags: u8, // 0 to 3: the level that may use it; 4: events are masked
  cs: u16,
  address: pointer,
});

export const mmu_update = struct('mmu_update', { ptr: u64, val: u64 });

export const mmuext_op = struct('mmuext_op', { cmd: u32, arg1: pointer, arg2: pointer });

export const multicall_entry = struct('multicall_entry', {
  op: pointer,
  result: pointer,
  args: array(pointer, 6),
});

export const xen_callback = struct('xen_callback', { cs: pointer, eip: pointer });

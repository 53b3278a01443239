/** xen/include/public/vcpu.h: VCPUOP_* and what each takes. */
import { array, i32, struct, u32, u64 } from '../memory/layout.ts';

// biome-ignore format: a table
export const VCPUOP = {
  initialise: 0, up: 1, down: 2, is_up: 3, get_runstate_info: 4, register_runstate_memory_area: 5, set_periodic_timer: 6,
  stop_periodic_timer: 7, set_singleshot_timer: 8, stop_singleshot_timer: 9, register_vcpu_info: 10, send_nmi: 11,
  get_physid: 12, register_vcpu_time_memory_area: 13,
} as const;

export const RUNSTATE = { running: 0, runnable: 1, blocked: 2, offline: 3 } as const;

/** Bit of state_entry_time: the area is being written. */
export const XEN_RUNSTATE_UPDATE = 1n << 63n;

export const vcpu_runstate_info = struct('vcpu_runstate_info', {
  state: i32, // RUNSTATE
  state_entry_time: u64,
  time: array(u64, 4),
});

/** The union of a handle, a pointer and a 64-bit physical address. */
export const vcpu_register_runstate_memory_area = struct('vcpu_register_runstate_memory_area', {
  addr: u64,
});

export const vcpu_set_periodic_timer = struct('vcpu_set_periodic_timer', { period_ns: u64 });

export const VCPU_SSHOTTMR_future = 1;

export const vcpu_set_singleshot_timer = struct('vcpu_set_singleshot_timer', {
  timeout_abs_ns: u64,
  flags: u32, // VCPU_SSHOTTMR_
});

export const vcpu_register_vcpu_info = struct('vcpu_register_vcpu_info', {
  mfn: u64,
  offset: u32,
  rsvd: u32,
});

export const vcpu_get_physid = struct('vcpu_get_physid', { phys_id: u64 });

export const vcpu_register_time_memory_area = struct('vcpu_register_time_memory_area', {
  addr: u64,
});

/** xen/include/public/event_channel.h: EVTCHNOP_* and what each takes. */
import { array, struct, u8, u16, u32, u64 } from '../memory/layout.ts';

// biome-ignore format: a table
export const EVTCHNOP = {
  bind_interdomain: 0, bind_virq: 1, bind_pirq: 2, close: 3, send: 4, status: 5, alloc_unbound: 6, bind_ipi: 7, bind_vcpu: 8,
  unmask: 9, reset: 10, init_control: 11, expand_array: 12, set_priority: 13,
} as const;

// biome-ignore format: a table
export const EVTCHNSTAT = {
  closed: 0, unbound: 1, interdomain: 2, pirq: 3, virq: 4, ipi: 5,
} as const;

export const evtchn_alloc_unbound = struct('evtchn_alloc_unbound', {
  dom: u16,
  remote_dom: u16,
  port: u32, // OUT
});

export const evtchn_bind_interdomain = struct('evtchn_bind_interdomain', {
  remote_dom: u16,
  remote_port: u32,
  local_port: u32, // OUT
});

export const evtchn_bind_virq = struct('evtchn_bind_virq', {
  virq: u32,
  vcpu: u32,
  port: u32, // OUT
});

export const evtchn_bind_pirq = struct('evtchn_bind_pirq', {
  pirq: u32,
  flags: u32,
  port: u32, // OUT
});

export const evtchn_bind_ipi = struct('evtchn_bind_ipi', {
  vcpu: u32,
  port: u32, // OUT
});

export const evtchn_close = struct('evtchn_close', { port: u32 });
export const evtchn_send = struct('evtchn_send', { port: u32 });
export const evtchn_unmask = struct('evtchn_unmask', { port: u32 });
export const evtchn_reset = struct('evtchn_reset', { dom: u16 });

/** The union's words: dom, or dom and port, or pirq, or virq. */
export const evtchn_status = struct('evtchn_status', {
  dom: u16,
  port: u32,
  status: u32, // OUT: EVTCHNSTAT
  vcpu: u32, // OUT
  u: array(u32, 2), // OUT
});

export const evtchn_bind_vcpu = struct('evtchn_bind_vcpu', { port: u32, vcpu: u32 });
export const evtchn_set_priority = struct('evtchn_set_priority', { port: u32, priority: u32 });

export const evtchn_init_control = struct('evtchn_init_control', {
  control_gfn: u64,
  offset: u32,
  vcpu: u32,
  link_bits: u8, // OUT
  _pad: array(u8, 7),
});

export const evtchn_expand_array = struct('evtchn_expand_array', { array_gfn: u64 });

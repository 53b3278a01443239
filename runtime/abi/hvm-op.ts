/** xen/include/public/hvm/hvm_op.h: the operations that Xen 4.17 still knows. */
// biome-ignore format: a table
export const HVMOP = {
  set_param: 0, get_param: 1, flush_tlbs: 5, pagetable_dying: 9, get_time: 10, xentrace: 11, get_mem_type: 15,
  set_evtchn_upcall_vector: 23, guest_request_vm_event: 24, altp2m: 25,
} as const;

/** xen/include/public/io/9pfs.h and ring.h's flexible rings: two streams of bytes, and where the pages with them are. */
import { array, struct, u8, u32 } from '../../memory/layout.ts';

/** Of the `data_intf` page: as many references as it has room for. */
export const mostRingReferences = 958;

/** DEFINE_XEN_FLEX_RING_AND_INTF. `in` goes to the front-end, `out` comes from it. */
export const xen_9pfs_data_intf = struct('xen_9pfs_data_intf', {
  in_cons: u32,
  in_prod: u32,
  pad1: array(u8, 56),
  out_cons: u32,
  out_prod: u32,
  pad2: array(u8, 56),
  ring_order: u32, // of both halves together, in pages
  ref: array(u32, mostRingReferences),
});

/** xen/include/public/io/ring.h: what stands in front of a shared ring's entries, whatever device it is of. */
import { array, struct, u8, u32 } from '../../memory/layout.ts';

export const sring = struct('sring', {
  req_prod: u32,
  req_event: u32,
  rsp_prod: u32,
  rsp_event: u32,
  pvt: array(u8, 4),
  __pad: array(u8, 44),
});

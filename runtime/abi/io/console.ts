/** xen/include/public/io/console.h: the ring of a domain's first console. */
import { array, struct, u8, u32 } from '../../memory/layout.ts';

export const XENCONS_IN_SIZE = 1024;
export const XENCONS_OUT_SIZE = 2048;

/** `in` goes to the guest, `out` comes from it. */
export const xencons_interface = struct('xencons_interface', {
  in: array(u8, XENCONS_IN_SIZE),
  out: array(u8, XENCONS_OUT_SIZE),
  in_cons: u32,
  in_prod: u32,
  out_cons: u32,
  out_prod: u32,
});

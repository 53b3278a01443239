/* The page in front of a ring of 9P messages (layout of Xen's public headers io/9pfs.h and io/ring.h). */
#ifndef __XEN_PUBLIC_IO_9PFS_H__
#define __XEN_PUBLIC_IO_9PFS_H__

#include <mini-os/api.h>
#include <stdint.h>

/* `in` goes to the front-end, `out` comes from it. */
struct xen_9pfs_data_intf {
  uint32_t in_cons, in_prod;
  uint8_t pad1[56];
  uint32_t out_cons, out_prod;
  uint8_t pad2[56];
  uint32_t ring_order; /* of both halves together, in pages */
  grant_ref_t ref[];
};

#endif

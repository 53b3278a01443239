/* The page that a console's two ends share (layouts and numbers of Xen's public header io/console.h). */
#ifndef __XEN_PUBLIC_IO_CONSOLE_H__
#define __XEN_PUBLIC_IO_CONSOLE_H__

#include <stdint.h>

typedef uint32_t XENCONS_RING_IDX;

#define MASK_XENCONS_IDX(idx, ring) ((idx) & (sizeof(ring) - 1))

struct xencons_interface {
  char in[1024]; /* to the front-end */
  char out[2048];
  XENCONS_RING_IDX in_cons, in_prod;
  XENCONS_RING_IDX out_cons, out_prod;
};

#endif

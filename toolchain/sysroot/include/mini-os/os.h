/* What Mini-OS sources take for granted: assertions, barriers, a processor number. */
#ifndef _OS_H_
#define _OS_H_

#include <mini-os/console.h>
#include <mini-os/types.h>
#include <stdlib.h>

#define BUG()                                       \
  do {                                              \
    printk("BUG at %s:%d\n", __FILE__, __LINE__);   \
    abort();                                        \
  } while (0)

#define BUG_ON(x) \
  do {            \
    if (x)        \
      BUG();      \
  } while (0)

#define ASSERT(x)                                                            \
  do {                                                                       \
    if (!(x)) {                                                              \
      printk("ASSERTION FAILED: %s at %s:%d\n", #x, __FILE__, __LINE__);     \
      abort();                                                               \
    }                                                                        \
  } while (0)

#define smp_processor_id() 0

#define barrier() __asm__ __volatile__("" : : : "memory")
#define mb() __sync_synchronize()
#define rmb() __sync_synchronize()
#define wmb() barrier()

#endif

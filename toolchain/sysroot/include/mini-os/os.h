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

/* Handlers of events and completions wait while this is not 0; there is no other interrupt. */
extern uint32_t minios_callbacks_masked;
#define minios_masked (*(volatile uint32_t *)&minios_callbacks_masked)
#define local_irq_save(x) ((void)((x) = minios_masked, minios_masked = 1))
#define local_irq_restore(x) ((void)(minios_masked = (uint32_t)(x)))
#define local_save_flags(x) ((void)((x) = minios_masked))
#define local_irq_disable() ((void)(minios_masked = 1))
#define local_irq_enable() ((void)(minios_masked = 0))
#define irqs_disabled() (minios_masked != 0)
#define __cli() local_irq_disable()
#define __sti() local_irq_enable()
#define __save_flags(x) local_save_flags(x)
#define __restore_flags(x) local_irq_restore(x)
#define cli() local_irq_disable()
#define sti() local_irq_enable()

#define barrier() __asm__ __volatile__("" : : : "memory")
#define mb() __sync_synchronize()
#define rmb() __sync_synchronize()
#define wmb() barrier()

#endif

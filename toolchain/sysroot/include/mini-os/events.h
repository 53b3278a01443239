/*
 * Event channels of Mini-OS. A handler runs on the stack of whichever thread there is, between any two instructions that
 * local_irq_save does not hold together; its registers are NULL.
 */
#ifndef _EVENTS_H_
#define _EVENTS_H_

#include <mini-os/api.h>

static inline void init_events(void) {}
static inline void fini_events(void) {
  unbind_all_ports();
}

#endif

/* The part of Mini-OS's hypervisor.h that has nothing to do with hypercalls: bits of event channels (mini-os/api.h). */
#ifndef _HYPERVISOR_H_
#define _HYPERVISOR_H_

#include <mini-os/api.h>
#include <mini-os/types.h>

#define DOMID_SELF (0x7FF0U)

#endif

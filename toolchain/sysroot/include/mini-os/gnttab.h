/* Grants of Mini-OS: the functions are rows of the kernel's table (mini-os/api.h). */
#ifndef __GNTTAB_H__
#define __GNTTAB_H__

#include <mini-os/api.h>

static inline void init_gnttab(void) {}
static inline void fini_gnttab(void) {}
/* What a GNTST_ number of xen/grant_table.h means. */
const char *gnttabop_error(int16_t status);

#endif

/* Mini-OS's small library; with newlib beneath it, the C library's own headers. */
#ifndef _LIB_H_
#define _LIB_H_

#include <mini-os/console.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARRAY_SIZE(x) (sizeof(x) / sizeof((x)[0]))

#endif

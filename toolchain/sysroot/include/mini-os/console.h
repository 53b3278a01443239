/* Mini-OS's console output, past the C library's buffers. */
#ifndef _LIB_CONSOLE_H_
#define _LIB_CONSOLE_H_

#include <stdarg.h>

/* `direct` chose the hypervisor's console in the original; here there is one console. */
void print(int direct, const char *fmt, va_list args);
void printk(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void xprintk(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif

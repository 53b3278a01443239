/* What lwip asks of the compiler and of newlib (lwip/arch.h). */
#ifndef LWIP_ARCH_CC_H
#define LWIP_ARCH_CC_H

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <sys/types.h>

#ifndef SSIZE_MAX
#define SSIZE_MAX LONG_MAX /* else lwip has an ssize_t of its own */
#endif

#ifndef BYTE_ORDER
#define LITTLE_ENDIAN 1234
#define BIG_ENDIAN 4321
#define BYTE_ORDER LITTLE_ENDIAN
#endif

#define LWIP_ERRNO_STDINCLUDE
#define LWIP_DONT_PROVIDE_BYTEORDER_FUNCTIONS
#define LWIP_NO_CTYPE_H 1

uint32_t minios_lwip_random(void);
void minios_lwip_assertion(const char *message, const char *file, int line);

#define LWIP_RAND() minios_lwip_random()
#define LWIP_PLATFORM_DIAG(message) ((void)0)
#define LWIP_PLATFORM_ASSERT(message) minios_lwip_assertion(message, __FILE__, __LINE__)

/* Swapping is one instruction. */
#define lwip_htons(x) __builtin_bswap16(x)
#define lwip_htonl(x) __builtin_bswap32(x)

#endif

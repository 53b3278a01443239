/* BSD's messages on stderr: with an end of the program or without, with errno's text or without. */
#ifndef _ERR_H
#define _ERR_H

#include <stdarg.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MINIOS_PRINTF(format, first) __attribute__((__format__(__printf__, format, first)))
#define MINIOS_NORETURN __attribute__((__noreturn__))

void err(int, const char *, ...) MINIOS_NORETURN MINIOS_PRINTF(2, 3);
void verr(int, const char *, va_list) MINIOS_NORETURN MINIOS_PRINTF(2, 0);
void errx(int, const char *, ...) MINIOS_NORETURN MINIOS_PRINTF(2, 3);
void verrx(int, const char *, va_list) MINIOS_NORETURN MINIOS_PRINTF(2, 0);
void warn(const char *, ...) MINIOS_PRINTF(1, 2);
void vwarn(const char *, va_list) MINIOS_PRINTF(1, 0);
void warnx(const char *, ...) MINIOS_PRINTF(1, 2);
void vwarnx(const char *, va_list) MINIOS_PRINTF(1, 0);

#undef MINIOS_PRINTF
#undef MINIOS_NORETURN

#ifdef __cplusplus
}
#endif

#endif

/* Mini-OS's time: nanoseconds since the domain began, and how to name them. */
#ifndef _MINIOS_TIME_H_
#define _MINIOS_TIME_H_

#include <mini-os/types.h>
#include <sys/time.h>

typedef s64 s_time_t;

#define STIME_MAX ((s_time_t)((uint64_t)~0ull >> 1))

#define SECONDS(_s) (((s_time_t)(_s)) * 1000000000UL)
#define MILLISECS(_ms) (((s_time_t)(_ms)) * 1000000UL)
#define MICROSECS(_us) (((s_time_t)(_us)) * 1000UL)
#define Time_Max ((s_time_t)0x7fffffffffffffffLL)
#define FOREVER Time_Max
#define NSEC_TO_USEC(_nsec) ((_nsec) / 1000UL)
#define NSEC_TO_MSEC(_nsec) ((_nsec) / 1000000ULL)
#define NSEC_TO_SEC(_nsec) ((_nsec) / 1000000000ULL)

#define NOW() ((s_time_t)monotonic_clock())

uint64_t monotonic_clock(void);

#endif

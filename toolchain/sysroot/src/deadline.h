/* When a wait ends, by the clock that wakeup_time of a thread is compared with (NOW() of mini-os/time.h). */
#ifndef MINIOS_DEADLINE_H
#define MINIOS_DEADLINE_H

#include <mini-os/time.h>
#include <time.h>

/* Never 0, which is no deadline. EINVAL for a clock that nobody can wait for, and for what is no time. */
int minios_deadline(clockid_t clock, const struct timespec *time, s_time_t *deadline);

#endif

/* Timers whose expiry starts a thread. */
#ifndef MINIOS_TIMER_THREADS_H
#define MINIOS_TIMER_THREADS_H

#include <signal.h>

enum minios_timer_change { MINIOS_TIMER_SET, MINIOS_TIMER_STOPPED, MINIOS_TIMER_DELETED };

/* The kernel's number, or a negative errno. */
int minios_timer_thread(int clock, const struct sigevent *event);
/* Whoever waits for that timer, if it is one of these, hears what has become of it. */
void minios_timer_changed(int id, enum minios_timer_change change);

#endif

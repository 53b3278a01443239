/* What may be linked with the Mini-OS-like guest: a front-end that has a thread and is told of its events by upcalls. */
#ifndef MINI_H
#define MINI_H

struct front_end {
	/* The port of its events; 0: there is nothing to connect to. */
	unsigned (*connect)(void);
	/* The thread; it ends with its work. */
	void (*run)(void);
	void (*report)(void);
};
extern const struct front_end front_end __attribute__((weak));

/* The upcalls that its port has had. */
extern volatile unsigned front_end_events;
/* Of its thread: the others' turn. */
void give_way(void);
#endif

/*
 * lwip's port: interfaces over netfront, and who runs its core. Nothing in the core gives way to another thread, so a thread that
 * holds no lock may call it at any time; events only note that there is something to look at, and wake whoever looks.
 */
#ifndef MINIOS_NETWORK_H
#define MINIOS_NETWORK_H

#include <mini-os/time.h>
#include <mini-os/wait.h>
#include <stdbool.h>

/* Starts lwip at the first call, and waits until interfaces have their addresses, but not for ever. */
void minios_network_start(void);

/* Takes what has arrived, and what was sent to ourselves. */
void minios_network_look(void);
/* Something has arrived that nobody has looked at. */
bool minios_network_has_news(void);
/* Sends off what calls of the core have put into rings and queues. */
void minios_network_flush(void);

/*
 * Waits until the condition holds or the deadline of NOW() has come (0: never). One of the threads that wait is told of events itself,
 * so that what arrives for it costs no switch to another.
 */
#define minios_network_wait(wait_queue, condition, deadline)                                        \
  do {                                                                                              \
    const s_time_t until_ = (deadline);                                                             \
    for (;;) {                                                                                      \
      minios_network_look();                                                                        \
      if (condition)                                                                                \
        break;                                                                                      \
      bool leads_ = minios_network_lead();                                                          \
      wait_event_deadline(wait_queue, (condition) || (leads_ && minios_network_has_news()), until_);   \
      if (leads_)                                                                                   \
        minios_network_follow();                                                                    \
      if ((condition) || (until_ != 0 && until_ <= NOW()))                                  \
        break;                                                                                      \
    }                                                                                               \
  } while (0)

bool minios_network_lead(void);
void minios_network_follow(void);

#endif

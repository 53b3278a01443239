/* Descriptors that go with what AF_UNIX sockets hand on (SCM_RIGHTS of unix(7)). */
#ifndef MINIOS_UNIX_RIGHTS_H
#define MINIOS_UNIX_RIGHTS_H

#include <stdbool.h>
#include <sys/socket.h>

/* On their way: descriptors of their own, which nobody knows of. */
struct minios_unix_rights {
  unsigned count;
  int fds[];
};

/* Copies of the descriptors that a message names, NULL where it names none; 0, or a negative errno. */
int minios_unix_take_rights(const struct msghdr *message, struct minios_unix_rights **rights);
/*
 * Whoever receives them gets descriptors, as many as the message has room for, whose msg_controllen is set; where they stay (MSG_PEEK),
 * these are copies again.
 */
void minios_unix_give_rights(const struct minios_unix_rights *rights, struct msghdr *message, size_t room, int flags);
/* They are closed, and gone; NULL is nothing. */
void minios_unix_drop_rights(struct minios_unix_rights *rights);

#endif

/* The calls of an AF_UNIX socket that have to do with names (socket.h says what they are). */
#ifndef MINIOS_UNIX_NAMES_H
#define MINIOS_UNIX_NAMES_H

#include "unix-socket.h"

int minios_unix_bind(struct minios_object *object, const struct sockaddr *address, socklen_t length);
int minios_unix_name(struct minios_object *object, struct sockaddr *address, socklen_t length, bool is_peer);

#endif

/* What a socket is asked beside read, write and close: by its domain, whoever made it. Errors are negative errnos. */
#ifndef MINIOS_SOCKET_H
#define MINIOS_SOCKET_H

#include <mini-os/posix.h>
#include <stdbool.h>
#include <sys/socket.h>

struct minios_socket_calls {
  struct minios_object_calls object; /* first: a socket is an object */
  int (*bind)(struct minios_object *socket, const struct sockaddr *address, socklen_t length);
  int (*connect)(struct minios_object *socket, const struct sockaddr *address, socklen_t length);
  int (*listen)(struct minios_object *socket, int backlog);
  int (*accept)(struct minios_object *socket, struct minios_object **accepted);
  ssize_t (*send)(struct minios_object *socket, const struct msghdr *message, int flags);
  ssize_t (*receive)(struct minios_object *socket, struct msghdr *message, int flags);
  int (*shutdown)(struct minios_object *socket, int how);
  /* At most `length` bytes of the address; how many it has. */
  int (*name)(struct minios_object *socket, struct sockaddr *address, socklen_t length, bool is_peer);
  int (*get_option)(struct minios_object *socket, int level, int name, void *value, socklen_t *length);
  int (*set_option)(struct minios_object *socket, int level, int name, const void *value, socklen_t length);
};

/* A new socket of lwip's. */
int minios_inet_socket(int domain, int type, int protocol, struct minios_object **socket);

/* A new socket of AF_UNIX. */
int minios_unix_socket(int type, int protocol, struct minios_object **socket);

/* Gives a new object its descriptor, flags those of SOCK_; where there is none, the object is closed. */
int minios_open_socket(struct minios_object *socket, int flags);

#define MINIOS_SOCK_FLAGS (SOCK_NONBLOCK | SOCK_CLOEXEC)

#endif

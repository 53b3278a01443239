/* What a socket is asked beside read, write and close: by its domain, whoever made it. Errors are negative errnos. */
#ifndef MINIOS_SOCKET_H
#define MINIOS_SOCKET_H

#include <mini-os/posix.h>
#include <mini-os/time.h>
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

/* As messages of one part. */
ssize_t minios_read_socket(struct minios_object *socket, void *buffer, size_t count);
ssize_t minios_write_socket(struct minios_object *socket, const void *buffer, size_t count);

/* Whether a call with these flags of MSG_ may. */
bool minios_may_wait(const struct minios_object *socket, int flags);
size_t minios_message_length(const struct msghdr *message);

/* Values of options, of which a caller gets as much as it has room for; 0. */
int minios_give_value(const void *from, size_t size, void *value, socklen_t *length);
int minios_give_int(int number, void *value, socklen_t *length);
/* 0 and the number, or -EINVAL. */
int minios_take_int(const void *value, socklen_t length, int *number);
/* SO_RCVTIMEO and SO_SNDTIMEO, in nanoseconds; 0: none. */
int minios_give_time(s_time_t time, void *value, socklen_t *length);
int minios_take_time(const void *value, socklen_t length, s_time_t *time);
/* When a call with that timeout ends; 0 where it never does. */
s_time_t minios_socket_deadline(s_time_t timeout);

#define MINIOS_SOCK_FLAGS (SOCK_NONBLOCK | SOCK_CLOEXEC)

#endif

/* Sockets of POSIX: each call finds its socket by the descriptor, and asks it (socket.h). */
#include "socket.h"
#include "result.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

static struct minios_object *find(struct _reent *reent, int fd) {
  struct minios_object *object;
  if (!minios_find_object(reent, fd, &object))
    return NULL;
  if (object != NULL && minios_fd_kind(fd) == MINIOS_FD_SOCKET)
    return object;
  reent->_errno = ENOTSOCK;
  return NULL;
}

#define CALLS(object) ((const struct minios_socket_calls *)(object)->calls)

/* Asks the socket, or answers -1 where there is none. */
#define ASK(fd, call, ...)                                                                   \
  do {                                                                                       \
    struct _reent *reent_ = _REENT;                                                          \
    struct minios_object *object_ = find(reent_, fd);                                        \
    if (object_ == NULL)                                                                     \
      return -1;                                                                             \
    return minios_result(reent_, CALLS(object_)->call(object_ __VA_OPT__(, ) __VA_ARGS__));  \
  } while (0)

int minios_open_socket(struct minios_object *socket, int flags) {
  if (flags & SOCK_NONBLOCK)
    socket->flags |= O_NONBLOCK;
  int fd = minios_open_object(MINIOS_FD_SOCKET, socket, flags & SOCK_CLOEXEC ? O_CLOEXEC : 0);
  if (fd < 0)
    socket->calls->close(socket);
  return fd;
}

int bind(int fd, const struct sockaddr *address, socklen_t length) {
  ASK(fd, bind, address, length);
}

int connect(int fd, const struct sockaddr *address, socklen_t length) {
  ASK(fd, connect, address, length);
}

int listen(int fd, int backlog) {
  ASK(fd, listen, backlog);
}

int shutdown(int fd, int how) {
  if (how < SHUT_RD || how > SHUT_RDWR)
    return minios_failed(_REENT, EINVAL);
  ASK(fd, shutdown, how);
}

static int name(int fd, struct sockaddr *address, socklen_t *length, bool is_peer) {
  struct _reent *reent = _REENT;
  struct minios_object *object = find(reent, fd);
  if (object == NULL)
    return -1;
  int whole = CALLS(object)->name(object, address, *length, is_peer);
  if (minios_result(reent, whole) < 0)
    return -1;
  *length = (socklen_t)whole;
  return 0;
}

int getsockname(int fd, struct sockaddr *address, socklen_t *length) {
  return name(fd, address, length, false);
}

int getpeername(int fd, struct sockaddr *address, socklen_t *length) {
  return name(fd, address, length, true);
}

int accept4(int fd, struct sockaddr *address, socklen_t *length, int flags) {
  struct _reent *reent = _REENT;
  struct minios_object *object = find(reent, fd), *accepted;
  if (object == NULL)
    return -1;
  if (flags & ~MINIOS_SOCK_FLAGS)
    return minios_failed(reent, EINVAL);
  if (minios_result(reent, CALLS(object)->accept(object, &accepted)) < 0)
    return -1;
  if (address != NULL) {
    int whole = CALLS(accepted)->name(accepted, address, *length, true);
    *length = whole < 0 ? 0 : (socklen_t)whole;
  }
  return (int)minios_result(reent, minios_open_socket(accepted, flags));
}

int accept(int fd, struct sockaddr *address, socklen_t *length) {
  return accept4(fd, address, length, 0);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
  ASK(fd, send, message, flags);
}

ssize_t sendto(int fd, const void *buffer, size_t count, int flags, const struct sockaddr *address,
               socklen_t length) {
  struct iovec part = {(void *)buffer, count};
  struct msghdr message = {.msg_name = (void *)address, .msg_namelen = address == NULL ? 0 : length,
                           .msg_iov = &part, .msg_iovlen = 1};
  return sendmsg(fd, &message, flags);
}

ssize_t send(int fd, const void *buffer, size_t count, int flags) {
  return sendto(fd, buffer, count, flags, NULL, 0);
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags) {
  message->msg_flags = 0;
  ASK(fd, receive, message, flags);
}

ssize_t recvfrom(int fd, void *buffer, size_t count, int flags, struct sockaddr *address,
                 socklen_t *length) {
  struct iovec part = {buffer, count};
  struct msghdr message = {.msg_name = address, .msg_namelen = address == NULL ? 0 : *length,
                           .msg_iov = &part, .msg_iovlen = 1};
  ssize_t result = recvmsg(fd, &message, flags);
  if (result >= 0 && address != NULL)
    *length = message.msg_namelen;
  return result;
}

ssize_t recv(int fd, void *buffer, size_t count, int flags) {
  return recvfrom(fd, buffer, count, flags, NULL, NULL);
}

int getsockopt(int fd, int level, int option, void *value, socklen_t *length) {
  ASK(fd, get_option, level, option, value, length);
}

int setsockopt(int fd, int level, int option, const void *value, socklen_t length) {
  ASK(fd, set_option, level, option, value, length);
}

/* Nobody here sends urgent data. */
int sockatmark(int fd) {
  return find(_REENT, fd) == NULL ? -1 : 0;
}

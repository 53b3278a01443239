/* What sockets of all domains have in common (socket.h). */
#include "socket.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/time.h>

static const struct minios_socket_calls *calls_of(const struct minios_object *socket) {
  return (const struct minios_socket_calls *)socket->calls;
}

ssize_t minios_read_socket(struct minios_object *socket, void *buffer, size_t count) {
  struct iovec part = {buffer, count};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  return calls_of(socket)->receive(socket, &message, 0);
}

ssize_t minios_write_socket(struct minios_object *socket, const void *buffer, size_t count) {
  struct iovec part = {(void *)buffer, count};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  return calls_of(socket)->send(socket, &message, 0);
}

bool minios_may_wait(const struct minios_object *socket, int flags) {
  return !(flags & MSG_DONTWAIT) && !(socket->flags & O_NONBLOCK);
}

size_t minios_message_length(const struct msghdr *message) {
  size_t sum = 0;
  for (size_t i = 0; i < message->msg_iovlen; i++)
    sum += message->msg_iov[i].iov_len;
  return sum;
}

int minios_give_value(const void *from, size_t size, void *value, socklen_t *length) {
  if (*length > size)
    *length = (socklen_t)size;
  memcpy(value, from, *length);
  return 0;
}

int minios_give_int(int number, void *value, socklen_t *length) {
  return minios_give_value(&number, sizeof number, value, length);
}

int minios_take_int(const void *value, socklen_t length, int *number) {
  if (length < sizeof *number)
    return -EINVAL;
  memcpy(number, value, sizeof *number);
  return 0;
}

int minios_give_time(s_time_t time, void *value, socklen_t *length) {
  const struct timeval whole = {time / 1000000000, time % 1000000000 / 1000};
  return minios_give_value(&whole, sizeof whole, value, length);
}

int minios_take_time(const void *value, socklen_t length, s_time_t *time) {
  struct timeval whole;
  if (length < sizeof whole)
    return -EINVAL;
  memcpy(&whole, value, sizeof whole);
  if (whole.tv_usec < 0 || whole.tv_usec >= 1000000)
    return -EDOM;
  *time = (s_time_t)whole.tv_sec * 1000000000 + whole.tv_usec * 1000;
  return 0;
}

s_time_t minios_socket_deadline(s_time_t timeout) {
  return timeout == 0 ? 0 : NOW() + timeout;
}

/* Open files of the image's own: descriptors, poll, dup, flags, and that the last close is told, once. */
#include <errno.h>
#include <fcntl.h>
#include <mini-os/api.h>
#include <mini-os/posix.h>
#include <mini-os/sched.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

struct letters {
  struct minios_object object;
  char next;
  int closed;
};

static ssize_t read_letters(struct minios_object *object, void *buffer, size_t count) {
  struct letters *letters = (struct letters *)object;
  if (!(object->ready & POLLIN))
    return object->flags & O_NONBLOCK ? -EAGAIN : 0;
  memset(buffer, letters->next++, count);
  return (ssize_t)count;
}

static ssize_t write_letters(struct minios_object *object, const void *buffer, size_t count) {
  if (count == 0)
    return -EPIPE;
  ((struct letters *)object)->next = *(const char *)buffer;
  return 1;
}

static int control_letters(struct minios_object *object, unsigned long request, void *argument) {
  if (request != FIONREAD)
    return -ENOTTY;
  *(int *)argument = ((struct letters *)object)->next;
  return 0;
}

static void close_letters(struct minios_object *object) {
  ((struct letters *)object)->closed++;
}

static const struct minios_object_calls calls = {read_letters, write_letters, control_letters,
                                                 close_letters};

static void make_ready(void *data) {
  msleep(5);
  ((struct minios_object *)data)->ready |= POLLIN;
}

int main(void) {
  struct letters letters = {{.ready = POLLOUT, .flags = O_RDWR, .calls = &calls}, 'a', 0};
  int fd = minios_open_object(MINIOS_FD_SOCKET, &letters, O_CLOEXEC);
  char text[4] = "";
  struct stat status;
  int number = 0;
  printf("descriptor %d, kind %d, flags %d\n", fd, minios_fd_kind(fd), fcntl(fd, F_GETFD));

  struct pollfd fds[2] = {{.fd = fd, .events = POLLIN}, {.fd = fd, .events = POLLOUT}};
  int result = poll(fds, 2, 0);
  printf("poll %d: %d %d\n", result, fds[0].revents, fds[1].revents);
  fcntl(fd, F_SETFL, O_NONBLOCK);
  result = (int)read(fd, text, 1);
  printf("flags %x, read %d %s\n", (unsigned)letters.object.flags, result, strerror(errno));
  create_thread("other", make_ready, &letters);
  result = poll(fds, 1, -1);
  printf("poll %d: %d\n", result, fds[0].revents);
  result = (int)read(fd, text, 3);
  printf("read %d %s\n", result, text);
  result = (int)write(fd, "x", 1);
  printf("write %d, next %c\n", result, letters.next);
  result = (int)write(fd, "", 0);
  printf("write %d %s\n", result, strerror(errno));
  result = ioctl(fd, FIONREAD, &number);
  printf("ioctl %d: %c\n", result, number);
  result = (int)lseek(fd, 0, SEEK_SET);
  printf("lseek %d %s\n", result, strerror(errno));
  result = fstat(fd, &status);
  printf("fstat %d, a socket: %d\n", result, S_ISSOCK(status.st_mode));
  printf("terminal %d, pread %d\n", isatty(fd), (int)pread(fd, text, 1, 0));

  int again = dup(fd);
  close(fd);
  printf("closed %d\n", letters.closed);
  dup2(1, again);
  result = (int)read(fd, text, 1);
  printf("closed %d, read %d %s\n", letters.closed, result, strerror(errno));
  printf("kind 1: %d\n", minios_open_object(MINIOS_FD_CONSOLE, &letters, 0));
  printf("nowhere: %d\n", minios_open_object(MINIOS_FD_SOCKET, (void *)8, 0));
  return 0;
}

/* Descriptors: pipes, duplicates, flags, several buffers at once, devices, poll; and what each says where it fails. */
#define _GNU_SOURCE
#include "errors.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <termios.h>
#include <unistd.h>

static char big[200000];

static void files(void) {
  char text[64];
  int fd = open("f", O_RDWR | O_CREAT | O_TRUNC, 0600);
  SAY(pwrite(fd, "hello world", 11, 5));
  SAY(lseek(fd, 0, SEEK_CUR));
  SAY(pread(fd, text, sizeof text, 3));
  printf("%d%d%.9s\n", text[0], text[1], text + 2);
  SAY(pread(fd, text, 5, -1));
  SAY(pread(fd, text, 5, 100));
  SAY(lseek(fd, -1, SEEK_SET));
  SAY(lseek(fd, 3, SEEK_END));
  SAY(lseek(fd, 0, 77));
  struct iovec out[3] = {{.iov_base = "one", .iov_len = 3}, {.iov_len = 0}, {.iov_base = "-three", .iov_len = 6}};
  SAY(writev(fd, out, 3));
  SAY(lseek(fd, 0, SEEK_SET));
  struct iovec in[2] = {{.iov_base = text, .iov_len = 7}, {.iov_base = text + 20, .iov_len = 30}};
  SAY(readv(fd, in, 2));
  printf("%.2s %.21s\n", text + 5, text + 20);
  SAY(readv(fd, in, -1));
  SAY(writev(-1, out, 3));
  SAY(ftruncate(fd, 3));
  SAY(ftruncate(fd, -1));
  SAY(truncate("f", 30));
  SAY(truncate("no", 30));
  SAY(lseek(fd, 0, SEEK_END));
  SAY(fsync(fd));
  SAY(fdatasync(fd));
  SAY(posix_fallocate(fd, 0, 50));
  SAY(lseek(fd, 0, SEEK_END));
  SAY(close(fd));
  SAY(fsync(fd));
  fd = open("f", O_WRONLY | O_APPEND);
  SAY(write(fd, "end", 3));
  SAY(lseek(fd, 0, SEEK_CUR));
  SAY(lseek(fd, 0, SEEK_SET));
  SAY(write(fd, "!", 1));
  SAY(lseek(fd, 0, SEEK_CUR));
  SAY(read(fd, text, 1));
  SAY(close(fd));
  fd = open("f", O_RDONLY);
  SAY(write(fd, "x", 1));
  SAY(ftruncate(fd, 1));
  SAY(close(fd));
  SAY(open("f/", O_RDONLY));
  SAY(open("f", O_RDONLY | O_DIRECTORY));
  SAY(open("no", O_RDONLY));
  SAY(open(".", O_WRONLY));
  SAY(open(".", O_RDONLY | O_CREAT, 0600));
  SAY(open("f", O_RDWR | O_CREAT | O_EXCL, 0600));
  SAY(open("no/", O_RDWR | O_CREAT, 0600));
  fd = open(".", O_RDONLY);
  SAY(read(fd, text, 1));
  SAY(close(fd));
  SAY(unlink("f"));
}

static void duplicates(void) {
  int fd = open("g", O_RDWR | O_CREAT | O_TRUNC, 0600);
  int other = dup(fd);
  SAY(write(fd, "abcdef", 6));
  SAY(lseek(other, 0, SEEK_CUR));
  SAY(fcntl(fd, F_GETFD));
  SAY(fcntl(fd, F_SETFD, FD_CLOEXEC));
  SAY(fcntl(fd, F_GETFD));
  SAY(fcntl(other, F_GETFD));
  int high = fcntl(fd, F_DUPFD, 50);
  SAY(high);
  SAY(fcntl(fd, F_DUPFD_CLOEXEC, 50));
  SAY(fcntl(51, F_GETFD));
  SAY(dup2(fd, 60));
  SAY(dup2(fd, fd) == fd);
  SAY(dup2(-1, 60));
  SAY(dup2(fd, -1));
  SAY(dup(99));
  SAY(dup3(fd, fd, 0));
  SAY(dup3(fd, 61, O_CLOEXEC));
  SAY(fcntl(61, F_GETFD));
  SAY(fcntl(fd, F_DUPFD, -1));
  printf("%d\n", (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR);
  SAY(fcntl(fd, F_SETFL, O_APPEND));
  printf("%d\n", (fcntl(other, F_GETFL) & O_APPEND) != 0);
  SAY(fcntl(99, F_GETFL));
  SAY(close(fd));
  SAY(close(fd));
  SAY(lseek(high, 0, SEEK_SET));
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  SAY(fcntl(high, F_SETLK, &lock));
  SAY(fcntl(high, F_GETLK, &lock));
  printf("%d\n", lock.l_type == F_UNLCK);
  lock.l_type = 77;
  SAY(fcntl(high, F_SETLK, &lock));
  SAY(flock(high, LOCK_EX | LOCK_NB));
  SAY(flock(high, LOCK_UN));
  SAY(flock(99, LOCK_SH));
  SAY(lockf(high, F_TLOCK, 0));
  for (int i = 3; i < 70; i++)
    close(i);
  SAY(unlink("g"));
}

static void pipes(void) {
  int fds[2], waiting = -1;
  char text[64];
  struct stat found;
  SAY(pipe(fds));
  SAY(write(fds[1], "through", 7));
  SAY(ioctl(fds[0], FIONREAD, &waiting));
  printf("%d\n", waiting);
  SAY(read(fds[0], text, 3));
  SAY(read(fds[0], text, sizeof text));
  printf("%.4s\n", text);
  SAY(lseek(fds[0], 0, SEEK_SET));
  SAY(pread(fds[0], text, 1, 0));
  SAY(write(fds[0], "x", 1));
  SAY(read(fds[1], text, 1));
  SAY(fsync(fds[1]));
  fstat(fds[0], &found);
  printf("%d\n", S_ISFIFO(found.st_mode));
  SAY(fcntl(fds[0], F_SETFL, O_NONBLOCK));
  SAY(read(fds[0], text, 1));
  SAY(fcntl(fds[1], F_SETFL, O_NONBLOCK));
  SAY(write(fds[1], big, sizeof big));
  SAY(write(fds[1], big, 1));
  SAY(read(fds[0], big, 4000));
  SAY(write(fds[1], big, 4096));
  struct pollfd list[3] = {{.fd = fds[0], .events = POLLIN}, {.fd = fds[1], .events = POLLOUT}, {.fd = 99, .events = POLLIN}};
  SAY(poll(list, 3, 0));
  printf("%d %d %d\n", list[0].revents == POLLIN, list[1].revents, list[2].revents == POLLNVAL);
  SAY(close(fds[1]));
  while (read(fds[0], big, sizeof big) > 0)
    ;
  SAY(read(fds[0], text, 1));
  SAY(poll(list, 1, 0));
  printf("%d\n", list[0].revents == POLLHUP);
  SAY(close(fds[0]));
  SAY(pipe2(fds, O_CLOEXEC | O_NONBLOCK));
  SAY(fcntl(fds[0], F_GETFD));
  printf("%d\n", (fcntl(fds[1], F_GETFL) & O_NONBLOCK) != 0);
  fd_set readable, writable;
  FD_ZERO(&readable);
  FD_ZERO(&writable);
  FD_SET(fds[0], &readable);
  FD_SET(fds[1], &writable);
  struct timeval none = {0};
  SAY(select(fds[1] + 1, &readable, &writable, NULL, &none));
  printf("%d %d\n", FD_ISSET(fds[0], &readable), !!FD_ISSET(fds[1], &writable));
  close(fds[0]);
  close(fds[1]);
}

static void devices(void) {
  char text[64];
  memset(text, 7, sizeof text);
  int null = open("/dev/null", O_RDWR), zero = open("/dev/zero", O_RDONLY), random = open("/dev/urandom", O_RDONLY);
  struct stat found;
  SAY(read(null, text, 10));
  SAY(write(null, text, 10));
  SAY(read(zero, text, 10));
  printf("%d %d\n", text[9], text[10]);
  SAY(read(random, text, 32));
  int different = 0;
  for (int i = 1; i < 32; i++)
    different += text[i] != text[0];
  printf("%d\n", different > 10);
  stat("/dev/null", &found);
  printf("%o %lx\n", (unsigned)found.st_mode, (unsigned long)found.st_rdev);
  fstat(zero, &found);
  printf("%d %lx\n", S_ISCHR(found.st_mode), (unsigned long)found.st_rdev);
  int full = open("/dev/full", O_WRONLY);
  SAY(write(full, "x", 1));
  SAY(lseek(null, 5, SEEK_SET));
  SAY(isatty(null) == 0);
  printf("%s\n", error_name(errno));
  struct termios settings;
  SAY(tcgetattr(null, &settings));
  SAY(tcgetattr(99, &settings));
  SAY(ioctl(null, TIOCGWINSZ, text));
  printf("%d\n", ttyname(null) == NULL);
  for (int i = 3; i < 10; i++)
    close(i);
}

static void limits(void) {
  int last = -1, fd;
  while ((fd = open("/dev/null", O_RDONLY)) >= 0)
    last = fd;
  printf("%d %s\n", last > 60, error_name(errno));
  for (fd = 3; fd <= last; fd++)
    close(fd);
}

int main(void) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  files();
  duplicates();
  pipes();
  devices();
  limits();
  return 0;
}

/* System calls by the names that newlib's posix_spawn has for them. */
#include <fcntl.h>
#include <stdarg.h>
#include <unistd.h>

int _close(int fd) {
  return close(fd);
}

int _open(const char *path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  int mode = flags & O_CREAT ? va_arg(arguments, int) : 0;
  va_end(arguments);
  return open(path, flags, mode);
}

int _fcntl(int fd, int command, ...) {
  va_list arguments;
  va_start(arguments, command);
  long argument = va_arg(arguments, long);
  va_end(arguments);
  return fcntl(fd, command, argument);
}

int _execve(const char *path, char *const *arguments, char *const *environment) {
  return execve(path, arguments, environment);
}

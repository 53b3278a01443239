/* Files by name and descriptor: permissions, owners and times, and what they are after a change. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>
#include <utime.h>

#define NAME "a-file"

static void say(const char *what, int result) {
  /* strerror's words are each C library's own. */
  const char *error = errno == EBADF ? "EBADF" : errno == ENOENT ? "ENOENT" : strerror(errno);
  printf("%s: %s\n", what, result == 0 ? "done" : error);
}

static void show(void) {
  struct stat found;
  if (stat(NAME, &found) != 0)
    printf("no status\n");
  else
    printf("mode %o, size %ld, modified %ld.%09ld\n", (unsigned)found.st_mode, (long)found.st_size,
           (long)found.st_mtim.tv_sec, (long)found.st_mtim.tv_nsec);
}

/* In the directory that an argument names. */
int main(int argc, char **argv) {
  if (argc > 1 && chdir(argv[1]) != 0)
    return 2;

  int fd = open(NAME, O_RDWR | O_CREAT | O_TRUNC, 0600);
  struct utimbuf second = {.actime = 1, .modtime = 1234567890};
  struct timeval microsecond[2] = {{.tv_sec = 5}, {.tv_sec = 1700000000, .tv_usec = 654321}};
  struct stat before, after;

  say("write", write(fd, "twelve bytes", 12) == 12 ? 0 : -1);
  say("utime", utime(NAME, &second));
  show();
  say("fchmod", fchmod(fd, 01751));
  say("utimes", utimes(NAME, microsecond));
  show();
  say("chmod", chmod(NAME, 0200));
  show();
  say("chown", chown(NAME, (uid_t)-1, (gid_t)-1));
  say("fchown", fchown(fd, (uid_t)-1, (gid_t)-1));
  stat(NAME, &before);
  say("utime, now", utime(NAME, NULL));
  stat(NAME, &after);
  printf("later: %d\n", after.st_mtime > before.st_mtime);
  say("write", write(fd, "more", 4) == 4 ? 0 : -1);
  say("close", close(fd));
  say("fchmod of a closed file", fchmod(fd, 0644));
  say("chmod of no file", chmod("no-file", 0644));
  say("utime of no file", utime("no-file", NULL));
  say("unlink", unlink(NAME));
  return 0;
}

/* What else there is to do with names and descriptors: owners, nodes, directories by descriptor, times, advice; terminals that are none. */
#define _GNU_SOURCE
#include "errors.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <termios.h>
#include <unistd.h>
#include <utime.h>

static void owners(int fd) {
  struct stat status;
  uid_t own = geteuid();
  gid_t group = getegid();
  SAY(chown("file", own, group));
  SAY(chown("file", (uid_t)-1, (gid_t)-1));
  SAY(chown("none", own, group));
  SAY(fchown(fd, own, group));
  SAY(fchown(-1, own, group));
  SAY(lchown("link", own, group));
  SAY(fchownat(AT_FDCWD, "link", own, group, AT_SYMLINK_NOFOLLOW));
  SAY(fchownat(AT_FDCWD, "none", own, group, 0));
  SAY(fchownat(AT_FDCWD, "file", own, group, 0x4000000));
  SAY(fstat(fd, &status));
  printf("own %d %d\n", status.st_uid == own, status.st_gid == group);
}

static void make(void) {
  SAY(mknod("regular", S_IFREG | 0640, 0));
  SAY(mknod("regular", S_IFREG | 0640, 0));
  SAY(mknodat(AT_FDCWD, "other", S_IFREG | 0600, 0));
  SAY(mknod("directory", S_IFDIR | 0700, 0));
  SAY(mknodat(-1, "other", S_IFREG | 0600, 0));
  SAY(mknod("no/regular", S_IFREG, 0));
  SAY(unlink("regular"));
  SAY(unlink("other"));
}

static int not_dots(const struct dirent *entry) {
  return entry->d_name[0] != '.';
}

static void directories(void) {
  struct dirent **list, entry, *next;
  int fd = open(".", O_RDONLY | O_DIRECTORY), file = open("file", O_RDONLY), names = 0;
  int count = scandirat(AT_FDCWD, ".", &list, not_dots, alphasort);
  for (int i = 0; i < count; i++) {
    printf("%s ", list[i]->d_name);
    free(list[i]);
  }
  free(list);
  printf("%d\n", count);
  SAY(scandirat(AT_FDCWD, "none", &list, not_dots, alphasort));
  SAY(scandir("file", &list, not_dots, alphasort));
  DIR *directory = fdopendir(fd);
  SAY(dirfd(directory) == fd);
  while (readdir_r(directory, &entry, &next) == 0 && next != NULL)
    names += entry.d_name[0] != '.';
  printf("%d names\n", names);
  rewinddir(directory);
  long place = telldir(directory);
  next = readdir(directory);
  char first[256];
  strcpy(first, next->d_name);
  seekdir(directory, place);
  printf("again %d\n", strcmp(readdir(directory)->d_name, first) == 0);
  SAY(closedir(directory));
  SAY(close(fd));
  SAY(fdopendir(file) == NULL ? -1 : 0);
  SAY(fdopendir(-1) == NULL ? -1 : 0);
  SAY(close(file));
}

static void times(int fd) {
  struct stat status;
  struct timespec exact[2] = {{1000000000, 5000}, {1100000000, 7000}}, part[2] = {{0, UTIME_OMIT}, {1200000000, 0}};
  struct timespec wrong[2] = {{0, 1000000000}, {0, 0}};
  struct timeval coarse[2] = {{1300000000, 3}, {1400000000, 4}}, bad[2] = {{1, -1}, {1, 0}};
  struct utimbuf old = {1500000000, 1600000000};
#define SHOW() (fstat(fd, &status), printf("%ld %ld\n", (long)status.st_atime, (long)status.st_mtime))
  SAY(utimensat(AT_FDCWD, "file", exact, 0));
  SHOW();
  SAY(utimensat(AT_FDCWD, "file", part, 0));
  SHOW();
  SAY(utimensat(AT_FDCWD, "none", exact, 0));
  SAY(utimensat(AT_FDCWD, "file", wrong, 0));
  SAY(utimensat(AT_FDCWD, "file", exact, 0x4000000));
  SAY(futimens(fd, exact));
  SHOW();
  SAY(futimes(fd, coarse));
  SHOW();
  SAY(futimes(fd, bad));
  SAY(utimes("file", bad));
  SHOW();
  SAY(futimesat(AT_FDCWD, "file", coarse));
  SHOW();
  SAY(utime("file", &old));
  SHOW();
  SAY(lutimes("link", coarse));
  SHOW();
  SAY(lstat("link", &status));
  printf("link %ld\n", (long)status.st_mtime);
  SAY(utimes("file", NULL));
  SAY(fstat(fd, &status));
  printf("now %d\n", status.st_mtime > 1600000000);
}

static void contents(int fd) {
  struct statvfs space;
  char text[16] = "";
  struct iovec out[2] = {{"abc", 3}, {"defgh", 5}}, in[2] = {{text, 2}, {text + 8, 4}};
  SAY(pwritev(fd, out, 2, 10));
  SAY(preadv(fd, in, 2, 11));
  printf("%s %.4s\n", text, text + 8);
  SAY(preadv(fd, in, 2, -1));
  SAY(pwritev(fd, out, -1, 0));
  SAY(lseek(fd, 0, SEEK_CUR));
  SAY(fstatvfs(fd, &space));
  printf("%d %d\n", space.f_bsize > 0, space.f_blocks >= space.f_bfree);
  SAY(fstatvfs(-1, &space));
  printf("%s\n", error_name(posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL)));
  printf("%s\n", error_name(posix_fadvise(fd, 0, 0, 77)));
  printf("%s\n", error_name(posix_fadvise(-1, 0, 0, POSIX_FADV_NORMAL)));
  printf("%s\n", error_name(posix_fallocate(fd, 20, 10)));
  SAY(lseek(fd, 0, SEEK_END));
  sync();
}

static void terminals(int fd) {
  struct termios mode = {0};
  char name[64];
  SAY(cfsetospeed(&mode, B9600));
  SAY(cfsetispeed(&mode, B9600));
  SAY(cfgetospeed(&mode) == B9600 && cfgetispeed(&mode) == B9600);
  mode.c_lflag = ICANON | ECHO | ISIG;
  mode.c_iflag = ICRNL | IXON;
  cfmakeraw(&mode);
  SAY((mode.c_lflag & (ICANON | ECHO | ISIG)) == 0 && (mode.c_iflag & (ICRNL | IXON)) == 0);
  SAY(tcgetattr(fd, &mode));
  SAY(tcsetattr(fd, TCSANOW, &mode));
  SAY(tcdrain(fd));
  SAY(tcflow(fd, TCOON));
  SAY(tcflush(fd, TCIOFLUSH));
  SAY(tcsendbreak(fd, 0));
  SAY(tcgetpgrp(fd));
  SAY(tcsetpgrp(fd, 1));
  SAY(tcgetsid(fd));
  SAY(tcdrain(-1));
  printf("%s\n", error_name(ttyname_r(fd, name, sizeof name)));
  printf("%d %s\n", ttyname(fd) == NULL, ctermid(name));
}

int main(void) {
  char place[] = "/tmp/stubdom-nodes-XXXXXX";
  setvbuf(stdout, NULL, _IOLBF, 0);
  umask(022);
  if (mkdtemp(place) == NULL || chdir(place) != 0)
    return 1;
  int fd = open("file", O_RDWR | O_CREAT, 0644);
  SAY(symlink("file", "link"));
  owners(fd);
  make();
  directories();
  times(fd);
  contents(fd);
  terminals(fd);
  char *here = get_current_dir_name();
  printf("here %d\n", strcmp(here, place) == 0);
  free(here);
  flockfile(stdout);
  printf("locked %d\n", ftrylockfile(stdout));
  funlockfile(stdout);
  funlockfile(stdout);
  SAY(close(fd));
  SAY(unlink("file"));
  SAY(unlink("link"));
  SAY(chdir("/"));
  SAY(rmdir(place));
  return 0;
}

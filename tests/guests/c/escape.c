/* Tries to leave /export; the argument is where on the host the folder lies. */
#include "errors.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

int main(int argc, char **argv) {
  char path[5000];
  struct stat one, other;
  (void)argc;
  SAY(open("/export/absolute/secret", O_RDONLY));
  SAY(open("/export/relative", O_RDONLY));
  SAY(open("/export/../secret", O_RDONLY));
  SAY(open("/export/../../../../etc/passwd", O_RDONLY));
  SAY(open("/proc/self/root/etc/passwd", O_RDONLY));
  snprintf(path, sizeof path, "%s/secret", argv[1]);
  SAY(open(path, O_RDONLY));
  SAY(chdir("/export/absolute"));
  SAY(chdir("/export"));
  SAY(open("../secret", O_RDONLY));
  SAY(open("./../export/own", O_RDONLY));
  SAY(open("to-own", O_RDONLY));
  stat("/export/..", &one);
  stat("/", &other);
  printf("the root is above: %d\n", one.st_ino == other.st_ino && one.st_dev == other.st_dev);
  stat("/export", &one);
  printf("another device: %d\n", one.st_dev != other.st_dev);
  SAY(symlink("../../secret", "mine"));
  SAY(open("mine", O_RDONLY));
  SAY(symlink("/", "root"));
  SAY(open("root/tmp", O_RDONLY | O_DIRECTORY));
  SAY(rename("/export/own", "/own"));
  SAY(link("/export/own", "/own"));
  SAY(rmdir("/export"));
  SAY(rename("/export", "/else"));
  SAY(unlink("mine"));
  SAY(unlink("root"));
  return 0;
}

/* Every change of /export, which is only read. */
#include "errors.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

int main(void) {
  chdir("/export");
  SAY(open("own", O_WRONLY));
  SAY(open("own", O_RDWR | O_TRUNC));
  SAY(open("new", O_RDWR | O_CREAT, 0600));
  SAY(mkdir("new", 0700));
  SAY(symlink("x", "new"));
  SAY(link("own", "new"));
  SAY(rename("own", "new"));
  SAY(unlink("own"));
  SAY(rmdir("d"));
  SAY(chmod("own", 0600));
  SAY(utimes("own", NULL));
  SAY(truncate("own", 0));
  SAY(access("own", W_OK));
  int fd = open("own", O_RDONLY);
  SAY(fchmod(fd, 0600));
  SAY(futimens(fd, NULL));
  puts(access("own", R_OK) == 0 && fd > 2 ? "done" : "not read");
  return 0;
}

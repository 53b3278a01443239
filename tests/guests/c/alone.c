/* What a domain cannot do, since it is one process; and what it tells its log. */
#include "errors.h"
#include <stdlib.h>
#include <sys/utsname.h>
#include <syslog.h>
#include <unistd.h>

int main(void) {
  struct utsname name;
  unsigned one = arc4random(), other = arc4random();
  setvbuf(stdout, NULL, _IOLBF, 0);
  for (int i = 0; i < 2; i++) {
    SAY(fork());
    SAY(execl("/bin/sh", "sh", NULL));
    SAY(system("ls"));
  }
  SAY(system(NULL));
  SAY(setuid(5));
  SAY(sethostname("other", 5));
  uname(&name);
  printf("%s %s\n", name.sysname, name.nodename);
  printf("%d %d\n", one != other, arc4random_uniform(1) == 0);
  openlog("program", LOG_PID, LOG_USER);
  errno = ENOENT;
  syslog(LOG_ERR, "%d times: %m, 100%%", 3);
  setlogmask(LOG_UPTO(LOG_ERR));
  syslog(LOG_WARNING, "not of interest");
  closelog();
  syslog(LOG_ERR, "nobody\n");
  return 0;
}

/* What a domain cannot do, since it is one process; and what it tells its log. */
#include "errors.h"
#include <dlfcn.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static void log_list(int priority, const char *format, ...) {
  va_list list;
  va_start(list, format);
  vsyslog(priority, format, list);
  va_end(list);
}

/* What is so because there is one process of one user, who has everything. */
static void alone(void) {
  sigset_t none;
  char name[64];
  char *words[] = {"program", NULL};
  gid_t group = 5;
  int devices = (mkfifo("/tmp/fifo", 0600) == -1 && errno == ENOSYS) + (mkfifoat(AT_FDCWD, "/tmp/fifo", 0600) == -1);
  int files = open("/tmp/file", O_CREAT | O_RDWR, 0600);
  printf("ids %d %d %d %d %d\n", (int)getpid(), (int)getppid(), (int)getuid(), (int)getpgid(0), (int)setsid());
  printf("login %s %d %s\n", getlogin(), getlogin_r(name, sizeof name), name);
  printf("groups %d %d\n", setgroups(0, NULL), setgroups(1, &group));
  printf("initgroups %d %d\n", initgroups("root", 0), issetugid());
  printf("host %d\n", gethostid() == gethostid());
  printf("owner %d\n", fchown(files, 7, 7) == -1 && errno == EPERM);
  printf("lchmod %d, fifos %d\n", lchmod("/tmp/file", 0600), devices);
  printf("vfork %d", vfork());
  printf(" %d", execv("/bin/true", words));
  printf(" %d", execvp("true", words));
  printf(" %d", execle("/bin/true", "true", NULL, words));
  printf(" %d", execlp("true", "true", NULL));
  printf(" %d", execve("/bin/true", words, words));
  printf(" %d", fexecve(files, words, words));
  printf(" %d", popen("ls", "r") == NULL && errno == ENOSYS);
  printf(" %d\n", pclose(NULL));
  printf("loading %d %d", dlopen("libm.so", RTLD_NOW) == NULL, dlerror() != NULL);
  printf(" %d %d\n", dlsym(NULL, "printf") == NULL, dlclose(NULL));
  pthread_yield();
  sigemptyset(&none);
  signal(SIGALRM, SIG_IGN);
  printf("alarm %u", ualarm(200000, 0));
  printf(" %d\n", ualarm(0, 0) > 0);
  psignal(SIGINT, "psignal");
  printf("spawn %s\n", error_name(posix_spawn(NULL, "/bin/true", NULL, NULL, words, environ)));
  printf("execvpe %d, setpgrp %d\n", execvpe("true", words, words), setpgrp());
  printf("time %d", clock_settime(CLOCK_REALTIME, &(struct timespec){.tv_sec = 1000000000}));
  printf(" %d\n", time(NULL) - 1000000000 < 100000);
  close(files);
  unlink("/tmp/file");
}

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
  openlog("list", 0, LOG_USER);
  setlogmask(LOG_UPTO(LOG_DEBUG));
  log_list(LOG_INFO, "%s %d", "of a list", 7);
  alone();
  return 0;
}

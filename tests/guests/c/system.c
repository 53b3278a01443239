/* What programs ask of the system, with answers that are the same everywhere. */
#define _GNU_SOURCE
#include "errors.h"
#include <err.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <getopt.h>
#include <glob.h>
#include <grp.h>
#include <limits.h>
#include <locale.h>
#include <pwd.h>
#include <regex.h>
#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void limits(void) {
  printf("page %ld, tick %d, processors %d\n", sysconf(_SC_PAGESIZE), sysconf(_SC_CLK_TCK) > 0,
         sysconf(_SC_NPROCESSORS_ONLN) > 0);
  printf("threads %d, semaphores %d, keys %d, pages %d\n", sysconf(_SC_THREADS) >= 200809, sysconf(_SC_SEMAPHORES) >= 200112,
         sysconf(_SC_THREAD_KEYS_MAX) >= 128, sysconf(_SC_PHYS_PAGES) >= sysconf(_SC_AVPHYS_PAGES));
  SAY(sysconf(12345));
  SAY(pathconf("/", _PC_NAME_MAX));
  SAY(pathconf("/nowhere", _PC_NAME_MAX));
  SAY(pathconf("/", 12345));
  struct rlimit limit;
  SAY(getrlimit(RLIMIT_NOFILE, &limit));
  printf("descriptors %d\n", limit.rlim_cur >= 64 && limit.rlim_cur <= limit.rlim_max);
  limit.rlim_cur = limit.rlim_max + 1;
  SAY(limit.rlim_max == RLIM_INFINITY ? -1 : setrlimit(RLIMIT_NOFILE, &limit));
  SAY(getrlimit(99, &limit));
}

static void identity(void) {
  struct utsname name;
  char host[256];
  SAY(uname(&name));
  SAY(gethostname(host, sizeof host));
  printf("%d %d %d\n", strcmp(host, name.nodename), name.sysname[0] != 0, strlen(name.machine) > 0);
  SAY(gethostname(host, 1));
  struct passwd *user = getpwuid(0), entry, *result;
  char buffer[1024];
  printf("%s %d, %d\n", user->pw_name, (int)user->pw_uid, getpwnam("root")->pw_gid == 0);
  printf("%d %d\n", getpwnam("nobody of that name") == NULL, getpwuid(123456) == NULL);
  SAY(getpwnam_r("root", &entry, buffer, sizeof buffer, &result));
  printf("%s\n", result->pw_name);
  SAY(getpwnam_r("nobody of that name", &entry, buffer, sizeof buffer, &result));
  printf("%d\n", result == NULL);
  printf("%s %d\n", getgrgid(0)->gr_name, getgrnam("root")->gr_gid == 0);
  SAY(getpid() > 0 && getpgrp() > 0 && getpgid(0) == getpgrp() && getsid(0) > 0);
  SAY(getsid(1 << 20));
  SAY(wait(NULL));
  SAY(waitpid(-1, NULL, WNOHANG));
}

static void users(void) {
  struct passwd user, *found_user;
  struct group group, *found_group;
  char buffer[4096];
  gid_t groups[64];
  setpwent();
  found_user = getpwent();
  printf("first %s\n", found_user->pw_name);
  endpwent();
  setgrent();
  found_group = getgrent();
  printf("first %s\n", found_group->gr_name);
  endgrent();
  SAY(getpwuid_r(0, &user, buffer, sizeof buffer, &found_user));
  printf("%s\n", found_user->pw_name);
  SAY(getpwuid_r(123456, &user, buffer, sizeof buffer, &found_user));
  printf("%d\n", found_user == NULL);
  SAY(getgrgid_r(0, &group, buffer, sizeof buffer, &found_group));
  printf("%s\n", found_group->gr_name);
  SAY(getgrnam_r("root", &group, buffer, sizeof buffer, &found_group));
  printf("%d\n", (int)found_group->gr_gid);
  SAY(getuid() == geteuid() && getgid() == getegid());
  SAY(setuid(getuid()) == 0 && seteuid(geteuid()) == 0 && setgid(getgid()) == 0 && setegid(getegid()) == 0);
  SAY(setreuid((uid_t)-1, (uid_t)-1));
  SAY(setregid((gid_t)-1, getgid()));
  SAY(getgroups(0, NULL) == getgroups(64, groups));
  SAY(getppid() >= 0);
  SAY(setpgid(0, -1));
  SAY(setpgid(1 << 20, 0));
  /* Tests themselves may run with some niceness. */
  const int before = getpriority(PRIO_PROCESS, 0);
  printf("%d\n", before >= 0);
  SAY(getpriority(77, 0));
  SAY(setpriority(PRIO_PROCESS, 0, before + 3));
  SAY(getpriority(PRIO_PROCESS, 0) - before);
  SAY(nice(2) - before);
  SAY(getpriority(PRIO_PROCESS, 0) - before);
  SAY(getpagesize());
  SAY(getdtablesize() >= 64);
  SAY(fpathconf(0, 12345));
  SAY(fpathconf(-1, _PC_PIPE_BUF));
  SAY(confstr(_CS_PATH, buffer, sizeof buffer) > 0);
  SAY(confstr(77777, buffer, sizeof buffer));
}

static long between(const struct timespec *from, const struct timespec *to) {
  return (long)((to->tv_sec - from->tv_sec) * 1000 + (to->tv_nsec - from->tv_nsec) / 1000000);
}

static void clocks(void) {
  struct timespec from, to, part = {0, 15000000}, wrong = {0, 1000000000}, left = {1, 1};
  struct timeval day;
  struct rusage usage;
  struct tms ticks;
  clockid_t cpu;
  SAY(clock_settime(CLOCK_MONOTONIC, &part));
  SAY(settimeofday(&(struct timeval){0, -1}, NULL));
  SAY(sleep(0));
  SAY(clock_gettime(CLOCK_MONOTONIC, &from));
  SAY(nanosleep(&part, &left));
  SAY(usleep(5000));
  SAY(clock_gettime(CLOCK_MONOTONIC, &to));
  printf("slept %d\n", between(&from, &to) >= 20);
  SAY(nanosleep(&wrong, NULL));
  to.tv_nsec += 10000000;
  if (to.tv_nsec >= 1000000000) to.tv_sec++, to.tv_nsec -= 1000000000;
  printf("%d\n", clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &to, NULL));
  SAY(clock_gettime(CLOCK_MONOTONIC, &from));
  printf("until %d\n", between(&to, &from) >= 0);
  printf("%s\n", error_name(clock_nanosleep(CLOCK_MONOTONIC, 0, &wrong, NULL)));
  printf("%s\n", error_name(clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &part, NULL)));
  SAY(clock_gettime(999, &to));
  SAY(clock_getres(CLOCK_REALTIME, &to));
  printf("%d\n", to.tv_sec == 0 && to.tv_nsec > 0);
  SAY(clock_gettime(CLOCK_REALTIME, &to));
  SAY(gettimeofday(&day, NULL));
  printf("%d %d\n", to.tv_sec > 1700000000, day.tv_sec - to.tv_sec <= 1);
  for (volatile int i = 0; i < 3000000; i++) ;
  SAY(getrusage(RUSAGE_SELF, &usage));
  SAY(getrusage(77, &usage));
  SAY(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from));
  SAY(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to));
  printf("%d %d\n", from.tv_sec * 1000000000LL + from.tv_nsec > 0, between(&to, &from) >= -1000);
  printf("%d\n", clock_getcpuclockid(0, &cpu));
  SAY(clock_gettime(cpu, &to));
  printf("ran %d\n", clock() > 0);
  SAY(times(&ticks) != (clock_t)-1);
  SAY(sched_yield());
  SAY(sched_get_priority_max(SCHED_FIFO) > sched_get_priority_min(SCHED_FIFO));
  SAY(sched_get_priority_max(99));
}

static void make(const char *name) {
  int fd = open(name, O_CREAT | O_WRONLY, 0600);
  if (fd >= 0) close(fd);
}

static void patterns(void) {
  glob_t found;
  char place[] = "/tmp/stubdom-glob-XXXXXX", pattern[64];
  SAY(mkdtemp(place) == NULL ? -1 : 0);
  SAY(chdir(place));
  make("beta.c"), make("alpha.c"), make("gamma.h"), make(".hidden.c");
  int error = glob("*.c", 0, NULL, &found);
  printf("%d %d:", error, (int)found.gl_pathc);
  for (size_t i = 0; i < found.gl_pathc; i++) printf(" %s", found.gl_pathv[i]);
  error = glob("[f-z]*", GLOB_APPEND, NULL, &found);
  printf("\n%d %d %s\n", error, (int)found.gl_pathc, found.gl_pathv[2]);
  globfree(&found);
  printf("%d\n", glob("*.none", 0, NULL, &found) == GLOB_NOMATCH);
  printf("%d\n", glob("al\\pha.c", 0, NULL, &found));
  globfree(&found);
  printf("%d\n", glob("al\\pha.c", GLOB_NOESCAPE, NULL, &found) == GLOB_NOMATCH);
  snprintf(pattern, sizeof pattern, "%s/?????.[ch]", place);
  error = glob(pattern, GLOB_NOSORT, NULL, &found);
  printf("%d %d\n", error, (int)found.gl_pathc);
  globfree(&found);
  unlink("beta.c"), unlink("alpha.c"), unlink("gamma.h"), unlink(".hidden.c");
  SAY(chdir("/"));
  SAY(rmdir(place));
  printf("%d %d %d\n", fnmatch("a*[!b]?", "axxc1", 0), fnmatch("*", "a/b", FNM_PATHNAME) == FNM_NOMATCH,
         fnmatch("*", ".a", FNM_PERIOD) == FNM_NOMATCH);
  regex_t expression;
  regmatch_t parts[3];
  printf("%d\n", regcomp(&expression, "([a-z]+)=([0-9]{2,})", REG_EXTENDED));
  printf("%d", regexec(&expression, "  key=1234;", 3, parts, 0));
  for (int i = 0; i < 3; i++) printf(" %d-%d", (int)parts[i].rm_so, (int)parts[i].rm_eo);
  printf("\n%d\n", regexec(&expression, "key=1", 0, NULL, 0) == REG_NOMATCH);
  regfree(&expression);
  printf("%d\n", regcomp(&expression, "(", REG_EXTENDED) != 0);
}

static void options(void) {
  static const struct option known[] = {{"all", no_argument, NULL, 'a'}, {"size", required_argument, NULL, 's'}, {0}};
  char *words[] = {"program", "-a", "--size=5", "word", "-s7", "--all", "--", "-a", NULL};
  int option;
  printf("from %d\n", optind);
  while ((option = getopt_long(8, words, "as:", known, NULL)) != -1)
    printf("%c %s\n", option, optarg && option == 's' ? optarg : "-");
  printf("%s %s\n", words[optind], words[optind + 1]);
  char *others[] = {"program", "-ab", "-c", "value", "-x", "rest", NULL};
  optind = 1;
  opterr = 0;
  while ((option = getopt(6, others, "abc:")) != -1)
    printf("%c %s\n", option, option == 'c' ? optarg : "-");
  printf("%s\n", others[optind]);
  printf("%s %d\n", setlocale(LC_ALL, "C"), setlocale(LC_ALL, "no such locale") == NULL);
  SAY(setenv("STUBDOM_TEST", "value", 1));
  printf("%s\n", getenv("STUBDOM_TEST"));
  SAY(unsetenv("STUBDOM_TEST"));
  printf("%d\n", getenv("STUBDOM_TEST") == NULL);
  static unsigned char random[1000], sum;
  SAY(getentropy(random, 64));
  for (unsigned i = 0; i < 64; i++) sum |= random[i];
  printf("%d\n", sum != 0);
  SAY(getentropy(random, sizeof random));
}

static void warn_both(const char *format, ...) {
  va_list list;
  va_start(list, format);
  vwarnx(format, list);
  va_end(list);
  va_start(list, format);
  errno = EINVAL;
  vwarn(format, list);
  va_end(list);
}

static void end(int has_error, const char *format, ...) {
  va_list list;
  va_start(list, format);
  errno = EBADF;
  if (has_error)
    verr(8, format, list);
  verrx(9, format, list);
}

int main(int argc, char **argv) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  limits();
  identity();
  users();
  clocks();
  patterns();
  options();
  errno = ENOENT;
  warn("warned %d", 1);
  warnx("no error %s", "here");
  warn_both("both %d", 5);
  if (argc > 1 && strcmp(argv[1], "errx") == 0)
    errx(6, "the end");
  if (argc > 1)
    end(strcmp(argv[1], "verr") == 0, "ended by %s", argv[1]);
  errno = ENOENT;
  err(7, "the end");
}

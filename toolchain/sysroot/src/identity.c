/* One user and one group, root, who may do everything and cannot become anybody else. */
#include "result.h"

#include <grp.h>
#include <sys/types.h>
#include <unistd.h>

#define DOMAIN_PID 1

uid_t getuid(void) {
  return 0;
}

uid_t geteuid(void) {
  return 0;
}

gid_t getgid(void) {
  return 0;
}

gid_t getegid(void) {
  return 0;
}

int issetugid(void) {
  return 0;
}

/* -1 leaves it as it is. */
static int become(id_t wanted) {
  return wanted == 0 || wanted == (id_t)-1 ? 0 : minios_failed(_REENT, EPERM);
}

int setuid(uid_t id) {
  return become(id);
}

int seteuid(uid_t id) {
  return become(id);
}

int setgid(gid_t id) {
  return become(id);
}

int setegid(gid_t id) {
  return become(id);
}

int setreuid(uid_t real, uid_t effective) {
  return become(real) < 0 ? -1 : become(effective);
}

int setregid(gid_t real, gid_t effective) {
  return become(real) < 0 ? -1 : become(effective);
}

int getgroups(int size, gid_t list[]) {
  if (size < 0)
    return minios_failed(_REENT, EINVAL);
  if (size > 0)
    list[0] = 0;
  return 1;
}

int setgroups(int size, const gid_t *list) {
  for (int i = 0; i < size; i++)
    if (become(list[i]) < 0)
      return -1;
  return 0;
}

int initgroups(const char *name, gid_t base) {
  (void)name;
  return become(base);
}

/* The domain's one process leads its group and its session. */
static int check_process(pid_t pid) {
  return pid == 0 || pid == DOMAIN_PID ? 0 : minios_failed(_REENT, ESRCH);
}

pid_t getppid(void) {
  return 0;
}

pid_t getpgrp(void) {
  return DOMAIN_PID;
}

pid_t getpgid(pid_t pid) {
  return check_process(pid) < 0 ? -1 : DOMAIN_PID;
}

pid_t getsid(pid_t pid) {
  return check_process(pid) < 0 ? -1 : DOMAIN_PID;
}

pid_t setsid(void) {
  return minios_failed(_REENT, EPERM);
}

int setpgrp(void) {
  return 0;
}

int setpgid(pid_t pid, pid_t wanted) {
  if (wanted < 0)
    return minios_failed(_REENT, EINVAL);
  return check_process(pid) < 0 ? -1 : minios_failed(_REENT, EPERM);
}

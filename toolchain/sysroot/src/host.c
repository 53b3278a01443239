/* What the machine is called: uname, and the host's name, which is the domain's until the program gives it another. */
#include "result.h"

#include <limits.h>
#include <mini-os/api.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

static char given[HOST_NAME_MAX + 1];

static void host_name(char *result) {
  if (given[0] != '\0')
    strcpy(result, given);
  else if (minios_domain_name(result, HOST_NAME_MAX + 1) < 0)
    strcpy(result, "domain");
}

int gethostname(char *name, size_t size) {
  char whole[HOST_NAME_MAX + 1];
  host_name(whole);
  if (strlen(whole) >= size)
    return minios_failed(_REENT, ENAMETOOLONG);
  strcpy(name, whole);
  return 0;
}

int sethostname(const char *name, size_t size) {
  if (size > HOST_NAME_MAX || size == 0)
    return minios_failed(_REENT, EINVAL);
  memcpy(given, name, size);
  given[size] = '\0';
  return 0;
}

long gethostid(void) {
  return 0;
}

int uname(struct utsname *result) {
  memset(result, 0, sizeof *result);
  strcpy(result->sysname, "Mini-OS");
  host_name(result->nodename);
  strcpy(result->release, "1.0");
  strcpy(result->version, "stubdom");
#ifdef __x86_64__
  strcpy(result->machine, "x86_64");
#else
  strcpy(result->machine, "i686");
#endif
  return 0;
}

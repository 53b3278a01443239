/* popen: there is no other program that a domain could run. */
#include "result.h"

#include <stdio.h>

FILE *popen(const char *command, const char *mode) {
  (void)command;
  int is_mode = (mode[0] == 'r' || mode[0] == 'w') && (mode[1] == '\0' || (mode[1] == 'e' && mode[2] == '\0'));
  minios_failed(_REENT, is_mode ? ENOSYS : EINVAL);
  return NULL;
}

int pclose(FILE *stream) {
  (void)stream;
  return minios_failed(_REENT, ECHILD);
}

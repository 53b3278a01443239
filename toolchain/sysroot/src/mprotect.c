/* mprotect, of any page that a program may write without it. Images that call it have page tables. */
#include "mapping.h"
#include "result.h"

#include <unistd.h>

int mprotect(void *address, size_t length, int protection) {
  int allowed = minios_protection(protection);
  if ((size_t)address % (size_t)getpagesize() != 0)
    return minios_failed(_REENT, EINVAL);
  if (allowed < 0)
    return minios_failed(_REENT, ENOTSUP);
  int error = minios_protect_shared(address, length, allowed);
  if (error != 0)
    return minios_failed(_REENT, error);
  return MINIOS_INT(minios_protect(address, length, allowed));
}

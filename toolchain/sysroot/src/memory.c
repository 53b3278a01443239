/* The heap's end, which newlib's malloc moves. */
#include "result.h"

#include <malloc.h>
#include <mini-os/api.h>
#include <stdint.h>
#include <unistd.h>

#define PAGE_SIZE 4096

void *_sbrk_r(struct _reent *reent, ptrdiff_t increment) {
  void *old = minios_sbrk(increment);
  if ((uintptr_t)old < (uintptr_t)-PAGE_SIZE)
    return old;
  reent->_errno = (int)-(intptr_t)old;
  return (void *)-1;
}

int getpagesize(void) {
  return PAGE_SIZE;
}

int posix_memalign(void **result, size_t alignment, size_t size) {
  if (alignment < sizeof(void *) || (alignment & (alignment - 1)) != 0)
    return EINVAL;
  void *block = memalign(alignment, size);
  if (block == NULL)
    return ENOMEM;
  *result = block;
  return 0;
}

/* Randomness for arc4random and for whoever asks. */
#include "result.h"

#include <mini-os/api.h>
#include <stddef.h>
#include <unistd.h>

#define MOST 256 /* getentropy's own bound */

int getentropy(void *buffer, size_t size) {
  if (size > MOST)
    return minios_failed(_REENT, EIO);
  return minios_result(_REENT, minios_random(buffer, size)) < 0 ? -1 : 0;
}

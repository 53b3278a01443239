/* flockfile and its kin (POSIX), over the lock that each stream of newlib has. */
#include <stdio.h>
#include <sys/lock.h>

void flockfile(FILE *stream) {
  __lock_acquire_recursive(stream->_lock);
}

int ftrylockfile(FILE *stream) {
  return __lock_try_acquire_recursive(stream->_lock) ? 0 : -1;
}

void funlockfile(FILE *stream) {
  __lock_release_recursive(stream->_lock);
}

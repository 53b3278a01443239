/* Semaphores of POSIX. Those with a name are one domain's own. */
#ifndef _SEMAPHORE_POSIX_H
#define _SEMAPHORE_POSIX_H

#include <sys/types.h>
#include <time.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SEM_FAILED ((sem_t *)0)
#ifndef SEM_VALUE_MAX /* <limits.h> has it, too */
#define SEM_VALUE_MAX 0x7fffffff
#endif

typedef struct {
  unsigned value;
  struct minios_waiters waiters;
} sem_t;

int sem_init(sem_t *, int, unsigned);
int sem_destroy(sem_t *);
int sem_getvalue(sem_t *__restrict, int *__restrict);
int sem_post(sem_t *);
int sem_trywait(sem_t *);
int sem_wait(sem_t *);
int sem_timedwait(sem_t *__restrict, const struct timespec *__restrict);
int sem_clockwait(sem_t *__restrict, clockid_t, const struct timespec *__restrict);
sem_t *sem_open(const char *, int, ...);
int sem_close(sem_t *);
int sem_unlink(const char *);

#ifdef __cplusplus
}
#endif

#endif

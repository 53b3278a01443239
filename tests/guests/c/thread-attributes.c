/* What threads, locks and conditions can be told, and what they say of it; calls with clocks; what else there is to ask of a thread. */
#define _GNU_SOURCE
#include "errors.h"
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* One line: a call that answers with an error number. */
#define CALL(call) printf("%d %s: %s\n", __LINE__, #call, name_of(call))

static const char *name_of(int error) {
  return error == 0 ? "0" : error_name(error);
}

static void threads(void) {
  pthread_attr_t attr;
  struct sched_param param = {0};
  size_t size = 0;
  int value = -1;
  void *place = NULL;
  CALL(pthread_attr_init(&attr));
  CALL(pthread_attr_getguardsize(&attr, &size));
  printf("guard %d\n", size == 4096);
  CALL(pthread_attr_setguardsize(&attr, 8192));
  CALL(pthread_attr_getguardsize(&attr, &size));
  printf("guard %d\n", (int)size);
  CALL(pthread_attr_getdetachstate(&attr, &value));
  printf("joinable %d\n", value == PTHREAD_CREATE_JOINABLE);
  CALL(pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED));
  CALL(pthread_attr_getdetachstate(&attr, &value));
  printf("detached %d\n", value == PTHREAD_CREATE_DETACHED);
  CALL(pthread_attr_setdetachstate(&attr, 77));
  CALL(pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED));
  CALL(pthread_attr_getinheritsched(&attr, &value));
  printf("explicit %d\n", value == PTHREAD_EXPLICIT_SCHED);
  CALL(pthread_attr_setinheritsched(&attr, 77));
  CALL(pthread_attr_setschedpolicy(&attr, SCHED_RR));
  CALL(pthread_attr_getschedpolicy(&attr, &value));
  printf("round robin %d\n", value == SCHED_RR);
  CALL(pthread_attr_setschedpolicy(&attr, 77));
  param.sched_priority = 5;
  CALL(pthread_attr_setschedparam(&attr, &param));
  param.sched_priority = 0;
  CALL(pthread_attr_getschedparam(&attr, &param));
  printf("priority %d\n", param.sched_priority);
  CALL(pthread_attr_setscope(&attr, PTHREAD_SCOPE_SYSTEM));
  CALL(pthread_attr_setscope(&attr, PTHREAD_SCOPE_PROCESS));
  CALL(pthread_attr_getscope(&attr, &value));
  printf("system %d\n", value == PTHREAD_SCOPE_SYSTEM);
  CALL(pthread_attr_setstacksize(&attr, 1));
  CALL(pthread_attr_setstacksize(&attr, 200 * 1024));
  CALL(pthread_attr_getstacksize(&attr, &size));
  printf("stack %d\n", (int)size);
  void *memory = NULL;
  CALL(posix_memalign(&memory, 4096, 256 * 1024));
  CALL(posix_memalign(&place, 3, 8));
  CALL(pthread_attr_setstack(&attr, memory, 256 * 1024));
  CALL(pthread_attr_getstack(&attr, &place, &size));
  printf("stack %d %d\n", place == memory, (int)size);
  CALL(pthread_attr_setstackaddr(&attr, (char *)memory + 1024));
  CALL(pthread_attr_getstackaddr(&attr, &place));
  printf("stack %d\n", place == (char *)memory + 1024);
  CALL(pthread_attr_destroy(&attr));
}

static void locks(void) {
  pthread_mutexattr_t attr;
  pthread_mutex_t mutex;
  int value = -1;
  CALL(pthread_mutexattr_init(&attr));
  CALL(pthread_mutexattr_gettype(&attr, &value));
  printf("default %d\n", value == PTHREAD_MUTEX_DEFAULT);
  CALL(pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE));
  CALL(pthread_mutexattr_gettype(&attr, &value));
  printf("recursive %d\n", value == PTHREAD_MUTEX_RECURSIVE);
  CALL(pthread_mutexattr_settype(&attr, 77));
  CALL(pthread_mutexattr_getprotocol(&attr, &value));
  printf("none %d\n", value == PTHREAD_PRIO_NONE);
  CALL(pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT));
  CALL(pthread_mutexattr_getprotocol(&attr, &value));
  printf("inherit %d\n", value == PTHREAD_PRIO_INHERIT);
  CALL(pthread_mutexattr_setprotocol(&attr, 77));
  CALL(pthread_mutexattr_getrobust(&attr, &value));
  printf("stalled %d\n", value == PTHREAD_MUTEX_STALLED);
  CALL(pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST));
  CALL(pthread_mutexattr_getrobust(&attr, &value));
  printf("robust %d\n", value == PTHREAD_MUTEX_ROBUST);
  CALL(pthread_mutexattr_setrobust(&attr, 77));
  CALL(pthread_mutexattr_getpshared(&attr, &value));
  printf("private %d\n", value == PTHREAD_PROCESS_PRIVATE);
  CALL(pthread_mutexattr_setpshared(&attr, 77));
  CALL(pthread_mutexattr_destroy(&attr));
  pthread_mutexattr_init(&attr);
  CALL(pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_PROTECT));
  CALL(pthread_mutexattr_setprioceiling(&attr, 10));
  CALL(pthread_mutexattr_getprioceiling(&attr, &value));
  printf("ceiling %d\n", value);
  CALL(pthread_mutexattr_setprioceiling(&attr, 1000));
  pthread_mutexattr_destroy(&attr);
  CALL(pthread_mutex_init(&mutex, NULL));
  CALL(pthread_mutex_getprioceiling(&mutex, &value));
  CALL(pthread_mutex_setprioceiling(&mutex, 5, &value));
  CALL(pthread_mutex_destroy(&mutex));
}

static struct timespec soon(clockid_t clock) {
  struct timespec time;
  clock_gettime(clock, &time);
  time.tv_nsec += 20000000;
  if (time.tv_nsec >= 1000000000) {
    time.tv_sec++;
    time.tv_nsec -= 1000000000;
  }
  return time;
}

static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;

/* Somebody else has the locks. */
static void *wait_in_vain(void *unused) {
  struct timespec until = soon(CLOCK_MONOTONIC);
  (void)unused;
  CALL(pthread_rwlock_clockrdlock(&rwlock, CLOCK_MONOTONIC, &until));
  CALL(pthread_rwlock_clockwrlock(&rwlock, CLOCK_MONOTONIC, &until));
  CALL(pthread_mutex_clocklock(&held, CLOCK_MONOTONIC, &until));
  until = soon(CLOCK_REALTIME);
  CALL(pthread_rwlock_timedrdlock(&rwlock, &until));
  CALL(pthread_rwlock_timedwrlock(&rwlock, &until));
  return NULL;
}

static void shared(void) {
  pthread_rwlockattr_t attr;
  pthread_condattr_t condition_attr;
  pthread_barrierattr_t barrier_attr;
  pthread_cond_t condition;
  pthread_rwlock_t other;
  pthread_t thread;
  clockid_t clock;
  int value = -1;
  CALL(pthread_rwlockattr_init(&attr));
  CALL(pthread_rwlockattr_getpshared(&attr, &value));
  printf("private %d\n", value == PTHREAD_PROCESS_PRIVATE);
  CALL(pthread_rwlockattr_setpshared(&attr, 77));
  CALL(pthread_rwlock_init(&other, &attr));
  CALL(pthread_rwlockattr_destroy(&attr));
  CALL(pthread_rwlock_rdlock(&other));
  CALL(pthread_rwlock_unlock(&other));
  CALL(pthread_rwlock_destroy(&other));
  CALL(pthread_rwlock_wrlock(&rwlock));
  CALL(pthread_mutex_lock(&held));
  CALL(pthread_create(&thread, NULL, wait_in_vain, NULL));
  CALL(pthread_join(thread, NULL));
  CALL(pthread_rwlock_unlock(&rwlock));

  CALL(pthread_condattr_init(&condition_attr));
  CALL(pthread_condattr_getpshared(&condition_attr, &value));
  printf("private %d\n", value == PTHREAD_PROCESS_PRIVATE);
  CALL(pthread_condattr_setpshared(&condition_attr, 77));
  CALL(pthread_condattr_setclock(&condition_attr, CLOCK_MONOTONIC));
  CALL(pthread_condattr_getclock(&condition_attr, &clock));
  printf("monotonic %d\n", clock == CLOCK_MONOTONIC);
  CALL(pthread_condattr_setclock(&condition_attr, CLOCK_PROCESS_CPUTIME_ID));
  CALL(pthread_cond_init(&condition, &condition_attr));
  CALL(pthread_condattr_destroy(&condition_attr));
  struct timespec until = soon(CLOCK_MONOTONIC);
  CALL(pthread_cond_clockwait(&condition, &held, CLOCK_MONOTONIC, &until));
  CALL(pthread_cond_destroy(&condition));
  CALL(pthread_mutex_unlock(&held));

  CALL(pthread_barrierattr_init(&barrier_attr));
  CALL(pthread_barrierattr_getpshared(&barrier_attr, &value));
  printf("private %d\n", value == PTHREAD_PROCESS_PRIVATE);
  CALL(pthread_barrierattr_setpshared(&barrier_attr, 77));
  CALL(pthread_barrierattr_destroy(&barrier_attr));
}

static sem_t go;

static void *wait_for_go(void *unused) {
  (void)unused;
  while (sem_wait(&go) != 0)
    ;
  return (void *)5;
}

static volatile int handled;

static void handle(int signal, siginfo_t *info, void *context) {
  (void)signal, (void)context;
  handled = info->si_value.sival_int;
}

static void *catch_signal(void *unused) {
  struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO};
  (void)unused;
  sigaction(SIGUSR1, &action, NULL);
  sem_post(&go);
  for (int i = 0; handled == 0 && i < 1000; i++)
    usleep(1000);
  return NULL;
}

static void others(void) {
  pthread_t thread;
  pthread_attr_t attr;
  struct sched_param param = {0};
  struct timespec until = soon(CLOCK_REALTIME), time;
  clockid_t clock;
  void *result = NULL, *place;
  size_t size;
  int policy = -1, state;
  sem_init(&go, 0, 0);
  CALL(pthread_create(&thread, NULL, wait_for_go, NULL));
  CALL(pthread_tryjoin_np(thread, &result));
  CALL(pthread_timedjoin_np(thread, &result, &until));
  CALL(pthread_getschedparam(thread, &policy, &param));
  printf("other %d %d\n", policy == SCHED_OTHER, param.sched_priority);
  CALL(pthread_setschedparam(thread, SCHED_OTHER, &param));
  CALL(pthread_setschedparam(thread, 77, &param));
  CALL(pthread_setschedprio(thread, 0));
  CALL(pthread_getcpuclockid(thread, &clock));
  SAY(clock_gettime(clock, &time));
  CALL(pthread_getattr_np(thread, &attr));
  CALL(pthread_attr_getstack(&attr, &place, &size));
  printf("stack %d %d\n", place != NULL, size >= 16384);
  CALL(pthread_attr_destroy(&attr));
  sem_post(&go);
  CALL(pthread_join(thread, &result));
  printf("%d\n", (int)(intptr_t)result);

  CALL(pthread_create(&thread, NULL, catch_signal, NULL));
  while (sem_wait(&go) != 0)
    ;
  CALL(pthread_sigqueue(thread, SIGUSR1, (union sigval){.sival_int = 321}));
  CALL(pthread_join(thread, NULL));
  printf("handled %d\n", handled);

  CALL(pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &state));
  printf("deferred %d\n", state == PTHREAD_CANCEL_DEFERRED);
  CALL(pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, &state));
  printf("asynchronous %d\n", state == PTHREAD_CANCEL_ASYNCHRONOUS);
  CALL(pthread_setcanceltype(77, &state));
  CALL(pthread_atfork(NULL, NULL, NULL));
  CALL(pthread_setconcurrency(3));
  printf("concurrency %d\n", pthread_getconcurrency());
  CALL(pthread_setconcurrency(-1));
  until = soon(CLOCK_MONOTONIC);
  SAY(sem_clockwait(&go, CLOCK_MONOTONIC, &until));
  SAY(sem_clockwait(&go, CLOCK_PROCESS_CPUTIME_ID, &until));
}

static void scheduling(void) {
  struct sched_param param = {.sched_priority = 99};
  struct timespec time = {-1, -1};
  SAY(sched_getparam(0, &param));
  printf("priority %d\n", param.sched_priority);
  SAY(sched_getscheduler(0) == SCHED_OTHER);
  SAY(sched_setparam(0, &param));
  SAY(sched_setscheduler(0, SCHED_OTHER, &param));
  SAY(sched_setscheduler(0, 77, &param));
  SAY(sched_getscheduler(-1));
  SAY(sched_rr_get_interval(0, &time));
  printf("interval %d\n", time.tv_sec >= 0 && time.tv_nsec >= 0);
  SAY(sched_getcpu() >= 0);
  SAY(sched_yield());
}

int main(void) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  threads();
  locks();
  shared();
  others();
  scheduling();
  return 0;
}

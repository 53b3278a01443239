/* POSIX threads, one scene an argument; what a scene prints natively it prints in a guest, whoever runs first. */
#define _GNU_SOURCE
#include "errors.h"
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define CALL(call) printf("%d %s: %s\n", __LINE__, #call, outcome(call))

static const char *outcome(int error) {
  return error == 0 ? "0" : error == -1 ? "-1" : error_name(error);
}

static struct timespec later(clockid_t clock, long milliseconds) {
  struct timespec time;
  clock_gettime(clock, &time);
  time.tv_nsec += milliseconds * 1000000;
  time.tv_sec += time.tv_nsec / 1000000000;
  time.tv_nsec %= 1000000000;
  return time;
}

/* Runs it in a thread of its own, to its end. */
static void *apart(void *(*function)(void *), void *data) {
  pthread_t thread;
  void *result;
  pthread_create(&thread, NULL, function, data);
  pthread_join(thread, &result);
  return result;
}

/* ---- life ---- */

static sem_t told;
static void *same(void *data) { return data; }
static void *leave_early(void *data) {
  pthread_exit((char *)data + 1);
  return NULL;
}
static void *say_detached(void *data) {
  (void)data;
  CALL(pthread_detach(pthread_self()) == 0 ? 0 : EINVAL);
  sem_post(&told);
  return NULL;
}
static void *join_self(void *data) {
  (void)data;
  CALL(pthread_join(pthread_self(), NULL));
  return NULL;
}
static char own_stack[1 << 17] __attribute__((aligned(64)));
static void *on_own_stack(void *data) {
  char local;
  (void)data;
  return (void *)(intptr_t)(&local > own_stack && &local < own_stack + sizeof own_stack);
}
static void *deep(void *data) {
  volatile char room[500 * 1024];
  (void)data;
  for (size_t i = 0; i < sizeof room; i += 4096) room[i] = (char)i;
  return (void *)(intptr_t)room[4096 * 100];
}
static void life(void) {
  pthread_t thread;
  pthread_attr_t attr;
  void *result, *stack;
  size_t size;
  int state;
  char name[16];
  sem_init(&told, 0, 0);
  printf("%ld %ld\n", (long)(intptr_t)apart(same, (void *)42), (long)(intptr_t)apart(leave_early, (void *)42));
  CALL(pthread_equal(pthread_self(), pthread_self()) ? 0 : EINVAL);
  apart(join_self, NULL);
  pthread_create(&thread, NULL, say_detached, NULL);
  while (sem_wait(&told) != 0) ;
  CALL(pthread_attr_init(&attr));
  CALL(pthread_attr_setdetachstate(&attr, 77));
  CALL(pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED));
  CALL(pthread_attr_getdetachstate(&attr, &state));
  printf("detached %d\n", state == PTHREAD_CREATE_DETACHED);
  CALL(pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_JOINABLE));
  CALL(pthread_attr_setstacksize(&attr, 100));
  CALL(pthread_attr_setstacksize(&attr, 1 << 20));
  CALL(pthread_attr_getstacksize(&attr, &size));
  printf("%lu\n", (unsigned long)size);
  CALL(pthread_create(&thread, &attr, deep, NULL));
  CALL(pthread_join(thread, &result));
  CALL(pthread_attr_setstack(&attr, own_stack, sizeof own_stack));
  CALL(pthread_attr_getstack(&attr, &stack, &size));
  printf("%d %lu\n", stack == own_stack, (unsigned long)size);
  CALL(pthread_create(&thread, &attr, on_own_stack, NULL));
  CALL(pthread_join(thread, &result));
  printf("on its own stack %ld\n", (long)(intptr_t)result);
  CALL(pthread_attr_destroy(&attr));
  CALL(pthread_setname_np(pthread_self(), "a name that is too long"));
  CALL(pthread_setname_np(pthread_self(), "short"));
  CALL(pthread_getname_np(pthread_self(), name, sizeof name));
  printf("%s\n", name);
  CALL(pthread_getname_np(pthread_self(), name, 3));
  for (int i = 0; i < 200; i++) apart(same, NULL);
  puts("200 came and went");
}

/* ---- own: errno, __thread, keys ---- */

static __thread int initialised = 5;
static __thread struct { char bytes[40]; long double aligned; } zeroed;
static pthread_key_t key, other;
static int destroyed;
static void destroy(void *value) {
  destroyed++;
  if ((intptr_t)value < 3) pthread_setspecific(key, (char *)value + 1);
}
static void *own_things(void *data) {
  intptr_t n = (intptr_t)data;
  errno = (int)n;
  initialised += (int)n;
  zeroed.bytes[39]++;
  zeroed.aligned += 1.5L;
  pthread_setspecific(key, (void *)1);
  pthread_setspecific(other, (void *)n);
  sched_yield();
  printf("%d %d %d %.1Lf %ld, aligned %d\n", errno, initialised, zeroed.bytes[39], zeroed.aligned,
         (long)(intptr_t)pthread_getspecific(other), (uintptr_t)&zeroed % 16 == 0);
  return NULL;
}
static void own(void) {
  CALL(pthread_key_create(&key, destroy));
  CALL(pthread_key_create(&other, NULL));
  errno = 3;
  for (intptr_t n = 10; n < 13; n++) apart(own_things, (void *)n);
  printf("%d %d, destructors %d\n", errno, initialised, destroyed);
  printf("%p\n", pthread_getspecific(key) == NULL ? (void *)1 : (void *)2);
  CALL(pthread_setspecific(key, &key));
  CALL(pthread_key_delete(key));
  CALL(pthread_setspecific(key, &key));
  CALL(pthread_key_delete(key));
  CALL(pthread_key_create(&key, NULL));
  printf("%d\n", pthread_getspecific(key) == NULL);
}

/* ---- mutexes ---- */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static void *try_lock(void *data) { return (void *)(intptr_t)pthread_mutex_trylock(data); }
static void *unlock(void *data) { return (void *)(intptr_t)pthread_mutex_unlock(data); }
static void *lock_late(void *data) {
  struct timespec until = later(CLOCK_REALTIME, 20);
  return (void *)(intptr_t)pthread_mutex_timedlock(data, &until);
}
static void *lock_and_die(void *data) { return (void *)(intptr_t)pthread_mutex_lock(data); }
#define APART(function, data) printf("%d %s: %s\n", __LINE__, #function, outcome((int)(intptr_t)apart(function, data)))
static long counter;
static void *count(void *data) {
  for (int i = 0; i < (int)(intptr_t)data; i++) {
    pthread_mutex_lock(&mutex);
    long seen = counter;
    if (i % 8 == 0) sched_yield();
    counter = seen + 1;
    pthread_mutex_unlock(&mutex);
  }
  return NULL;
}
static void mutexes(void) {
  pthread_mutexattr_t attr;
  pthread_mutex_t checked, recursive, robust;
  CALL(pthread_mutex_lock(&mutex));
  CALL(pthread_mutex_destroy(&mutex));
  APART(try_lock, &mutex);
  APART(lock_late, &mutex);
  CALL(pthread_mutex_unlock(&mutex));
  CALL(pthread_mutexattr_init(&attr));
  CALL(pthread_mutexattr_settype(&attr, 99));
  CALL(pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ERRORCHECK));
  CALL(pthread_mutex_init(&checked, &attr));
  CALL(pthread_mutex_unlock(&checked));
  CALL(pthread_mutex_lock(&checked));
  CALL(pthread_mutex_lock(&checked));
  APART(unlock, &checked);
  CALL(pthread_mutex_unlock(&checked));
  CALL(pthread_mutex_destroy(&checked));
  CALL(pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE));
  CALL(pthread_mutex_init(&recursive, &attr));
  CALL(pthread_mutex_lock(&recursive));
  CALL(pthread_mutex_lock(&recursive));
  CALL(pthread_mutex_trylock(&recursive));
  CALL(pthread_mutex_unlock(&recursive));
  CALL(pthread_mutex_unlock(&recursive));
  APART(try_lock, &recursive);
  CALL(pthread_mutex_unlock(&recursive));
  CALL(pthread_mutex_unlock(&recursive));
  CALL(pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_NORMAL));
  CALL(pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST));
  CALL(pthread_mutex_init(&robust, &attr));
  APART(lock_and_die, &robust);
  CALL(pthread_mutex_lock(&robust));
  CALL(pthread_mutex_consistent(&robust));
  CALL(pthread_mutex_unlock(&robust));
  APART(lock_and_die, &robust);
  CALL(pthread_mutex_lock(&robust));
  CALL(pthread_mutex_unlock(&robust));
  CALL(pthread_mutex_lock(&robust));
  CALL(pthread_mutex_destroy(&robust));
  pthread_t threads[5];
  for (int i = 0; i < 5; i++) pthread_create(&threads[i], NULL, count, (void *)200);
  for (int i = 0; i < 5; i++) pthread_join(threads[i], NULL);
  printf("counted to %ld\n", counter);
}

/* ---- conditions ---- */

static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int turn, arrived, released;
static void *play(void *data) {
  int me = (int)(intptr_t)data;
  for (int round = 0; round < 3; round++) {
    pthread_mutex_lock(&mutex);
    while (turn % 3 != me) pthread_cond_wait(&changed, &mutex);
    printf("player %d round %d\n", me, round);
    turn++;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mutex);
  }
  return NULL;
}
static void *await_release(void *data) {
  (void)data;
  pthread_mutex_lock(&mutex);
  arrived++;
  pthread_cond_broadcast(&changed);
  while (!released) pthread_cond_wait(&changed, &mutex);
  released--;
  pthread_mutex_unlock(&mutex);
  return NULL;
}
static void conditions(void) {
  pthread_t threads[3];
  pthread_condattr_t attr;
  pthread_cond_t timed;
  clockid_t clock;
  for (intptr_t i = 2; i >= 0; i--) pthread_create(&threads[i], NULL, play, (void *)i);
  for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
  CALL(pthread_condattr_init(&attr));
  CALL(pthread_condattr_setclock(&attr, CLOCK_PROCESS_CPUTIME_ID));
  CALL(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC));
  CALL(pthread_condattr_getclock(&attr, &clock));
  printf("%d\n", clock == CLOCK_MONOTONIC);
  CALL(pthread_cond_init(&timed, &attr));
  struct timespec until = later(CLOCK_MONOTONIC, 20), real = later(CLOCK_REALTIME, 20), wrong = {0, 1000000000};
  pthread_mutex_lock(&mutex);
  CALL(pthread_cond_timedwait(&timed, &mutex, &until));
  CALL(pthread_cond_timedwait(&changed, &mutex, &real));
  CALL(pthread_cond_timedwait(&changed, &mutex, &wrong));
  CALL(pthread_mutex_trylock(&mutex));
  for (int i = 0; i < 3; i++) pthread_create(&threads[i], NULL, await_release, NULL);
  while (arrived < 3) pthread_cond_wait(&changed, &mutex);
  released = 3;
  CALL(pthread_cond_broadcast(&changed));
  CALL(pthread_cond_signal(&changed));
  pthread_mutex_unlock(&mutex);
  for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
  printf("released %d\n", released);
  CALL(pthread_cond_destroy(&timed));
}

/* ---- locks of readers and writers, barriers, spin locks, once ---- */

static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static void *try_read(void *data) {
  int error = pthread_rwlock_tryrdlock(data);
  if (error == 0) pthread_rwlock_unlock(data);
  return (void *)(intptr_t)error;
}
static void *try_write(void *data) {
  int error = pthread_rwlock_trywrlock(data);
  if (error == 0) pthread_rwlock_unlock(data);
  return (void *)(intptr_t)error;
}
static void *write_late(void *data) {
  struct timespec until = later(CLOCK_REALTIME, 20);
  return (void *)(intptr_t)pthread_rwlock_timedwrlock(data, &until);
}
static int shared_value;
static void *write_it(void *data) {
  pthread_rwlock_wrlock(&rwlock);
  int seen = shared_value;
  sched_yield();
  shared_value = seen + (int)(intptr_t)data;
  pthread_rwlock_unlock(&rwlock);
  return NULL;
}
static pthread_barrier_t barrier;
static void *meet(void *data) {
  intptr_t serial = 0;
  (void)data;
  for (int i = 0; i < 4; i++) {
    int result = pthread_barrier_wait(&barrier);
    if (result == PTHREAD_BARRIER_SERIAL_THREAD) serial++;
    else if (result != 0) serial += 1000;
  }
  return (void *)serial;
}
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int ran;
static void run_once(void) {
  ran++;
  sched_yield();
}
static void *call_once(void *data) {
  (void)data;
  pthread_once(&once, run_once);
  return (void *)(intptr_t)ran;
}
static pthread_spinlock_t spin;
static void *try_spin(void *data) {
  (void)data;
  return (void *)(intptr_t)pthread_spin_trylock(&spin);
}
static void locks(void) {
  pthread_t threads[4];
  CALL(pthread_rwlock_rdlock(&rwlock));
  CALL(pthread_rwlock_rdlock(&rwlock));
  APART(try_read, &rwlock);
  APART(try_write, &rwlock);
  APART(write_late, &rwlock);
  CALL(pthread_rwlock_unlock(&rwlock));
  CALL(pthread_rwlock_unlock(&rwlock));
  CALL(pthread_rwlock_wrlock(&rwlock));
  CALL(pthread_rwlock_wrlock(&rwlock));
  CALL(pthread_rwlock_rdlock(&rwlock));
  APART(try_read, &rwlock);
  for (intptr_t i = 0; i < 4; i++) pthread_create(&threads[i], NULL, write_it, (void *)(i + 1));
  CALL(pthread_rwlock_unlock(&rwlock));
  for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
  printf("written %d\n", shared_value);
  CALL(pthread_barrier_init(&barrier, NULL, 0));
  CALL(pthread_barrier_init(&barrier, NULL, 4));
  intptr_t serial = 0;
  for (int i = 0; i < 4; i++) pthread_create(&threads[i], NULL, meet, NULL);
  for (int i = 0; i < 4; i++) {
    void *result;
    pthread_join(threads[i], &result);
    serial += (intptr_t)result;
  }
  printf("met, the last one told %ld times\n", (long)serial);
  CALL(pthread_barrier_destroy(&barrier));
  for (int i = 0; i < 4; i++) pthread_create(&threads[i], NULL, call_once, NULL);
  for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
  printf("ran %d\n", ran);
  CALL(pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE));
  CALL(pthread_spin_lock(&spin));
  APART(try_spin, NULL);
  CALL(pthread_spin_unlock(&spin));
  CALL(pthread_spin_trylock(&spin));
  CALL(pthread_spin_unlock(&spin));
  CALL(pthread_spin_destroy(&spin));
}

/* ---- cancellation ---- */

static int ends[2];
static sem_t ready;
static void say_cleaned(void *data) { printf("cleaned up %s\n", (const char *)data); }
static void unlock_it(void *data) {
  printf("locked again %d\n", pthread_mutex_trylock(data) == EBUSY);
  pthread_mutex_unlock(data);
}
static void *wait_for_condition(void *data) {
  (void)data;
  pthread_mutex_lock(&mutex);
  pthread_cleanup_push(unlock_it, &mutex);
  sem_post(&ready);
  for (;;) pthread_cond_wait(&changed, &mutex);
  pthread_cleanup_pop(0);
  return NULL;
}
static void *wait_for_semaphore(void *data) {
  sem_t never;
  (void)data;
  sem_init(&never, 0, 0);
  pthread_cleanup_push(say_cleaned, "outer");
  pthread_cleanup_push(say_cleaned, "inner");
  sem_post(&ready);
  sem_wait(&never);
  pthread_cleanup_pop(0);
  pthread_cleanup_pop(0);
  return NULL;
}
static void *sleep_long(void *data) {
  (void)data;
  pthread_cleanup_push(say_cleaned, "sleep");
  sem_post(&ready);
  sleep(1000);
  pthread_cleanup_pop(0);
  return NULL;
}
static void *read_nothing(void *data) {
  char byte;
  (void)data;
  sem_post(&ready);
  return (void *)(intptr_t)read(ends[0], &byte, 1);
}
static void *test_cancel(void *data) {
  int old;
  (void)data;
  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
  printf("enabled before %d\n", old == PTHREAD_CANCEL_ENABLE);
  sem_post(&ready);
  sem_wait(&told);
  pthread_testcancel();
  puts("not cancelled while that is off");
  pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
  pthread_cleanup_push(say_cleaned, "popped");
  pthread_cleanup_pop(1);
  pthread_testcancel();
  puts("never");
  return NULL;
}
static void *wait_for_thread(void *data) {
  pthread_t *other_thread = data;
  sem_post(&ready);
  pthread_join(*other_thread, NULL);
  return NULL;
}
static void cancel_one(const char *what, void *(*function)(void *), void *data) {
  pthread_t thread;
  void *result;
  pthread_create(&thread, NULL, function, data);
  while (sem_wait(&ready) != 0) ;
  usleep(2000);
  int error = pthread_cancel(thread);
  sem_post(&told);
  pthread_join(thread, &result);
  while (sem_trywait(&told) == 0) ;
  printf("%s: %s, cancelled %d\n", what, outcome(error), result == PTHREAD_CANCELED);
}
static void cancellation(void) {
  pthread_t thread;
  sem_init(&ready, 0, 0);
  sem_init(&told, 0, 0);
  if (pipe(ends) != 0) return;
  cancel_one("condition", wait_for_condition, NULL);
  CALL(pthread_mutex_trylock(&mutex));
  cancel_one("semaphore", wait_for_semaphore, NULL);
  cancel_one("sleep", sleep_long, NULL);
  cancel_one("read", read_nothing, NULL);
  cancel_one("test", test_cancel, NULL);
  pthread_create(&thread, NULL, read_nothing, NULL);
  while (sem_wait(&ready) != 0) ;
  cancel_one("join", wait_for_thread, &thread);
  pthread_cancel(thread);
  CALL(pthread_join(thread, NULL));
}

/* ---- semaphores ---- */

static sem_t items, places;
static int ring[4], sum;
static void *produce(void *data) {
  for (int i = 1; i <= (int)(intptr_t)data; i++) {
    sem_wait(&places);
    ring[i % 4] = i;
    sem_post(&items);
  }
  return NULL;
}
static void semaphores(void) {
  sem_t semaphore, *named, *again;
  pthread_t thread;
  int value;
  SAY(sem_init(&semaphore, 0, 2));
  SAY(sem_wait(&semaphore));
  SAY(sem_trywait(&semaphore));
  SAY(sem_trywait(&semaphore));
  struct timespec until = later(CLOCK_REALTIME, 20), wrong = {0, -1};
  SAY(sem_timedwait(&semaphore, &until));
  SAY(sem_timedwait(&semaphore, &wrong));
  SAY(sem_post(&semaphore));
  SAY(sem_getvalue(&semaphore, &value));
  printf("%d\n", value);
  SAY(sem_destroy(&semaphore));
  sem_init(&items, 0, 0);
  sem_init(&places, 0, 4);
  pthread_create(&thread, NULL, produce, (void *)100);
  for (int i = 1; i <= 100; i++) {
    sem_wait(&items);
    sum += ring[i % 4];
    sem_post(&places);
  }
  pthread_join(thread, NULL);
  printf("sum %d\n", sum);
  sem_unlink("/stubdom-test");
  SAY(sem_open("/stubdom-test", 0) == SEM_FAILED ? -1 : 0);
  named = sem_open("/stubdom-test", O_CREAT | O_EXCL, 0600, 3);
  SAY(sem_getvalue(named, &value));
  printf("%d\n", value);
  again = sem_open("/stubdom-test", O_CREAT, 0600, 9);
  printf("same %d\n", again == named);
  SAY(sem_open("/stubdom-test", O_CREAT | O_EXCL, 0600, 9) == SEM_FAILED ? -1 : 0);
  SAY(sem_unlink("/stubdom-test"));
  SAY(sem_unlink("/stubdom-test"));
  SAY(sem_post(again));
  SAY(sem_close(again));
  SAY(sem_close(named));
}

/* ---- main leaves first ---- */

static void say_end(void) { puts("exit handler"); }
static void *outlive(void *data) {
  void *result = &data;
  pthread_join(*(pthread_t *)data, &result);
  printf("main left %ld\n", (long)(intptr_t)result);
  return NULL;
}
static void main_leaves(void) {
  static pthread_t self, thread;
  self = pthread_self();
  atexit(say_end);
  pthread_create(&thread, NULL, outlive, &self);
  pthread_exit((void *)7);
}

/* ---- attempts ---- */

static pthread_mutex_t wanted = PTHREAD_MUTEX_INITIALIZER, aside = PTHREAD_MUTEX_INITIALIZER;
static sem_t go, gone;
static void *holds(void *rounds) {
  for (intptr_t i = 0; i < (intptr_t)rounds; i++) {
    sched_yield();
    pthread_mutex_lock(&wanted);
    sem_wait(&go);
    pthread_mutex_unlock(&wanted);
    sem_post(&gone);
  }
  return rounds;
}

/* Who has the mutex waits for the one that tries, which therefore must not wait, wherever threads take turns. */
static void attempts(void) {
  pthread_t thread;
  intptr_t rounds = 4000;
  sem_init(&go, 0, 0);
  sem_init(&gone, 0, 0);
  pthread_create(&thread, NULL, holds, (void *)rounds);
  for (int i = 0; i < rounds; i++) {
    if (i % 3 == 0 && pthread_mutex_lock(&aside) == 0)
      pthread_mutex_unlock(&aside);
    if (pthread_mutex_trylock(&wanted) == 0)
      pthread_mutex_unlock(&wanted);
    sem_post(&go);
    sem_wait(&gone);
  }
  pthread_join(thread, NULL);
  printf("%d attempts\n", (int)rounds);
}

int main(int argc, char **argv) {
  static const struct {
    const char *name;
    void (*run)(void);
  } scenes[] = {{"life", life}, {"own", own}, {"mutexes", mutexes}, {"conditions", conditions}, {"locks", locks},
                {"cancellation", cancellation}, {"semaphores", semaphores}, {"main-leaves", main_leaves},
                {"attempts", attempts}};
  setvbuf(stdout, NULL, _IOLBF, 0);
  for (unsigned i = 0; argc > 1 && i < sizeof scenes / sizeof *scenes; i++)
    if (strcmp(argv[1], scenes[i].name) == 0) {
      scenes[i].run();
      return 0;
    }
  return 1;
}

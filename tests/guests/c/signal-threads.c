/* Signals among POSIX threads: masks, who handles them, waits that they end. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static pthread_t main_thread;
static volatile int calls, on_main;
static sem_t never, ready;

static void count(int signal) {
  (void)signal;
  calls++;
  on_main += pthread_equal(pthread_self(), main_thread) != 0;
}

static void handle(int signal, int flags) {
  struct sigaction action = {0};
  action.sa_handler = count;
  action.sa_flags = flags;
  sigaction(signal, &action, NULL);
  calls = on_main = 0;
}

static void *sleeps(void *data) {
  struct timespec wanted = {.tv_sec = 1000}, left = {0};
  (void)data;
  sem_post(&ready);
  errno = 0;
  int result = nanosleep(&wanted, &left);
  printf("nanosleep %d %d %d\n", result, errno == EINTR, left.tv_sec > 900);
  errno = 0;
  sem_post(&ready);
  result = sem_wait(&never);
  printf("sem_wait %d %d\n", result, errno == EINTR);
  return NULL;
}

/* Until what is sent has been taken: the thread may not wait yet. */
static void send_until(pthread_t thread, int signal, int wanted) {
  while (calls < wanted) {
    struct timespec moment = {.tv_nsec = 20000000};
    nanosleep(&moment, NULL);
    if (calls < wanted)
      pthread_kill(thread, signal);
  }
}

static void waits(void) {
  pthread_t thread;
  handle(SIGUSR1, 0);
  pthread_create(&thread, NULL, sleeps, NULL);
  sem_wait(&ready);
  send_until(thread, SIGUSR1, 1);
  sem_wait(&ready);
  send_until(thread, SIGUSR1, 2);
  pthread_join(thread, NULL);
  printf("calls %d, on main %d\n", calls >= 2, on_main);
}

static void *takes(void *data) {
  sigset_t set;
  int signal = 0;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR2);
  int result = sigwait(&set, &signal);
  printf("sigwait %d %d\n", result, signal);
  *(int *)data = signal;
  return NULL;
}

static void masks(void) {
  pthread_t thread;
  sigset_t set, old;
  int got = 0;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR2);
  pthread_sigmask(SIG_BLOCK, &set, &old);
  pthread_create(&thread, NULL, takes, &got);
  sched_yield();
  kill(getpid(), SIGUSR2);
  pthread_join(thread, NULL);
  printf("taken %d\n", got);
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  printf("bad %d %d\n", pthread_kill(pthread_self(), 65), pthread_sigmask(99, &set, NULL));
}

static void *spins(void *data) {
  unsigned long *rounds = data;
  // On a busy machine the alarm may come before this thread does.
  do
    ++*(volatile unsigned long *)rounds;
  while (calls == 0);
  return NULL;
}

/* The main thread waits while another never gives way. */
static void alarms(void) {
  pthread_t thread;
  unsigned long rounds = 0;
  struct itimerval soon = {.it_value = {.tv_usec = 20000}};
  handle(SIGALRM, SA_RESTART);
  pthread_create(&thread, NULL, spins, &rounds);
  setitimer(ITIMER_REAL, &soon, NULL);
  pthread_join(thread, NULL);
  printf("alarm: calls %d, on main %d, rounds %d\n", calls, on_main, rounds > 0);
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static volatile long total;

static void *adds(void *data) {
  for (int i = 0; i < 20000; i++) {
    pthread_mutex_lock(&mutex);
    long before = total;
    for (volatile int j = 0; j < 5; j++)
      ;
    total = before + 1;
    pthread_mutex_unlock(&mutex);
    if (i % 500 == 0)
      sched_yield();
  }
  return data;
}

/* Handlers on the main thread, while others work with locks. */
static void storm(void) {
  pthread_t threads[4];
  struct itimerval often = {.it_value = {.tv_usec = 1000}, .it_interval = {.tv_usec = 1000}}, off = {0};
  handle(SIGALRM, SA_RESTART);
  setitimer(ITIMER_REAL, &often, NULL);
  for (int i = 0; i < 4; i++)
    pthread_create(&threads[i], NULL, adds, NULL);
  for (int i = 0; i < 4; i++)
    pthread_join(threads[i], NULL);
  setitimer(ITIMER_REAL, &off, NULL);
  printf("storm: total %ld\n", total);
}

int main(void) {
  setvbuf(stdout, NULL, _IONBF, 0);
  main_thread = pthread_self();
  sem_init(&never, 0, 0);
  sem_init(&ready, 0, 0);
  waits();
  masks();
  alarms();
  storm();
  return 0;
}

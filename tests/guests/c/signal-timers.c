/* Signals that come by themselves: alarms and timers, calls that they end or not, broken pipes. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile int calls, codes, pipe_end;

static void count(int signal) {
  (void)signal;
  calls++;
}

static void on(int signal, int flags) {
  struct sigaction action = {0};
  action.sa_handler = count;
  action.sa_flags = flags;
  sigaction(signal, &action, NULL);
}

static void after(int which, int milliseconds, int interval) {
  struct itimerval timer = {
      .it_value = {.tv_usec = milliseconds * 1000},
      .it_interval = {.tv_usec = interval * 1000},
  };
  if (setitimer(which, &timer, NULL) < 0)
    printf("setitimer failed\n");
}

static void stop(int which) {
  setitimer(which, &(struct itimerval){0}, NULL);
}

static void alarms(void) {
  struct itimerval now;
  on(SIGALRM, 0);
  printf("alarm: %u", alarm(100));
  printf(" %d", alarm(50) >= 60);
  getitimer(ITIMER_REAL, &now);
  printf(" %d", now.it_value.tv_sec >= 10 && now.it_value.tv_sec <= 50);
  printf(" %d", alarm(0) >= 10);
  printf(" %u\n", alarm(0));
  calls = 0;
  after(ITIMER_REAL, 5, 5);
  printf("pause: %d", pause());
  printf(" %d, calls %d\n", errno == EINTR, calls > 0);
  for (calls = 0; calls < 5;)
    pause();
  stop(ITIMER_REAL);
  printf("again and again: %d\n", calls >= 5);
  errno = 0;
  printf("bad: %d", setitimer(7, &now, NULL));
  printf(" %d", errno == EINVAL);
  now.it_value.tv_usec = 1000000;
  errno = 0;
  printf(" %d", setitimer(ITIMER_REAL, &now, NULL));
  printf(" %d\n", errno == EINVAL);
}

static void processor(void) {
  volatile unsigned work = 0;
  on(SIGVTALRM, 0);
  on(SIGPROF, 0);
  calls = 0;
  after(ITIMER_VIRTUAL, 10, 10);
  while (calls < 3)
    work++;
  stop(ITIMER_VIRTUAL);
  printf("virtual: %d\n", calls >= 3);
  calls = 0;
  after(ITIMER_PROF, 10, 0);
  while (calls < 1)
    work++;
  printf("prof: %d\n", calls);
}

static void endings(void) {
  int ends[2];
  char byte;
  struct timespec left = {0}, wanted = {.tv_sec = 100};
  pipe(ends);
  for (int i = 0; i < 2; i++) {
    on(SIGALRM, i == 0 ? 0 : SA_RESTART);
    printf("%s\n", i == 0 ? "ends calls" : "restarts calls");
    calls = 0;
    after(ITIMER_REAL, 5, 5);
    if (i == 0) {
      errno = 0;
      printf("read: %d", (int)read(ends[0], &byte, 1));
      printf(" %d\n", errno == EINTR);
    }
    after(ITIMER_REAL, 5, 5);
    errno = 0;
    printf("nanosleep: %d", nanosleep(&wanted, &left));
    printf(" %d, left %d\n", errno == EINTR, left.tv_sec >= 60 && left.tv_sec < 100);
    after(ITIMER_REAL, 5, 5);
    printf("sleep: %d\n", sleep(100) >= 60);
    after(ITIMER_REAL, 5, 5);
    errno = 0;
    printf("poll: %d", poll(&(struct pollfd){.fd = ends[0], .events = POLLIN}, 1, -1));
    printf(" %d\n", errno == EINTR);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    after(ITIMER_REAL, 5, 5);
    errno = 0;
    printf("sigtimedwait: %d", sigwaitinfo(&set, NULL));
    printf(" %d\n", errno == EINTR);
    stop(ITIMER_REAL);
    printf("calls %d\n", calls >= 4);
  }
  pipe_end = ends[1];
}

static void feed(int signal) {
  (void)signal;
  if (++calls == 3)
    write(pipe_end, "x", 1);
}

static void restarts(void) {
  int ends[2];
  char byte = 0;
  struct sigaction action = {0};
  pipe(ends);
  pipe_end = ends[1];
  action.sa_handler = feed;
  action.sa_flags = SA_RESTART;
  sigaction(SIGALRM, &action, NULL);
  calls = 0;
  after(ITIMER_REAL, 3, 3);
  int got = (int)read(ends[0], &byte, 1);
  stop(ITIMER_REAL);
  printf("restarted read: %d %c after %d\n", got, byte, calls >= 3);
}

static void pipes(void) {
  int ends[2];
  pipe(ends);
  close(ends[0]);
  on(SIGPIPE, 0);
  calls = 0;
  errno = 0;
  printf("write: %d", (int)write(ends[1], "x", 1));
  printf(" %d, calls %d\n", errno == EPIPE, calls);
  signal(SIGPIPE, SIG_IGN);
  errno = 0;
  printf("write: %d", (int)write(ends[1], "x", 1));
  printf(" %d\n", errno == EPIPE);
}

static volatile int overruns, values;
static timer_t timer;

static void expired(int signal, siginfo_t *info, void *context) {
  (void)signal, (void)context;
  calls++;
  codes = info->si_code;
  values = info->si_value.sival_int;
  overruns = timer_getoverrun(timer);
}

static void timers(clockid_t clock) {
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN, .sigev_value = {.sival_int = 9}};
  struct sigaction action = {0};
  struct itimerspec time = {.it_value = {.tv_nsec = 3000000}}, now;
  struct timespec moment = {.tv_nsec = 60000000};
  sigset_t set;
  action.sa_sigaction = expired;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGRTMIN, &action, NULL);
  printf("timer_create: %d\n", timer_create(clock, &event, &timer));
  calls = 0;
  printf("timer_settime: %d\n", timer_settime(timer, 0, &time, NULL));
  while (calls == 0)
    nanosleep(&moment, NULL);
  timer_gettime(timer, &now);
  printf("calls %d code %d value %d overruns %d, left %d\n", calls, codes, values, overruns,
         (int)(now.it_value.tv_sec + now.it_value.tv_nsec));
  /* What expires while the signal is blocked is counted. */
  sigemptyset(&set);
  sigaddset(&set, SIGRTMIN);
  sigprocmask(SIG_BLOCK, &set, NULL);
  time.it_interval.tv_nsec = 3000000;
  timer_settime(timer, 0, &time, NULL);
  nanosleep(&moment, NULL);
  calls = 0;
  sigprocmask(SIG_UNBLOCK, &set, NULL);
  printf("overruns %d\n", overruns >= 10);
  printf("timer_delete: %d", timer_delete(timer));
  errno = 0;
  printf(" %d", timer_delete(timer));
  printf(" %d\n", errno == EINVAL);
  /* An absolute time, and no signal at all. */
  clock_gettime(clock, &time.it_value);
  time.it_value.tv_sec++;
  time.it_interval.tv_nsec = 0;
  event.sigev_notify = SIGEV_NONE;
  timer_create(clock, &event, &timer);
  timer_settime(timer, TIMER_ABSTIME, &time, NULL);
  timer_gettime(timer, &now);
  printf("absolute: %d\n", now.it_value.tv_sec == 0 && now.it_value.tv_nsec > 0);
  timer_delete(timer);
  errno = 0;
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = 77;
  printf("bad: %d", timer_create(clock, &event, &timer));
  printf(" %d\n", errno == EINVAL);
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t ticked = PTHREAD_COND_INITIALIZER;
static pthread_t main_thread;
static int ticks;

static void tick(union sigval value) {
  pthread_mutex_lock(&lock);
  values = value.sival_int;
  codes = pthread_equal(pthread_self(), main_thread) != 0;
  ticks++;
  pthread_cond_signal(&ticked);
  pthread_mutex_unlock(&lock);
}

static void wait_for_ticks(int count) {
  pthread_mutex_lock(&lock);
  while (ticks < count)
    pthread_cond_wait(&ticked, &lock);
  printf("%d ticks, value %d, in main %d\n", count, values, codes);
  pthread_mutex_unlock(&lock);
}

/* Once and again, set anew before its time, and by a time of the clock. */
static void timer_threads(clockid_t clock) {
  struct sigevent event = {.sigev_notify = SIGEV_THREAD, .sigev_notify_function = tick, .sigev_value = {.sival_int = 5}};
  struct itimerspec never = {0}, later = {.it_value = {.tv_sec = 1000}}, soon = {.it_value = {.tv_nsec = 3000000}}, left;
  struct timespec moment = {.tv_nsec = 30000000};
  pthread_attr_t attributes;
  timer_t other;
  main_thread = pthread_self();
  ticks = 0;
  printf("timer_create: %d\n", timer_create(clock, &event, &timer));
  printf("timer_settime: %d\n", timer_settime(timer, 0, &later, NULL));
  printf("timer_settime: %d", timer_settime(timer, 0, &soon, &left));
  printf(" %d\n", left.it_value.tv_sec > 900);
  wait_for_ticks(1);
  nanosleep(&moment, NULL);
  timer_gettime(timer, &left);
  printf("left %d, %d ticks\n", (int)(left.it_value.tv_sec + left.it_value.tv_nsec), ticks);
  soon.it_interval.tv_nsec = 2000000;
  timer_settime(timer, 0, &soon, NULL);
  wait_for_ticks(4);
  timer_settime(timer, 0, &never, NULL);
  nanosleep(&moment, NULL);
  int before = ticks;
  nanosleep(&moment, NULL);
  printf("still %d\n", ticks == before);
  pthread_attr_init(&attributes);
  event.sigev_notify_attributes = &attributes;
  event.sigev_value.sival_int = 6;
  printf("another: %d\n", timer_create(clock, &event, &other));
  clock_gettime(clock, &later.it_value);
  later.it_value.tv_nsec += 5000000;
  if (later.it_value.tv_nsec >= 1000000000)
    later.it_value.tv_sec++, later.it_value.tv_nsec -= 1000000000;
  ticks = 0;
  timer_settime(other, TIMER_ABSTIME, &later, NULL);
  wait_for_ticks(1);
  timer_settime(timer, 0, &soon, NULL);
  printf("timer_delete: %d", timer_delete(other));
  printf(" %d\n", timer_delete(timer));
  nanosleep(&moment, NULL);
  before = ticks;
  nanosleep(&moment, NULL);
  printf("still %d\n", ticks == before);
}

int main(void) {
  setvbuf(stdout, NULL, _IONBF, 0);
  alarms();
  processor();
  endings();
  restarts();
  pipes();
  timers(CLOCK_REALTIME);
  timers(CLOCK_MONOTONIC);
  timer_threads(CLOCK_REALTIME);
  timer_threads(CLOCK_MONOTONIC);
  return 0;
}

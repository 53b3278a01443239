/* Threads as programs of Mini-OS use them; the first argument names the scene. */
#include <mini-os/sched.h>
#include <mini-os/semaphore.h>
#include <mini-os/wait.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline))

static int running;

/* Many registers and flags alive over a switch; two threads are parked at the same call. */
NOINLINE static long weave(long seed, int rounds, double factor) {
  long a = seed, b = seed * 3, c = seed * 5, d = seed * 7, e = seed * 11, f = seed * 13;
  double x = seed, y = factor;
  for (int i = 0; i < rounds; i++) {
    schedule();
    a += b ^ i, b = b * 3 + c, c -= d, d = d << 1 | (e & 1), e += f, f = f * 5 - a;
    x = x * y + 1, y = y + 0.5;
    if (a > b) a -= c; else b -= d;
  }
  return (a ^ b ^ c ^ d ^ e ^ f) + (long)(x / 1e6);
}

static long results[8];
static void weaver(void *data) {
  int n = (int)(long)data;
  results[n] = weave(n + 1, 50, 0.25 * n);
  running--;
}

static void weave_all(void) {
  for (long i = 0; i < 8; i++) running++, create_thread("weaver", weaver, (void *)i);
  while (running > 0) schedule();
  int wrong = 0;
  for (int i = 0; i < 8; i++) wrong += results[i] != weave(i + 1, 50, 0.25 * i);
  printf("weave: %d wrong\n", wrong);
}

static struct semaphore empty, full;
static int slots[4], in, out;
static void producer(void *data) {
  for (int i = 0; i < 20; i++) {
    down(&empty);
    slots[in++ % 4] = (int)(long)data * 100 + i;
    up(&full);
  }
  running--;
}
static void consumer(void *data) {
  int sum = 0, count = 0, last = -1, ordered = 1;
  for (int i = 0; i < 20; i++) {
    down(&full);
    int value = slots[out++ % 4];
    if (value < last && value / 100 == last / 100) ordered = 0;
    last = value;
    sum += value, count++;
    up(&empty);
    if (i % 3 == 0) schedule();
  }
  *(int *)data = ordered ? sum : -1;
  running--;
}
static void semaphores(void) {
  int sums[2] = {0, 0};
  init_SEMAPHORE(&empty, 4);
  init_SEMAPHORE(&full, 0);
  running = 4;
  create_thread("consumer", consumer, &sums[0]);
  create_thread("producer", producer, (void *)1);
  create_thread("consumer", consumer, &sums[1]);
  create_thread("producer", producer, (void *)2);
  while (running > 0) schedule();
  printf("semaphores: %d\n", sums[0] + sums[1]);
}

static void sleeper(void *data) {
  msleep((int)(long)data);
  printf("%d ", (int)(long)data);
  fflush(stdout);
  running--;
}
static void sleeps(void) {
  static const int times[] = {50, 10, 30, 20, 40};
  s_time_t began = NOW();
  for (int i = 0; i < 5; i++) running++, create_thread("sleeper", sleeper, (void *)(long)times[i]);
  while (running > 0) msleep(5);
  int took = (int)NSEC_TO_MSEC(NOW() - began);
  printf("in %s\n", took >= 50 && took < 100 ? "time" : "no time");
}

static struct thread *blocked;
static void blocker(void *data) {
  for (int i = 0; i < 3; i++) {
    block(get_current());
    schedule();
    printf("woken %d ", i);
  }
  running--;
}
static void blocks(void) {
  running = 1;
  blocked = create_thread("blocker", blocker, NULL);
  for (int i = 0; running > 0; i++) {
    schedule();
    printf("main %d ", i);
    wake(blocked);
  }
  printf("\n");
}

static DECLARE_WAIT_QUEUE_HEAD(queue);
static int condition;
static void waiter(void *data) {
  wait_event(queue, condition >= (int)(long)data);
  printf("condition %d ", (int)(long)data);
  running--;
}
static void queues(void) {
  running = 3;
  for (long i = 3; i >= 1; i--) create_thread("waiter", waiter, (void *)i);
  while (running > 0) {
    schedule();
    condition++;
    wake_up(&queue);
  }
  printf("\n");
}

/* Each thread's stack, errno and jump buffers are its own. */
static void jumper(void *data) {
  jmp_buf home;
  volatile int round = 0;
  for (round = 0; round < 5; round++)
    if (setjmp(home) == 0) {
      schedule();
      longjmp(home, 1);
    }
  printf("%s %d ", (char *)data, round);
  running--;
}
static void jumps(void) {
  running = 2;
  create_thread("one", jumper, "one");
  create_thread("two", jumper, "two");
  while (running > 0) schedule();
  printf("\n");
}

static struct semaphore both;
static void reader(void *data) {
  char c;
  while (read(0, &c, 1) == 1 && c != '.') printf("%s%c ", (char *)data, c), fflush(stdout);
  printf("%s ends\n", (char *)data);
  fflush(stdout);
  up(&both);
}
static void readers(void) {
  init_SEMAPHORE(&both, 0);
  create_thread("reader a", reader, "a");
  create_thread("reader b", reader, "b");
  printf("ready\n");
  fflush(stdout);
  down(&both);
  down(&both);
}

static void ticker(void *data) {
  for (;;) {
    msleep(20);
    printf(".");
    fflush(stdout);
  }
}
static void dialogue(void) {
  char line[100];
  create_thread("ticker", ticker, NULL);
  for (;;) {
    printf("name? ");
    fflush(stdout);
    if (!fgets(line, sizeof line, stdin)) break;
    line[strcspn(line, "\n")] = 0;
    if (!strcmp(line, "quit")) exit(9);
    printf("hello %s\n", line);
  }
  printf("end of input\n");
  exit(4);
}

static void forever(void *data) {
  struct semaphore never;
  init_SEMAPHORE(&never, 0);
  down(&never);
}
static void stuck(void) {
  create_thread("first waiter", forever, NULL);
  create_thread("second waiter", forever, NULL);
  forever(NULL);
}

static void leaver(void *data) { exit(33); }
static void leave(void) {
  create_thread("waiter", forever, NULL);
  create_thread("leaver", leaver, NULL);
  forever(NULL);
}

static void ended(void) { exit_thread(); }

static void many_thread(void *data) { running--; }
static void many(void) {
  int made = 0;
  for (int i = 0; i < 2000; i++) {
    running++;
    if (create_thread("short", many_thread, NULL) == NULL) break;
    made++;
    schedule();
  }
  while (running > 0) schedule();
  printf("many: %d\n", made);
}

static void exhaust(void) {
  int made = 0;
  while (create_thread("kept", forever, NULL) != NULL) made++;
  printf("exhausted after %s\n", made > 20 ? "many" : "few");
}

int main(int argc, char **argv) {
  static const struct { const char *name; void (*play)(void); } scenes[] = {
    {"weave", weave_all}, {"semaphores", semaphores}, {"sleeps", sleeps}, {"blocks", blocks}, {"queues", queues}, {"jumps", jumps}, {"readers", readers},
    {"dialogue", dialogue}, {"stuck", stuck}, {"leave", leave}, {"ended", ended}, {"many", many}, {"exhaust", exhaust},
  };
  for (unsigned i = 0; i < sizeof scenes / sizeof *scenes; i++)
    if (argc > 1 && !strcmp(argv[1], scenes[i].name)) {
      scenes[i].play();
      return 0;
    }
  return 99;
}

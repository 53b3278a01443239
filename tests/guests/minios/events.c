/* Event channels, grants and callbacks within one domain, which binds to ports of its own; a scene each. */
#include "shared.h"

#include <errno.h>
#include <mini-os/console.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <xenevtchn.h>

#define SELF DOMID_SELF

static volatile int events;
static evtchn_port_t near_end, far_end;
static DECLARE_WAIT_QUEUE_HEAD(queue);

static void count(evtchn_port_t port, struct pt_regs *regs, void *data) {
  if (port != far_end && port != near_end)
    printf("port %u?\n", (unsigned)port);
  if (regs != NULL)
    printf("registers?\n");
  ++*(volatile int *)data;
  wake_up(&queue);
}

/* A channel of this domain to itself: what is sent through near_end arrives at far_end. */
static void open_channel(evtchn_handler_t handler, void *data) {
  int first = evtchn_alloc_unbound(SELF, count, (void *)&events, &near_end);
  int second = evtchn_bind_interdomain(SELF, near_end, handler, data, &far_end);
  if (first != 0 || second != 0 || near_end == far_end)
    printf("no channel: %d %d\n", first, second);
  clear_evtchn(far_end); /* a fresh binding is pending */
}

/* What came while the port was masked comes with unmasking, once. */
static void masks(void) {
  open_channel(count, (void *)&events);
  notify_remote_via_evtchn(near_end);
  notify_remote_via_evtchn(near_end);
  printf("masked %d", events);
  unmask_evtchn(far_end);
  printf(", open %d", events);
  notify_remote_via_evtchn(near_end);
  printf(", sent %d", events);
  mask_evtchn(far_end);
  notify_remote_via_evtchn(near_end);
  clear_evtchn(far_end);
  unmask_evtchn(far_end);
  printf(", cleared %d\n", events);
}

static void errors(void) {
  evtchn_port_t port = 99;
  printf("nobody %d", evtchn_bind_interdomain(77, 1, count, NULL, &port));
  printf(", no port %d", evtchn_bind_interdomain(SELF, 1000, count, NULL, &port));
  printf(", port stays %u", (unsigned)port);
  printf(", send %d", notify_remote_via_evtchn(1000));
  open_channel(count, NULL);
  unbind_evtchn(far_end);
  printf(", to a closed end %d", notify_remote_via_evtchn(near_end));
  unbind_all_ports();
  printf(", from a closed end %d\n", notify_remote_via_evtchn(near_end));
}

/* local_irq_save holds handlers back. */
static void holds(void) {
  unsigned long flags;
  open_channel(count, (void *)&events);
  unmask_evtchn(far_end);
  local_irq_save(flags);
  notify_remote_via_evtchn(near_end);
  printf("held %d", events);
  local_irq_restore(flags);
  monotonic_clock();
  printf(", let go %d\n", events);
}

static volatile int stage;

static void helper(void *unused) {
  (void)unused;
  stage |= 2;
  wake_up(&queue);
}

/* A handler may wait, and others run meanwhile. */
static void slow(evtchn_port_t port, struct pt_regs *regs, void *data) {
  (void)port, (void)regs, (void)data;
  stage |= 1;
  create_thread("helper", helper, NULL);
  wait_event(queue, (stage & 2) != 0);
  msleep(5);
  stage |= 4;
  wake_up(&queue);
}

static void waits(void) {
  open_channel(slow, NULL);
  unmask_evtchn(far_end);
  notify_remote_via_evtchn(near_end);
  wait_event(queue, (stage & 4) != 0);
  printf("stages %d\n", stage);
}

static jmp_buf home;

static void leave(evtchn_port_t port, struct pt_regs *regs, void *data) {
  (void)port, (void)regs;
  ++*(volatile int *)data;
  longjmp(home, 1);
}

/* Leaving a handler for good, again and again. */
static void jumps(void) {
  static volatile int rounds;
  open_channel(leave, (void *)&rounds);
  unmask_evtchn(far_end);
  if (setjmp(home) != 0 && rounds == 1000) {
    printf("jumped %d times\n", rounds);
    return;
  }
  notify_remote_via_evtchn(near_end);
  printf("not here\n");
}

/* A handler in the midst of a loop leaves registers, flags and floats alone. */
static void floats(evtchn_port_t port, struct pt_regs *regs, void *data) {
  (void)port, (void)regs;
  volatile double x = 1;
  for (int i = 1; i < 20; i++)
    x = x * i + 0.5;
  ++*(volatile int *)data;
}

static void sender(void *unused) {
  (void)unused;
  for (;;) {
    notify_remote_via_evtchn(near_end);
    schedule();
  }
}

static void registers(void) {
  double sum = 0;
  uint64_t product = 1;
  open_channel(floats, (void *)&events);
  unmask_evtchn(far_end);
  create_thread("sender", sender, NULL);
  for (int i = 1; i <= 200; i++) {
    sum += 1.0 / i;
    schedule();
    product = product * 6364136223846793005u + (uint64_t)i;
  }
  printf("%.15f %llu, interrupted %d\n", sum, (unsigned long long)product, events >= 199);
}

static void timer(evtchn_port_t port, struct pt_regs *regs, void *data) {
  (void)port, (void)regs, (void)data;
}

static void virqs(void) {
  evtchn_port_t first = bind_virq(0, timer, NULL);
  evtchn_port_t second = bind_virq(0, timer, NULL);
  printf("bound %d, again %d, none %d\n", first < 64, (int)second, (int)bind_virq(99, timer, NULL));
}

static void grants(void) {
  char *page = (char *)alloc_page();
  grant_ref_t first = gnttab_grant_access(SELF, virt_to_mfn(page), 0);
  grant_ref_t second = gnttab_grant_access(SELF, virt_to_mfn(page), 1);
  void *shared = NULL;
  grant_ref_t third = gnttab_alloc_and_grant(&shared);
  printf("%d %d %d", first != second, third != second, shared != NULL);
  printf(", ended %d %d %d", gnttab_end_access(first), gnttab_end_access(second),
         gnttab_end_access(third));
  grant_ref_t transfer = gnttab_grant_transfer(0, 0);
  printf(", given %lu\n", gnttab_end_transfer(transfer));
  free_page(page);
  free_page(shared);
}

static void pages(void) {
  unsigned long block[8];
  int wrong = 0;
  for (int order = 0; order < 8; order++) {
    block[order] = alloc_pages(order);
    if (block[order] == 0 || block[order] % (PAGE_SIZE << order) != 0)
      wrong++;
    memset((void *)block[order], order + 1, PAGE_SIZE << order);
  }
  for (int order = 0; order < 8; order++)
    for (unsigned long i = 0; i < PAGE_SIZE << order; i++)
      wrong += ((char *)block[order])[i] != order + 1;
  for (int order = 0; order < 8; order++)
    free_pages((void *)block[order], order);
  for (int round = 0; round < 100; round++) {
    unsigned long again = alloc_pages(7);
    wrong += again == 0;
    free_pages((void *)again, 7);
  }
  printf("%d wrong, orders %d %d %d, too much %lu\n", wrong, get_order(1), get_order(4097),
         get_order(1 << 20), alloc_pages(20));
  char *zeros = (char *)alloc_contig_pages(1, 32);
  memset(zeros, 0, 2 * PAGE_SIZE);
  sparse((unsigned long)zeros, 2 * PAGE_SIZE);
  long *numbers = xmalloc_array(long, 1000);
  long *impossible = xmalloc_array(long, (size_t)-1 / 4);
  printf("zeros %d, %d %d, %s\n", zeros[PAGE_SIZE], numbers != NULL, impossible == NULL,
         gnttabop_error(-3));
  xfree(numbers);
  printf("next frame %d\n", (int)(virt_to_mfn(block[7] + PAGE_SIZE) - virt_to_mfn(block[7])));
}

static DECLARE_RWSEM(rwsem);
static volatile int readers, most_readers, writers, clashes, finished;

static void reads(void *unused) {
  (void)unused;
  for (int i = 0; i < 20; i++) {
    down_read(&rwsem);
    if (++readers > most_readers)
      most_readers = readers;
    clashes += writers != 0;
    schedule();
    readers--;
    up_read(&rwsem);
    schedule();
  }
  finished++;
}

static void writes(void *unused) {
  (void)unused;
  for (int i = 0; i < 20; i++) {
    down_write(&rwsem);
    writers++;
    clashes += readers != 0 || writers != 1;
    schedule();
    writers--;
    up_write(&rwsem);
    schedule();
  }
  finished++;
}

static void locks(void) {
  unsigned long flags;
  DEFINE_SPINLOCK(lock);
  spin_lock_irqsave(&lock, flags);
  printf("%d %d", spin_is_locked(&lock), spin_trylock(&lock));
  spin_unlock_irqrestore(&lock, flags);
  printf(" %d %d", spin_trylock(&lock), irqs_disabled());
  for (int i = 0; i < 3; i++)
    create_thread("reader", reads, NULL);
  for (int i = 0; i < 2; i++)
    create_thread("writer", writes, NULL);
  while (finished < 5)
    schedule();
  printf(", %d clashes, readers together %d\n", clashes, most_readers > 1);
}

static void words_of(int direct, const char *format, ...) {
  va_list list;
  va_start(list, format);
  print(direct, format, list);
  va_end(list);
}

static void words(void) {
  printk("printk %d\n", 1);
  xprintk("xprintk %s\n", "two");
  words_of(1, "print %c\n", '3');
  words_of(0, "print %d\n", 4);
}

static struct wait_queue_head by_hand;
static volatile int ready;

static void make_ready(void *unused) {
  (void)unused;
  schedule();
  ready = 1;
  wake_up(&by_hand);
}

/* What wait_event is made of. */
static void queues(void) {
  struct wait_queue entry, other;
  init_waitqueue_head(&by_hand);
  init_waitqueue_entry(&entry, get_current());
  add_wait_queue(&by_hand, &entry);
  add_wait_queue(&by_hand, &entry);
  printf("waiting %d", entry.waiting);
  remove_wait_queue(&by_hand, &entry);
  remove_wait_queue(&by_hand, &entry);
  printf(" %d", entry.waiting);
  create_thread("maker", make_ready, NULL);
  init_waitqueue_entry(&other, get_current());
  add_waiter(other, by_hand);
  printf(", runnable %d", is_runnable(get_current()) != 0);
  schedule();
  printf(", ready %d %d", ready, is_runnable(get_current()) != 0);
  remove_waiter(other, by_hand);
  s_time_t begun = NOW();
  wait_event_deadline(by_hand, ready == 2, NOW() + MILLISECS(5));
  printf(", in time %d", NOW() - begun >= MILLISECS(5));
  clear_runnable(get_current());
  int stopped = !is_runnable(get_current());
  set_runnable(get_current());
  printf(", stopped %d\n", stopped);
}

static void semaphores(void) {
  static DECLARE_MUTEX(open);
  static DECLARE_MUTEX_LOCKED(closed);
  struct semaphore mutex;
  struct rw_semaphore both;
  init_MUTEX(&mutex);
  printf("mutex %d", trydown(&mutex));
  printf(" %d", trydown(&mutex));
  up(&mutex);
  down(&mutex);
  printf(" %d, open %d, closed %d", trydown(&mutex), trydown(&open), trydown(&closed));
  init_SEMAPHORE(&mutex, 2);
  printf(", two");
  for (int i = 0; i < 3; i++)
    printf(" %d", trydown(&mutex));
  init_rwsem(&both);
  down_read(&both);
  down_read(&both);
  up_read(&both);
  up_read(&both);
  down_write(&both);
  up_write(&both);
  printf(", free %d\n", (int)both.count);
}

static void flags_and_locks(void) {
  spinlock_t lock;
  unsigned long flags;
  spin_lock_init(&lock);
  spin_lock(&lock);
  printf("held %d", spin_is_locked(&lock));
  spin_unlock(&lock);
  spin_unlock_wait(&lock);
  printf(" %d", spin_is_locked(&lock));
  local_irq_disable();
  local_save_flags(flags);
  printf(", off %d", irqs_disabled());
  local_irq_enable();
  printf(" %d", irqs_disabled());
  local_irq_restore(flags);
  printf(" %d", irqs_disabled());
  sti();
  cli();
  printf(" %d", irqs_disabled());
  __save_flags(flags);
  __sti();
  __restore_flags(flags);
  printf(" %d", irqs_disabled());
  __cli();
  sti();
  barrier();
  mb();
  rmb();
  wmb();
  ASSERT(smp_processor_id() == 0);
  BUG_ON(irqs_disabled());
  long *number = xmalloc(long), *plain = _xmalloc(100, DEFAULT_ALIGN), *list = _xmalloc_array(8, 8, 4);
  printf(", aligned %d\n", ((unsigned long)number | (unsigned long)plain | (unsigned long)list) % sizeof(long) == 0);
  xfree(number);
  xfree(plain);
  xfree(list);
}

/* A port that somebody else has bound, and a handler for it. */
static void handlers(void) {
  open_channel(count, (void *)&events);
  printf("bound %d", bind_evtchn(far_end, count, (void *)&events) == far_end);
  unmask_evtchn(far_end);
  notify_remote_via_evtchn(near_end);
  printf(", came %d\n", events);
}

static void descriptors(void) {
  domid_t self = xenbus_get_self_id();
  xenevtchn_handle *xce = xenevtchn_open(NULL, 0), *other = xenevtchn_open(NULL, 0);
  struct pollfd fds[] = {{xenevtchn_fd(xce), POLLIN, 0}, {xenevtchn_fd(other), POLLIN, 0}};
  int first = xenevtchn_bind_unbound_port(xce, self), second = xenevtchn_bind_unbound_port(xce, self);
  int one = xenevtchn_bind_interdomain(other, self, (evtchn_port_t)first);
  int two = xenevtchn_bind_interdomain(other, self, (evtchn_port_t)second);
  while (xenevtchn_pending(xce) >= 0 || xenevtchn_pending(other) >= 0)
    ;
  printf("bound %d, quiet %d", first > 0 && second > 0 && one > 0 && two > 0, poll(fds, 2, 0));
  xenevtchn_notify(other, (evtchn_port_t)two);
  xenevtchn_notify(other, (evtchn_port_t)one);
  int ready = poll(fds, 2, -1);
  printf(", poll %d %d %d", ready, fds[0].revents, fds[1].revents);
  int pending = xenevtchn_pending(xce), next = xenevtchn_pending(xce);
  printf(", pending %d, none %d", pending + next == first + second, xenevtchn_pending(xce) == -1 && errno == EAGAIN);
  xenevtchn_notify(other, (evtchn_port_t)one);
  printf(", masked %d", poll(fds, 1, 1));
  xenevtchn_unmask(xce, (evtchn_port_t)first);
  ready = poll(fds, 1, -1);
  printf(", unmasked %d %d", ready, xenevtchn_pending(xce) == first);
  printf(", virq %d", xenevtchn_bind_virq(xce, 0) > 0);
  printf(", nobody %d", xenevtchn_bind_interdomain(xce, 77, 1) == -1);
  printf(", unbind %d", xenevtchn_unbind(xce, (evtchn_port_t)first));
  printf(" %d", xenevtchn_unbind(xce, (evtchn_port_t)first) == -1 && errno == EINVAL);
  printf(", close %d %d\n", xenevtchn_close(xce), xenevtchn_close(other));
}

static const struct {
  const char *name;
  void (*play)(void);
} scenes[] = {
    {"masks", masks}, {"errors", errors},       {"holds", holds}, {"waits", waits},   {"jumps", jumps},
    {"locks", locks}, {"virqs", virqs}, {"registers", registers}, {"grants", grants}, {"pages", pages},
    {"descriptors", descriptors}, {"words", words}, {"queues", queues}, {"semaphores", semaphores},
    {"flags", flags_and_locks}, {"handlers", handlers},
};

int main(int argc, char **argv) {
  for (size_t i = 0; i < sizeof scenes / sizeof *scenes; i++)
    if (argc > 1 && strcmp(scenes[i].name, argv[1]) == 0) {
      init_events();
      init_gnttab();
      init_xenbus();
      scenes[i].play();
      fini_xenbus();
      fini_gnttab();
      fini_events();
      return 0;
    }
  return 1;
}

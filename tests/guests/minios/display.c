/* The front-ends of frame buffer and keyboard; a scene each, whose lines the test answers with keys. */
#include <mini-os/fbfront.h>
#include <mini-os/mm.h>
#include <mini-os/sched.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <unistd.h>

#define WIDTH 40
#define HEIGHT 30
#define ORDER 1 /* 8 KiB: 4800 bytes of pixels */
#define PAGES (1 << ORDER)

static uint32_t *pixels;
static struct fbfront_dev *screen;

static void say(const char *line) {
  puts(line);
  fflush(stdout);
}

/* Until the test looks, and ends our input. */
static void wait_for_looker(void) {
  while (getchar() != EOF)
    ;
}

static void begin(void) {
  unsigned long mfns[PAGES];
  pixels = (uint32_t *)alloc_pages(ORDER);
  memset(pixels, 0, PAGES * PAGE_SIZE);
  for (int i = 0; i < PAGES; i++)
    mfns[i] = virt_to_mfn((char *)pixels + i * PAGE_SIZE);
  screen = init_fbfront(NULL, mfns, WIDTH, HEIGHT, 32, WIDTH * 4, PAGES);
}

/* A gradient, of which two parts are told, one of them beyond the edges. */
static void picture(void) {
  wait_for_looker();
  begin();
  for (int i = 0; i < WIDTH * HEIGHT; i++)
    pixels[i] = (uint32_t)(i % WIDTH << 16 | i / WIDTH << 8 | 0x40);
  fbfront_update(screen, 2, 3, 4, 5);
  fbfront_update(screen, -10, 20, 100, 100);
  fbfront_update(screen, 50, 0, 10, 10);
  union xenfb_in_event event;
  printf("events %d\n", fbfront_receive(screen, &event, 1));
  shutdown_fbfront(screen);
  say("drawn");
}

/* More updates than the ring has room for, then another shape of the same memory. */
static void resize(void) {
  wait_for_looker();
  begin();
  for (int i = 0; i < 200; i++)
    fbfront_update(screen, 0, 0, 1 + i % WIDTH, 1);
  memset(pixels + 100, 0xff, 20 * 10 * 4);
  fbfront_resize(screen, 20, 10, 80, 32, 400);
  fbfront_update(screen, 0, 0, 100, 100);
  shutdown_fbfront(screen);
  begin();
  printf("again %d\n", screen != NULL);
  shutdown_fbfront(screen);
  say("drawn");
}

static void print_event(const union xenkbd_in_event *event) {
  switch (event->type) {
    case XENKBD_TYPE_KEY:
      printf("key %u %d\n", (unsigned)event->key.keycode, event->key.pressed);
      break;
    case XENKBD_TYPE_POS:
      printf("at %d %d %d\n", (int)event->pos.abs_x, (int)event->pos.abs_y, (int)event->pos.rel_z);
      break;
    case XENKBD_TYPE_MOTION:
      printf("by %d %d %d\n", (int)event->motion.rel_x, (int)event->motion.rel_y, (int)event->motion.rel_z);
      break;
    default:
      printf("type %d\n", event->type);
  }
}

/* Until the key 1 is let go. */
static void receive_all(struct kbdfront_dev *dev) {
  for (;;) {
    union xenkbd_in_event events[4];
    int n = kbdfront_receive(dev, events, 4);
    for (int i = 0; i < n; i++) {
      print_event(&events[i]);
      if (events[i].type == XENKBD_TYPE_KEY && events[i].key.keycode == 1 && !events[i].key.pressed)
        return;
    }
    if (n == 0)
      schedule(), msleep(1);
  }
}

static void keys(void) {
  struct kbdfront_dev *dev = init_kbdfront(NULL, 1);
  say("ready");
  receive_all(dev);
  shutdown_kbdfront(dev);
  dev = init_kbdfront("device/vkbd/0", 0);
  say("again");
  receive_all(dev);
  shutdown_kbdfront(dev);
}

static void descriptors(void) {
  union xenkbd_in_event events[3];
  char byte;
  struct kbdfront_dev *dev = init_kbdfront(NULL, 1);
  int fd = kbdfront_open(dev);
  begin();
  int other = fbfront_open(screen);
  ssize_t got = read(fd, events, sizeof events);
  printf("none %d %s\n", (int)got, strerror(errno));
  got = read(fd, &byte, 1);
  printf("one byte %d %s\n", (int)got, strerror(errno));
  got = write(fd, &byte, 1);
  printf("write %d %s\n", (int)got, strerror(errno));
  say("ready");
  struct pollfd fds[] = {{fd, POLLIN, 0}, {other, POLLIN, 0}};
  int ready = poll(fds, 2, -1);
  printf("poll %d, %d %d\n", ready, fds[0].revents, fds[1].revents);
  for (got = read(fd, events, sizeof events - 1); got > 0; got -= (ssize_t)sizeof *events)
    print_event(&events[got / (ssize_t)sizeof *events - 1]);
  fcntl(fd, F_SETFL, 0);
  say("waiting");
  got = read(fd, events, sizeof *events);
  print_event(events);
  shutdown_fbfront(screen);
  poll(fds + 1, 1, -1);
  got = read(other, events, sizeof events);
  printf("shut down: %d, %d\n", fds[1].revents, (int)got);
  int closed = close(other);
  printf("close %d", closed);
  closed = close(fd);
  printf(" %d\n", closed);
}

static void none(void) {
  unsigned long mfn = 0;
  printf("%d", init_kbdfront(NULL, 0) == NULL);
  printf(" %d\n", init_fbfront("device/vfb/7", &mfn, 1, 1, 32, 4, 1) == NULL);
}

/* What is no picture is refused by the back-end. */
static void bad(void) {
  unsigned long mfn = virt_to_mfn((void *)alloc_page());
  printf("%d\n", init_fbfront(NULL, &mfn, 100, 100, 32, 400, 1) == NULL);
}

/* Two screens, each with a keyboard: the second is found by its nodename, and read by descriptors. */
static void two(void) {
  unsigned long mfns[2][PAGES];
  struct fbfront_dev *screens[2];
  struct kbdfront_dev *keyboards[2];
  char *names[2][2] = {{"device/vfb/0", "device/vkbd/0"}, {"device/vfb/1", "device/vkbd/1"}};
  int fds[2];
  for (int n = 0; n < 2; n++) {
    uint32_t *picture = (uint32_t *)alloc_pages(ORDER);
    for (int i = 0; i < PAGES; i++)
      mfns[n][i] = virt_to_mfn((char *)picture + i * PAGE_SIZE);
    for (int i = 0; i < WIDTH * HEIGHT; i++)
      picture[i] = n == 0 ? 0x112233 : 0x445566;
    screens[n] = init_fbfront(names[n][0], mfns[n], WIDTH, HEIGHT, 32, WIDTH * 4, PAGES);
    fbfront_update(screens[n], 0, 0, WIDTH, HEIGHT);
    keyboards[n] = init_kbdfront(names[n][1], 0);
    fds[n] = kbdfront_open(keyboards[n]);
  }
  say("ready");
  wait_for_looker();
  for (int n = 0; n < 2; n++) {
    union xenkbd_in_event event;
    while (read(fds[n], &event, sizeof event) == sizeof event)
      print_event(&event);
    printf("%d\n", n);
    close(fds[n]);
    shutdown_fbfront(screens[n]);
  }
}

int main(int argc, char **argv) {
  static const struct {
    const char *name;
    void (*play)(void);
  } scenes[] = {{"picture", picture}, {"resize", resize}, {"keys", keys},
                {"descriptors", descriptors}, {"none", none}, {"bad", bad}, {"two", two}};
  for (size_t i = 0; argc > 1 && i < sizeof scenes / sizeof *scenes; i++)
    if (strcmp(scenes[i].name, argv[1]) == 0)
      return scenes[i].play(), 0;
  return 2;
}

/* Console rings, by the calls of Mini-OS's console.h and by descriptors; a scene each, whose lines the test answers. */
#include <mini-os/console.h>
#include <mini-os/lib.h>
#include <mini-os/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

static void say(const char *line) {
  puts(line);
  fflush(stdout);
}

/* Waits until so many bytes have come. */
static void receive(struct consfront_dev *dev, char *text, unsigned length) {
  for (unsigned got = 0; got < length; got += (unsigned)xencons_ring_recv(dev, text + got, length - got))
    wait_event(console_queue, xencons_ring_avail(dev) > 0);
  text[length] = '\0';
}

static void rings(void) {
  char text[4096];
  struct consfront_dev *one = init_consfront("device/console/1"), *three = init_consfront(NULL);
  printf("%s %s\n", one->nodename, three->nodename);
  printf("recv %d\n", xencons_ring_recv(one, text, 0));
  printf("sent %d\n", xencons_ring_send(one, "one\n", 4));
  printf("sent %d\n", xencons_ring_send_no_notify(three, "three", 5));
  console_print(three, " lines\nand\n", 11);
  three->is_raw = true;
  console_print(three, "raw\n", 4);
  say("ready");
  receive(one, text, 6);
  printf("%s\n", text);
  receive(three, text, 3);
  printf("%s\n", text);
  memset(text, 'x', sizeof text);
  printf("full %d", xencons_ring_send_no_notify(one, text, sizeof text));
  printf(" %d\n", xencons_ring_send_no_notify(one, text, 1));
  console_print(one, text, sizeof text);
  console_print(one, "end\n", 4);
  free_consfront(one);
  one = init_consfront("device/console/1");
  xencons_ring_send(one, "again", 5);
  fini_consfront(one);
  fini_console(three);
  fini_console(NULL);
  printf("none %d\n", init_consfront("device/console/9") == NULL);
  printf("none %d\n", init_consfront(NULL) == NULL);
}

static void first(void) {
  char text[64];
  get_console(NULL);
  init_console();
  struct consfront_dev *dev = xencons_ring_init();
  printf("%s, avail %d\n", dev->nodename, xencons_ring_avail(NULL));
  fflush(stdout);
  console_print(NULL, "printed\n", 8);
  printf("sent %d\n", xencons_ring_send(dev, "sent\n", 5));
  say("ready");
  receive(dev, text, 6);
  say(text);
  say("more");
  receive(NULL, text, 3);
  say(text);
  fini_console(dev);
}

static void show(int fd) {
  struct stat status;
  fstat(fd, &status);
  printf("mode %o\n", status.st_mode);
}

static void descriptors(void) {
  char text[4096] = "";
  int waiting = 0, serial = posix_openpt(O_RDWR), save = open_savefile("image", 1), restore = open_savefile("image", 0);
  show(serial);
  show(save);
  printf("write %d\n", (int)write(serial, "a\nb\n", 4));
  printf("write %d\n", (int)write(save, "a\nb\n", 4));
  fcntl(restore, F_SETFL, O_NONBLOCK);
  printf("read %d", (int)read(restore, text, 10));
  printf(" %d\n", errno == EAGAIN);
  struct pollfd asked[2] = {{serial, POLLIN | POLLOUT, 0}, {restore, POLLIN, 0}};
  printf("poll %d", poll(asked, 2, 0));
  printf(", %d\n", asked[0].revents);
  say("ready");
  printf("poll %d", poll(&asked[1], 1, -1));
  printf(", %d\n", asked[1].revents);
  printf("read %d", (int)read(restore, text, 7));
  printf(" %s\n", text);
  memset(text, 'y', sizeof text);
  printf("all %d\n", (int)write(save, text, sizeof text));
  fcntl(save, F_SETFL, O_NONBLOCK);
  say("waiting");
  printf("read %d\n", (int)read(serial, text, 1));
  ioctl(serial, FIONREAD, &waiting);
  printf("%d wait, %c\n", waiting, text[0]);
  int none = open_consfront("device/console/9");
  printf("opened %d %d\n", none, errno == ENODEV);
  close(serial), close(save), close(restore);
  int again = open_consfront("device/console/1");
  printf("write %d\n", (int)write(again, "again", 5));
}

int main(int argc, char **argv) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  if (argc != 2)
    return 1;
  if (strcmp(argv[1], "rings") == 0)
    rings();
  if (strcmp(argv[1], "first") == 0)
    first();
  if (strcmp(argv[1], "descriptors") == 0)
    descriptors();
  fflush(stdout);
  return 0;
}

/* The network front-end: frames to somebody who sends them back, in the scene that the argument names. */
#include <errno.h>
#include <mini-os/netfront.h>
#include <mini-os/os.h>
#include <mini-os/sched.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FRAMES 600

static int arrived, wrong;
static void *seen;

/* Frame n: its length and its bytes tell which it is. */
static int length_of(int n) {
  return 60 + n * 7 % 1455;
}

static void fill(unsigned char *frame, int n) {
  memset(frame, n, (size_t)length_of(n));
  frame[12] = (unsigned char)(n >> 8);
  frame[13] = (unsigned char)n;
}

static void check(unsigned char *data, int len, void *arg) {
  unsigned char expected[1514];
  fill(expected, arrived);
  wrong += len != length_of(arrived) || memcmp(data, expected, (size_t)len) != 0;
  arrived++;
  seen = arg;
}

static void send_all(struct netfront_dev *dev) {
  unsigned char frame[1514];
  for (int n = 0; n < FRAMES; n++) {
    fill(frame, n);
    netfront_xmit(dev, frame, length_of(n));
  }
  wait_event(netfront_queue, arrived == FRAMES);
}

static void devices(void) {
  unsigned char mac[2][6];
  char *ip[2];
  struct netfront_dev *first = init_netfront(NULL, check, mac[0], &ip[0]);
  struct netfront_dev *second = init_netfront("device/vif/1", check, mac[1], &ip[1]);
  struct netfront_dev *none = init_netfront("device/vif/2", check, NULL, NULL);
  for (int i = 0; i < 2; i++)
    printf("%02x:%02x ip %s\n", mac[i][0], mac[i][5], ip[i] == NULL ? "none" : ip[i]);
  netfront_set_rx_handler(second, check, second);
  send_all(second);
  printf("%d arrived, %d wrong, from the second: %d\n", arrived, wrong, seen == second);
  arrived = 0;
  send_all(first);
  printf("%d arrived, %d wrong, from the first: %d; no third: %d\n", arrived, wrong, seen == NULL, none == NULL);
  shutdown_netfront(first);
  shutdown_netfront(second);
}

static void again(void) {
  for (int i = 0; i < 5; i++) {
    struct netfront_dev *dev = init_netfront("device/vif/0", check, NULL, NULL);
    arrived = 0;
    send_all(dev);
    shutdown_netfront(dev);
  }
  printf("%d wrong\n", wrong);
}

static void tap(void) {
  unsigned char frame[1514], back[1514];
  int fd = netfront_tap_open("device/vif/0");
  struct pollfd asked = {.fd = fd, .events = POLLIN};
  int none = (int)read(fd, back, sizeof back);
  printf("read %d %s\n", none, errno == EAGAIN ? "EAGAIN" : "?");
  fill(frame, 5);
  int written = (int)write(fd, frame, (size_t)length_of(5));
  int ready = poll(&asked, 1, -1);
  int got = (int)read(fd, back, sizeof back);
  printf("write %d, poll %d, read %d, wrong %d\n", written, ready, got, memcmp(frame, back, (size_t)got) != 0);
  write(fd, frame, (size_t)length_of(5));
  poll(&asked, 1, -1);
  printf("cut to %d, ", (int)read(fd, back, 14));
  printf("then %d\n", poll(&asked, 1, 0));
  printf("close %d\n", close(fd));
  fd = netfront_tap_open("device/vif/0");
  printf("again %d, missing ", fd);
  int missing = netfront_tap_open("device/vif/7");
  printf("%d %s\n", missing, errno == EIO ? "EIO" : "?");
  close(fd);
}

/* Frames that nobody is told of, taken one by one; and a handler that is called for those that came without an event. */
static void by_hand(void) {
  unsigned char frame[1514], back[1514];
  struct netfront_dev *dev = init_netfront("device/vif/1", NETIF_SELECT_RX, NULL, NULL);
  char *gateway = netfront_get_gateway(dev);
  ssize_t got;
  fill(frame, 7);
  printf("gateway %s, none %d", gateway == NULL ? "none" : gateway, (int)netfront_receive(dev, back, sizeof back));
  netfront_xmit(dev, frame, length_of(7));
  while ((got = netfront_receive(dev, back, sizeof back)) == 0)
    msleep(1);
  printf(", one %d %d", (int)got, memcmp(frame, back, (size_t)got));
  fill(frame, 0);
  netfront_xmit(dev, frame, length_of(0));
  msleep(50);
  netfront_set_rx_handler(dev, check, dev);
  while (arrived == 0) {
    network_rx(dev);
    msleep(1);
  }
  printf(", handled %d, wrong %d\n", arrived, wrong);
  free(gateway);
  shutdown_netfront(dev);
}

int main(int argc, char **argv) {
  const char *scene = argc > 1 ? argv[1] : "";
  setvbuf(stdout, NULL, _IONBF, 0);
  if (strcmp(scene, "devices") == 0)
    devices();
  else if (strcmp(scene, "again") == 0)
    again();
  else if (strcmp(scene, "by hand") == 0)
    by_hand();
  else
    tap();
  return 0;
}

/* lwip's port (network.h): the interfaces of the domain, the thread that looks after them, and what the end of the image waits for. */
#include "network.h"
#include "interface.h"

#include <lwip/init.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/timeouts.h>
#include <mini-os/netfront.h>
#include <mini-os/os.h>
#include <mini-os/posix.h>
#include <mini-os/sched.h>
#include <mini-os/xenbus.h>
#include <stdio.h>
#include <stdlib.h>

#define MOST_INTERFACES 16
/* How long the first socket waits for addresses; on a busy host a first exchange of DHCP's takes seconds. */
#define MOST_START SECONDS(30)
/* How long an image that ends waits for what it has sent to arrive. */
#define MOST_DRAIN SECONDS(5)
/* Timers of TCP begin when others call; no wait is longer than their step. */
#define LONGEST_WAIT 250

static struct netif *interfaces[MOST_INTERFACES];
static int interface_count;
static bool has_begun, is_up;
static volatile bool has_news;
/* The thread that is told of events: one that waits in a socket, else the network's own. */
static struct thread *leader;
static struct thread *own_thread;
DECLARE_WAIT_QUEUE_HEAD(network_queue);

static void told(void *arg) {
  (void)arg;
  has_news = true;
  struct thread *thread = leader != NULL ? leader : own_thread;
  if (thread != NULL)
    wake(thread);
}

bool minios_network_has_news(void) {
  return has_news;
}

bool minios_network_lead(void) {
  if (leader != NULL)
    return false;
  leader = get_current();
  return true;
}

void minios_network_follow(void) {
  leader = NULL;
  if (has_news && own_thread != NULL)
    wake(own_thread);
}

void minios_network_flush(void) {
  netif_poll_all();
  for (int i = 0; i < interface_count; i++)
    minios_interface_flush(interfaces[i]);
}

void minios_network_look(void) {
  if (!has_news)
    return;
  has_news = false;
  for (int i = 0; i < interface_count; i++)
    minios_interface_receive(interfaces[i]);
  minios_network_flush();
}

static s_time_t next_timer(void) {
  u32_t milliseconds = sys_timeouts_sleeptime();
  return NOW() + MILLISECS(milliseconds < LONGEST_WAIT ? milliseconds : LONGEST_WAIT) + 1;
}

static void run(void *data) {
  (void)data;
  for (;;) {
    minios_network_look();
    sys_check_timeouts();
    minios_network_flush();
    s_time_t deadline = next_timer();
    wait_event_deadline(network_queue, has_news && leader == NULL, deadline);
  }
}

static void open_interfaces(void) {
  char **handles = NULL;
  char *error = xenbus_ls(XBT_NIL, "device/vif", &handles);
  for (char **handle = handles; error == NULL && *handle != NULL; free(*handle++)) {
    char nodename[64];
    snprintf(nodename, sizeof nodename, "device/vif/%s", *handle);
    struct netif *netif = interface_count < MOST_INTERFACES ? minios_interface_open(nodename, told) : NULL;
    if (netif == NULL)
      continue;
    if (interface_count == 0)
      netif_set_default(netif);
    interfaces[interface_count++] = netif;
  }
  free(error);
  free(handles);
}

static bool are_ready(void) {
  for (int i = 0; i < interface_count; i++)
    if (!minios_interface_is_ready(interfaces[i]))
      return false;
  return true;
}

static bool has_unsent(void) {
  for (struct tcp_pcb *pcb = tcp_active_pcbs; pcb != NULL; pcb = pcb->next)
    if (pcb->unsent != NULL || pcb->unacked != NULL)
      return true;
  return false;
}

/* What was written to sockets goes to the other end, though the image is over; descriptors are open until the very end. */
static void drain(void) {
  s_time_t deadline = NOW() + MOST_DRAIN;
  for (struct tcp_pcb *pcb = tcp_active_pcbs, *next; pcb != NULL; pcb = next) {
    next = pcb->next;
    if (pcb->state == ESTABLISHED || pcb->state == CLOSE_WAIT)
      tcp_shutdown(pcb, 0, 1);
  }
  minios_network_flush();
  while (tcp_active_pcbs != NULL && has_unsent() && NOW() < deadline) {
    minios_network_look();
    minios_network_flush();
    msleep(1);
  }
}

void minios_network_start(void) {
  DECLARE_WAIT_QUEUE_HEAD(nothing);
  if (has_begun) {
    while (!is_up)
      msleep(1);
    return;
  }
  has_begun = true;
  lwip_init();
  open_interfaces();
  own_thread = create_thread("network", run, NULL);
  BUG_ON(own_thread == NULL);
  atexit(drain);
  minios_before_poll = minios_network_look;
  s_time_t deadline = NOW() + MOST_START;
  while (!are_ready() && NOW() < deadline)
    minios_network_wait(nothing, are_ready(), NOW() + MILLISECS(20));
  is_up = true;
}

void start_networking(void) {
  minios_network_start();
}

void stop_networking(void) {
  drain();
  while (interface_count > 0)
    minios_interface_close(interfaces[--interface_count]);
}

void networking_set_addr(struct ip_addr *ipaddr, struct ip_addr *netmask, struct ip_addr *gw) {
  if (interface_count > 0)
    netif_set_addr(interfaces[0], ip_2_ip4(ipaddr), ip_2_ip4(netmask), ip_2_ip4(gw));
}

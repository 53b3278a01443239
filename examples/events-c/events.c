/*
 * Two domains on one machine. The first grants a page to the second and waits on an event channel; the second maps the page,
 * writes into it, and wakes the first, which answers the same way.
 */
#include <mini-os/events.h>
#include <mini-os/gntmap.h>
#include <mini-os/gnttab.h>
#include <mini-os/mm.h>
#include <mini-os/wait.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static DECLARE_WAIT_QUEUE_HEAD(queue);
static volatile int events;

static void woken(evtchn_port_t port, struct pt_regs *regs, void *data) {
  (void)port, (void)regs, (void)data;
  events++;
  wake_up(&queue);
}

static void wait_for_event(int number) {
  wait_event(queue, events >= number);
}

static int offer(domid_t other) {
  char *page = (char *)alloc_page();
  evtchn_port_t port;
  grant_ref_t ref = gnttab_grant_access(other, virt_to_mfn(page), 0);
  if (evtchn_alloc_unbound(other, woken, NULL, &port) != 0)
    return 1;
  unmask_evtchn(port);
  printf("grant %u, port %u\n", (unsigned)ref, (unsigned)port);
  fflush(stdout);

  wait_for_event(1);
  printf("heard: %s\n", page);
  strcpy(page, "I hear you.");
  notify_remote_via_evtchn(port);

  wait_for_event(2);
  printf("%s\n", gnttab_end_access(ref) ? "the page is mine again" : "the page is still in use");
  unbind_evtchn(port);
  return 0;
}

static int take(domid_t other, grant_ref_t ref, evtchn_port_t remote) {
  struct gntmap map;
  uint32_t domid = other;
  evtchn_port_t port;
  gntmap_init(&map);
  char *page = gntmap_map_grant_refs(&map, 1, &domid, 0, &ref, 1);
  if (page == NULL || evtchn_bind_interdomain(other, remote, woken, NULL, &port) != 0)
    return 1;
  clear_evtchn(port); /* a new binding is pending */
  unmask_evtchn(port);

  strcpy(page, "Can you hear me?");
  notify_remote_via_evtchn(port);
  wait_for_event(1);
  printf("heard: %s\n", page);
  gntmap_munmap(&map, (unsigned long)page, 1);
  notify_remote_via_evtchn(port);
  return 0;
}

int main(int argc, char **argv) {
  if (argc == 3 && strcmp(argv[1], "offer") == 0)
    return offer((domid_t)atoi(argv[2]));
  if (argc == 5 && strcmp(argv[1], "take") == 0)
    return take((domid_t)atoi(argv[2]), (grant_ref_t)atoi(argv[3]), (evtchn_port_t)atoi(argv[4]));
  printf("usage: offer DOMID | take DOMID REF PORT\n");
  return 2;
}

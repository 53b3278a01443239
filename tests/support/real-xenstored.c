/*
 * What Xen's own xenstored needs of a machine, without Xen: stands for libxenctrl, libxenevtchn and libxengnttab.
 * The ring of each domain that is introduced can be talked to through a socket, $STUBDOM_RINGS/N.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define RING 1024
#define DOMAINS 16

struct page {
  char req[RING], rsp[RING];
  volatile uint32_t req_cons, req_prod, rsp_cons, rsp_prod, features, connection, error;
};

static struct domain {
  struct page *page;
  int listener;
  int wake[2];
} domains[DOMAINS];

/* Events for xenstored: it looks at all domains when one comes. */
static int events[2];

static void kick(int fd) {
  if (write(fd, "", 1) < 0) abort();
}

static void drain(int fd) {
  char bytes[64];
  if (read(fd, bytes, sizeof bytes) < 0) abort();
}

/* From the socket into the ring of requests, as far as there is room; -1 at its end. */
static int fill(struct page *page, int client) {
  uint32_t room = RING - (page->req_prod - page->req_cons), at = page->req_prod % RING;
  if (room > RING - at) room = RING - at;
  if (room == 0) return 0;
  ssize_t count = recv(client, page->req + at, room, MSG_DONTWAIT);
  if (count == 0) return -1;
  if (count < 0) return 0;
  __sync_synchronize();
  page->req_prod += count;
  kick(events[1]);
  return 1;
}

static int empty(struct page *page, int client) {
  uint32_t waiting = page->rsp_prod - page->rsp_cons, at = page->rsp_cons % RING;
  if (waiting > RING - at) waiting = RING - at;
  if (waiting == 0) return 0;
  __sync_synchronize();
  ssize_t count = send(client, page->rsp + at, waiting, 0);
  if (count < 0) return -1;
  page->rsp_cons += count;
  kick(events[1]);
  return 1;
}

static void *pump(void *argument) {
  struct domain *domain = argument;
  int client = accept(domain->listener, NULL, NULL);
  for (int state = 0; state >= 0;) {
    int is_full = domain->page->req_prod - domain->page->req_cons == RING;
    struct pollfd fds[] = {{domain->wake[0], POLLIN, 0}, {client, is_full ? 0 : POLLIN, 0}};
    if (poll(fds, 2, -1) < 0) abort();
    if (fds[0].revents) drain(domain->wake[0]);
    do {
      int filled = fill(domain->page, client);
      int emptied = empty(domain->page, client);
      state = filled < 0 || emptied < 0 ? -1 : filled + emptied;
    } while (state > 0);
  }
  close(client);
  return NULL;
}

void *xengnttab_map_grant_ref(void *handle, uint32_t domid, uint32_t reference, int protection) {
  if (domid >= DOMAINS) {
    errno = EINVAL;
    return NULL;
  }
  struct domain *domain = &domains[domid];
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path, sizeof address.sun_path, "%s/%u", getenv("STUBDOM_RINGS"), domid);
  unlink(address.sun_path);
  domain->page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  domain->listener = socket(AF_UNIX, SOCK_STREAM, 0);
  pthread_t thread;
  if (pipe(domain->wake) < 0 ||
      bind(domain->listener, (struct sockaddr *)&address, sizeof address) < 0 ||
      listen(domain->listener, 1) < 0 || pthread_create(&thread, NULL, pump, domain))
    abort();
  return domain->page;
}

int xengnttab_unmap(void *handle, void *start, uint32_t count) { return 0; }
void *xengnttab_open(void *logger, unsigned flags) { return events; }
int xengnttab_close(void *handle) { return 0; }
int xengnttab_set_max_grants(void *handle, uint32_t count) { return 0; }

void *xenevtchn_open(void *logger, unsigned flags) {
  if (pipe(events) < 0) abort();
  return events;
}

void *xenevtchn_fdopen(void *logger, int fd, unsigned flags) { abort(); }
int xenevtchn_fd(void *handle) { return events[0]; }
int xenevtchn_bind_virq(void *handle, unsigned virq) { return 1000; }
int xenevtchn_bind_interdomain(void *handle, uint32_t domid, uint32_t port) { return 100 + domid; }
int xenevtchn_unbind(void *handle, uint32_t port) { return 0; }
int xenevtchn_unmask(void *handle, uint32_t port) { return 0; }

int xenevtchn_pending(void *handle) {
  drain(events[0]);
  return 100;
}

int xenevtchn_notify(void *handle, uint32_t port) {
  if (port > 100 && port < 100 + DOMAINS && domains[port - 100].page) kick(domains[port - 100].wake[1]);
  return 0;
}

void *xc_interface_open(void *logger, void *debugger, unsigned flags) { return events; }
int xc_interface_close(void *handle) { return 0; }

/* All domains are there that can be; what begins xc_dominfo_t: domid, ssidref, and flags that are all 0. */
int xc_domain_getinfo(void *handle, uint32_t domid, unsigned count, uint32_t *info) {
  if (domid >= DOMAINS) return 0;
  info[0] = domid;
  info[1] = info[2] = 0;
  return 1;
}

/* Domain 0's port and page. */
int open(const char *path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  int mode = va_arg(arguments, int);
  va_end(arguments);
  int is_port = strstr(path, "xsd_port") != NULL;
  if (!is_port && strstr(path, "xsd_kva") == NULL) {
    int (*real)(const char *, int, ...) = dlsym(RTLD_NEXT, "open");
    return real(path, flags, mode);
  }
  int fd = memfd_create("xsd", 0);
  if (fd < 0 || ftruncate(fd, is_port ? 1 : 4096) < 0 || (is_port && pwrite(fd, "1", 1, 0) < 0)) abort();
  return fd;
}

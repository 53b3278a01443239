/* xenevtchn.h over mini-os/events.h: a list of ports, and a descriptor that is readable while one of them has an event. */
#include "result.h"

#include <fcntl.h>
#include <mini-os/events.h>
#include <mini-os/hypervisor.h>
#include <mini-os/posix.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>
#include <xenevtchn.h>

#define NO_PORT ((evtchn_port_t)-1)

struct port {
  struct port *next;
  xenevtchn_handle *handle;
  evtchn_port_t number;
  unsigned long pending; /* 0, or when its event came: a count */
};

struct xenevtchn_handle {
  struct minios_object object;
  int fd;
  struct port *ports;
  unsigned long events; /* so far */
};

static struct port *oldest(const xenevtchn_handle *xce) {
  struct port *found = NULL;
  for (struct port *port = xce->ports; port != NULL; port = port->next)
    if (port->pending != 0 && (found == NULL || port->pending < found->pending))
      found = port;
  return found;
}

static void tell(xenevtchn_handle *xce) {
  xce->object.ready = oldest(xce) != NULL ? POLLIN : 0;
}

static void handler(evtchn_port_t number, struct pt_regs *regs, void *data) {
  struct port *port = data;
  (void)regs;
  mask_evtchn(number);
  if (port->pending == 0)
    port->pending = ++port->handle->events;
  tell(port->handle);
}

static void release(struct minios_object *object) {
  xenevtchn_handle *xce = (xenevtchn_handle *)object;
  while (xce->ports != NULL) {
    struct port *port = xce->ports;
    xce->ports = port->next;
    unbind_evtchn(port->number);
    free(port);
  }
  free(xce);
}

xenevtchn_handle *xenevtchn_open(struct xentoollog_logger *logger, unsigned int flags) {
  static const struct minios_object_calls calls = {.close = release};
  (void)logger;
  xenevtchn_handle *xce = calloc(1, sizeof *xce);
  if (xce == NULL)
    return NULL;
  xce->object = (struct minios_object){.flags = O_RDWR, .calls = &calls};
  xce->fd = MINIOS_INT(
      minios_open_object(MINIOS_FD_EVENTS, xce, flags & XENEVTCHN_NO_CLOEXEC ? 0 : O_CLOEXEC));
  if (xce->fd >= 0)
    return xce;
  free(xce);
  return NULL;
}

int xenevtchn_close(xenevtchn_handle *xce) {
  return xce == NULL ? 0 : close(xce->fd);
}

int xenevtchn_fd(xenevtchn_handle *xce) {
  return xce->fd;
}

int xenevtchn_notify(xenevtchn_handle *xce, evtchn_port_t port) {
  (void)xce;
  return MINIOS_INT(notify_remote_via_evtchn(port));
}

static struct port *new_port(xenevtchn_handle *xce) {
  struct port *port = calloc(1, sizeof *port);
  if (port != NULL)
    port->handle = xce;
  return port;
}

/* The port as a result, once it is bound; `error` is what binding answered. */
static xenevtchn_port_or_error_t bound(struct port *port, int error) {
  if (error != 0) {
    free(port);
    return minios_failed(_REENT, -error);
  }
  port->next = port->handle->ports;
  port->handle->ports = port;
  unmask_evtchn(port->number);
  return (int)port->number;
}

xenevtchn_port_or_error_t xenevtchn_bind_unbound_port(xenevtchn_handle *xce, uint32_t domid) {
  struct port *port = new_port(xce);
  if (port == NULL)
    return -1;
  return bound(port, evtchn_alloc_unbound((domid_t)domid, handler, port, &port->number));
}

xenevtchn_port_or_error_t xenevtchn_bind_interdomain(xenevtchn_handle *xce, uint32_t domid,
                                                     evtchn_port_t remote_port) {
  struct port *port = new_port(xce);
  if (port == NULL)
    return -1;
  return bound(port, evtchn_bind_interdomain((domid_t)domid, remote_port, handler, port, &port->number));
}

xenevtchn_port_or_error_t xenevtchn_bind_virq(xenevtchn_handle *xce, unsigned int virq) {
  struct port *port = new_port(xce);
  if (port == NULL)
    return -1;
  port->number = bind_virq(virq, handler, port);
  return bound(port, port->number == NO_PORT ? -EINVAL : 0);
}

static struct port **link_of(xenevtchn_handle *xce, evtchn_port_t number) {
  struct port **link = &xce->ports;
  while (*link != NULL && (*link)->number != number)
    link = &(*link)->next;
  return link;
}

int xenevtchn_unbind(xenevtchn_handle *xce, evtchn_port_t number) {
  struct port **link = link_of(xce, number), *port = *link;
  if (port == NULL)
    return minios_failed(_REENT, EINVAL);
  *link = port->next;
  unbind_evtchn(number);
  free(port);
  tell(xce);
  return 0;
}

xenevtchn_port_or_error_t xenevtchn_pending(xenevtchn_handle *xce) {
  struct port *port = oldest(xce);
  if (port == NULL)
    return minios_failed(_REENT, EAGAIN);
  port->pending = 0;
  tell(xce);
  return (int)port->number;
}

int xenevtchn_unmask(xenevtchn_handle *xce, evtchn_port_t number) {
  if (*link_of(xce, number) == NULL)
    return minios_failed(_REENT, EINVAL);
  unmask_evtchn(number);
  return 0;
}

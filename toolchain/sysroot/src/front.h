/*
 * What Mini-OS's front-ends have in common: finding the device and its back-end in the store, telling it of rings and ports, and
 * the states of both (xen/io/xenbus.h).
 */
#ifndef MINIOS_FRONT_H
#define MINIOS_FRONT_H

#include <mini-os/xenbus.h>
#include <stdbool.h>

#define MINIOS_PROTOCOL (sizeof(long) == 8 ? "x86_64-abi" : "x86_32-abi")

struct minios_front {
  char *nodename;
  char *backend; /* its directory */
  domid_t dom;
  xenbus_event_queue events;
};

/* A node that the front-end writes for the back-end. */
struct minios_front_node {
  const char *name;
  const char *text; /* or NULL, and then the number */
  unsigned number;
};

/* False where there is no such device; what was found is to be freed all the same. */
bool minios_front_find(struct minios_front *front, const char *nodename);
void minios_front_free(struct minios_front *front);

/* To be freed; NULL where there is no such node. */
char *minios_read_node(const char *directory, const char *name);
long minios_read_number(const char *directory, const char *name, long otherwise);

/* Writes the nodes, as many as have a name, and the state in one transaction; an error string, or NULL. */
char *minios_front_publish(struct minios_front *front, const struct minios_front_node *nodes,
                           XenbusState state);
/* Until the back-end's state is at least that; what it is then. */
XenbusState minios_front_wait(struct minios_front *front, XenbusState least);
/* Publishes, and waits for the back-end to be connected; false, and a message, where it is not. */
bool minios_front_connect(struct minios_front *front, const struct minios_front_node *nodes);
/* Lets go of the back-end, and leaves the device as it was before, for the next front-end. */
void minios_front_disconnect(struct minios_front *front, const struct minios_front_node *nodes);

#endif

/* What Mini-OS's front-ends have in common (front.h). */
#include "front.h"

#include <mini-os/console.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *minios_read_node(const char *directory, const char *name) {
  char path[256], *value;
  snprintf(path, sizeof path, "%s/%s", directory, name);
  free(xenbus_read(XBT_NIL, path, &value));
  return value;
}

long minios_read_number(const char *directory, const char *name, long otherwise) {
  char *text = minios_read_node(directory, name);
  long value = text == NULL ? otherwise : strtol(text, NULL, 10);
  free(text);
  return value;
}

bool minios_front_find(struct minios_front *front, const char *nodename) {
  *front = (struct minios_front){.nodename = strdup(nodename)};
  if (front->nodename == NULL)
    return false;
  front->dom = (domid_t)minios_read_number(nodename, "backend-id", 0);
  front->backend = minios_read_node(nodename, "backend");
  return front->backend != NULL;
}

void minios_front_free(struct minios_front *front) {
  free(front->backend);
  free(front->nodename);
}

static char *write_nodes(struct minios_front *front, const struct minios_front_node *nodes,
                         xenbus_transaction_t xbt) {
  char *error = NULL;
  for (; error == NULL && nodes->name != NULL; nodes++)
    if (nodes->text != NULL)
      error = xenbus_printf(xbt, front->nodename, nodes->name, "%s", nodes->text);
    else
      error = xenbus_printf(xbt, front->nodename, nodes->name, "%u", nodes->number);
  return error;
}

char *minios_front_publish(struct minios_front *front, const struct minios_front_node *nodes,
                           XenbusState state) {
  for (;;) {
    xenbus_transaction_t xbt;
    int retry;
    char *error = xenbus_transaction_start(&xbt);
    if (error != NULL)
      return error;
    error = write_nodes(front, nodes, xbt);
    if (error == NULL)
      error = xenbus_printf(xbt, front->nodename, "state", "%d", state);
    char *end = xenbus_transaction_end(xbt, error != NULL, &retry);
    if (retry) {
      free(error);
      continue;
    }
    if (error == NULL)
      return end;
    free(end);
    return error;
  }
}

XenbusState minios_front_wait(struct minios_front *front, XenbusState least) {
  char path[256];
  XenbusState state;
  char *error = NULL;
  snprintf(path, sizeof path, "%s/state", front->backend);
  free(xenbus_watch_path_token(XBT_NIL, path, path, &front->events));
  state = (XenbusState)xenbus_read_integer(path);
  while (error == NULL && state < least)
    error = xenbus_wait_for_state_change(path, &state, &front->events);
  free(error);
  free(xenbus_unwatch_path_token(XBT_NIL, path, path));
  while (front->events != NULL)
    xenbus_wait_for_watch(&front->events);
  return state;
}

bool minios_front_connect(struct minios_front *front, const struct minios_front_node *nodes) {
  char *error = minios_front_publish(front, nodes, XenbusStateConnected);
  XenbusState state = XenbusStateUnknown;
  if (error == NULL)
    state = minios_front_wait(front, XenbusStateConnected);
  if (state == XenbusStateConnected)
    return true;
  printk("%s: no back-end: %s\n", front->nodename, error == NULL ? "closed" : error);
  free(error);
  return false;
}

static void switch_state(struct minios_front *front, XenbusState state) {
  char path[256];
  snprintf(path, sizeof path, "%s/state", front->nodename);
  free(xenbus_switch_state(XBT_NIL, path, state));
}

void minios_front_disconnect(struct minios_front *front, const struct minios_front_node *nodes) {
  char path[256];
  switch_state(front, XenbusStateClosing);
  minios_front_wait(front, XenbusStateClosing);
  switch_state(front, XenbusStateClosed);
  minios_front_wait(front, XenbusStateClosed);
  for (; nodes->name != NULL; nodes++) {
    snprintf(path, sizeof path, "%s/%s", front->nodename, nodes->name);
    free(xenbus_rm(XBT_NIL, path));
  }
  switch_state(front, XenbusStateInitialising);
}

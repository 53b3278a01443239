/* mini-os/xenbus.h: messages to the store, and a thread that sorts the events of watches into their queues. */
#include <errno.h>
#include <mini-os/api.h>
#include <mini-os/os.h>
#include <mini-os/sched.h>
#include <mini-os/wait.h>
#include <mini-os/xenbus.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

DECLARE_WAIT_QUEUE_HEAD(xenbus_watch_queue);
xenbus_event_queue xenbus_events;

struct xsd_sockmsg *xenbus_msg_reply(int type, xenbus_transaction_t trans, struct write_req *io,
                                     int nr_reqs) {
  char payload[XENSTORE_PAYLOAD_MAX];
  size_t length = 0;
  for (int i = 0; i < nr_reqs; i++) {
    if (io[i].len > sizeof payload - length) {
      length = sizeof payload + 1; /* the kernel refuses it, as the store does */
      break;
    }
    memcpy(payload + length, io[i].data, io[i].len);
    length += io[i].len;
  }
  struct xsd_sockmsg *reply = malloc(sizeof *reply + XENSTORE_PAYLOAD_MAX + 1);
  BUG_ON(reply == NULL);
  char *answer = (char *)(reply + 1);
  uint32_t reply_type = XS_ERROR;
  int count = minios_store_request(type, (uint32_t)trans, payload, length, answer, &reply_type);
  if (count < 0) {
    reply_type = XS_ERROR;
    count = sprintf(answer, "%s", count == -E2BIG ? "E2BIG" : "EINVAL") + 1;
  }
  answer[count] = '\0';
  *reply = (struct xsd_sockmsg){reply_type, 0, (uint32_t)trans, (uint32_t)count};
  return reply;
}

/* The payload as a string of its own, or its error; one of them is NULL. The reply is gone afterwards. */
static char *payload_of(struct xsd_sockmsg *reply, char **value) {
  bool is_error = reply->type == XS_ERROR;
  size_t length = reply->len;
  memmove(reply, reply + 1, length + 1);
  char *text = realloc(reply, length + 1);
  if (value != NULL)
    *value = is_error ? NULL : text;
  else if (!is_error)
    free(text);
  return is_error ? text : NULL;
}

static struct write_req string_of(const char *text) {
  return (struct write_req){text, (unsigned)strlen(text) + 1};
}

static char *ask(int type, xenbus_transaction_t xbt, const char *text, char **value) {
  struct write_req req = string_of(text);
  return payload_of(xenbus_msg_reply(type, xbt, &req, 1), value);
}

static char *ask_two(int type, const char *first, const char *second) {
  struct write_req req[] = {string_of(first), string_of(second)};
  return payload_of(xenbus_msg_reply(type, XBT_NIL, req, 2), NULL);
}

char *xenbus_read(xenbus_transaction_t xbt, const char *path, char **value) {
  return ask(XS_READ, xbt, path, value);
}

char *xenbus_write(xenbus_transaction_t xbt, const char *path, const char *value) {
  struct write_req req[] = {string_of(path), {value, (unsigned)strlen(value)}};
  return payload_of(xenbus_msg_reply(XS_WRITE, xbt, req, 2), NULL);
}

char *xenbus_rm(xenbus_transaction_t xbt, const char *path) {
  return ask(XS_RM, xbt, path, NULL);
}

char *xenbus_ls(xenbus_transaction_t xbt, const char *prefix, char ***contents) {
  struct write_req req = string_of(prefix);
  struct xsd_sockmsg *reply = xenbus_msg_reply(XS_DIRECTORY, xbt, &req, 1);
  *contents = NULL;
  if (reply->type == XS_ERROR)
    return payload_of(reply, NULL);
  const char *names = (const char *)(reply + 1);
  const char *end = names + reply->len;
  size_t count = 0;
  for (const char *name = names; name < end; name += strlen(name) + 1)
    count++;
  char **list = malloc((count + 1) * sizeof *list);
  BUG_ON(list == NULL);
  size_t i = 0;
  for (const char *name = names; name < end; name += strlen(name) + 1)
    list[i++] = strdup(name);
  list[count] = NULL;
  free(reply);
  *contents = list;
  return NULL;
}

char *xenbus_get_perms(xenbus_transaction_t xbt, const char *path, char **value) {
  return ask(XS_GET_PERMS, xbt, path, value);
}

char *xenbus_set_perms(xenbus_transaction_t xbt, const char *path, domid_t dom, char perm) {
  char permission[16];
  snprintf(permission, sizeof permission, "%c%u", perm, (unsigned)dom);
  struct write_req req[] = {string_of(path), string_of(permission)};
  return payload_of(xenbus_msg_reply(XS_SET_PERMS, xbt, req, 2), NULL);
}

char *xenbus_transaction_start(xenbus_transaction_t *xbt) {
  char *number;
  char *error = ask(XS_TRANSACTION_START, XBT_NIL, "", &number);
  if (error != NULL)
    return error;
  *xbt = strtoul(number, NULL, 10);
  free(number);
  return NULL;
}

char *xenbus_transaction_end(xenbus_transaction_t xbt, int abort, int *retry) {
  *retry = 0;
  char *error = ask(XS_TRANSACTION_END, xbt, abort ? "F" : "T", NULL);
  if (error == NULL || strcmp(error, "EAGAIN") != 0)
    return error;
  *retry = 1;
  free(error);
  return NULL;
}

int xenbus_read_integer(const char *path) {
  char *text;
  char *error = xenbus_read(XBT_NIL, path, &text);
  if (error != NULL) {
    free(error);
    return -1;
  }
  int value = -1;
  if (sscanf(text, "%d", &value) != 1)
    value = -1;
  free(text);
  return value;
}

char *xenbus_printf(xenbus_transaction_t xbt, const char *node, const char *path, const char *fmt,
                    ...) {
  char value[256];
  char full[XENSTORE_ABS_PATH_MAX + 1];
  va_list args;
  va_start(args, fmt);
  vsnprintf(value, sizeof value, fmt, args);
  va_end(args);
  snprintf(full, sizeof full, "%s/%s", node, path);
  return xenbus_write(xbt, full, value);
}

domid_t xenbus_get_self_id(void) {
  int id = xenbus_read_integer("domid");
  BUG_ON(id < 0);
  return (domid_t)id;
}

void xenbus_debug_msg(const char *msg) {
  struct write_req req[] = {{"print", sizeof "print"}, string_of(msg)};
  free(xenbus_msg_reply(XS_DEBUG, XBT_NIL, req, 2));
}

/* Watches by token, and where their events go. */
struct watch {
  struct watch *next;
  xenbus_event_queue *events;
  char *path;
  char token[];
};
static struct watch *watches;

static xenbus_event_queue *queue_of(const char *token) {
  for (struct watch *watch = watches; watch != NULL; watch = watch->next)
    if (strcmp(watch->token, token) == 0)
      return watch->events;
  return NULL;
}

/* Behind all that wait already. */
static void append(xenbus_event_queue *queue, const char *path, const char *token) {
  size_t lengths[] = {strlen(path) + 1, strlen(token) + 1};
  struct xenbus_event *event = malloc(sizeof *event + lengths[0] + lengths[1]);
  BUG_ON(event == NULL);
  event->path = memcpy(event + 1, path, lengths[0]);
  event->token = memcpy(event->path + lengths[0], token, lengths[1]);
  event->next = NULL;
  while (*queue != NULL)
    queue = &(*queue)->next;
  *queue = event;
}

/* A word that says for poll whether a queue has events. */
struct readiness {
  struct readiness *next;
  xenbus_event_queue *queue;
  uint32_t *ready;
};

static struct readiness *readinesses;

static void tell(xenbus_event_queue *queue) {
  for (struct readiness *one = readinesses; one != NULL; one = one->next)
    if (one->queue == queue)
      *one->ready = *queue != NULL ? POLLIN : 0;
}

bool minios_tell_events(xenbus_event_queue *queue, uint32_t *ready) {
  struct readiness *one = malloc(sizeof *one);
  if (one == NULL)
    return false;
  *one = (struct readiness){readinesses, queue, ready};
  readinesses = one;
  tell(queue);
  return true;
}

void minios_forget_events(const uint32_t *ready) {
  for (struct readiness **link = &readinesses; *link != NULL; link = &(*link)->next) {
    struct readiness *one = *link;
    if (one->ready != ready)
      continue;
    *link = one->next;
    free(one);
    return;
  }
}

static void sort_events(void *unused) {
  char event[XENSTORE_PAYLOAD_MAX];
  (void)unused;
  for (;;) {
    minios_store_event(event);
    const char *token = event + strlen(event) + 1;
    xenbus_event_queue *queue = queue_of(token);
    if (queue == NULL)
      continue; /* unwatched meanwhile */
    append(queue, event, token);
    tell(queue);
    wake_up(&xenbus_watch_queue);
  }
}

char *xenbus_watch_path_token(xenbus_transaction_t xbt, const char *path, const char *token,
                              xenbus_event_queue *events) {
  static struct thread *sorter;
  size_t token_size = strlen(token) + 1;
  struct watch *watch = malloc(sizeof *watch + token_size + strlen(path) + 1);
  (void)xbt; /* no watch is part of a transaction */
  if (sorter == NULL)
    sorter = create_thread("xenstore", sort_events, NULL);
  BUG_ON(watch == NULL || sorter == NULL);
  watch->next = watches;
  watch->events = events != NULL ? events : &xenbus_events;
  memcpy(watch->token, token, token_size);
  watch->path = strcpy(watch->token + token_size, path);
  watches = watch;
  char *error = ask_two(XS_WATCH, path, token);
  if (error != NULL) {
    watches = watch->next;
    free(watch);
  }
  return error;
}

char *xenbus_unwatch_path_token(xenbus_transaction_t xbt, const char *path, const char *token) {
  char *error = ask_two(XS_UNWATCH, path, token);
  (void)xbt;
  if (error != NULL)
    return error;
  for (struct watch **link = &watches; *link != NULL; link = &(*link)->next) {
    struct watch *watch = *link;
    if (strcmp(watch->token, token) != 0 || strcmp(watch->path, path) != 0)
      continue;
    *link = watch->next;
    free(watch);
    break;
  }
  return NULL;
}

void minios_forget_watches(xenbus_event_queue *events) {
  struct watch **link = &watches;
  while (*link != NULL) {
    struct watch *watch = *link;
    if (watch->events != events) {
      link = &watch->next;
      continue;
    }
    *link = watch->next;
    free(ask_two(XS_UNWATCH, watch->path, watch->token));
    free(watch);
  }
}

char **xenbus_wait_for_watch_return(xenbus_event_queue *queue) {
  if (queue == NULL)
    queue = &xenbus_events;
  wait_event(xenbus_watch_queue, *queue != NULL);
  struct xenbus_event *event = *queue;
  *queue = event->next;
  tell(queue);
  return &event->path;
}

void xenbus_wait_for_watch(xenbus_event_queue *queue) {
  free(xenbus_wait_for_watch_return(queue));
}

char *xenbus_wait_for_value(const char *path, const char *value, xenbus_event_queue *queue) {
  for (;;) {
    char *now;
    char *error = xenbus_read(XBT_NIL, path, &now);
    if (error != NULL)
      return error;
    bool is_there = strcmp(now, value) == 0;
    free(now);
    if (is_there)
      return NULL;
    xenbus_wait_for_watch(queue);
  }
}

char *xenbus_wait_for_state_change(const char *path, XenbusState *state,
                                   xenbus_event_queue *queue) {
  for (;;) {
    char *text;
    char *error = xenbus_read(XBT_NIL, path, &text);
    if (error != NULL)
      return error;
    XenbusState now = (XenbusState)atoi(text);
    free(text);
    if (now != *state) {
      *state = now;
      return NULL;
    }
    xenbus_wait_for_watch(queue);
  }
}

/* Written only where it is another, in a transaction of its own if it is given none. */
char *xenbus_switch_state(xenbus_transaction_t xbt, const char *path, XenbusState state) {
  bool is_own = xbt == XBT_NIL;
  for (;;) {
    char *text;
    char number[12];
    int retry = 0;
    char *error = is_own ? xenbus_transaction_start(&xbt) : NULL;
    if (error != NULL)
      return error;
    error = xenbus_read(xbt, path, &text);
    if (error == NULL) {
      bool is_same = atoi(text) == (int)state;
      free(text);
      snprintf(number, sizeof number, "%d", (int)state);
      error = is_same ? NULL : xenbus_write(xbt, path, number);
    }
    if (!is_own)
      return error;
    char *end = xenbus_transaction_end(xbt, error != NULL, &retry);
    if (!retry) {
      if (error == NULL)
        return end;
      free(end);
      return error;
    }
    free(error);
  }
}

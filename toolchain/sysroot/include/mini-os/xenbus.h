/*
 * The store as Mini-OS's front-ends use it. What fails answers with an error string of malloc's, `ENOENT` and the like;
 * NULL is success.
 */
#ifndef XENBUS_H__
#define XENBUS_H__

#include <mini-os/api.h>
#include <mini-os/types.h>
#include <mini-os/waittypes.h>
#include <xen/io/xenbus.h>
#include <stdbool.h>
#include <xen/io/xs_wire.h>

typedef unsigned long xenbus_transaction_t;
#define XBT_NIL ((xenbus_transaction_t)0)

static inline void init_xenbus(void) {}
static inline void fini_xenbus(void) {}

char *xenbus_read(xenbus_transaction_t xbt, const char *path, char **value);
char *xenbus_write(xenbus_transaction_t xbt, const char *path, const char *value);
char *xenbus_rm(xenbus_transaction_t xbt, const char *path);
/* A NULL-ended array of strings; each, and the array, is to be freed. */
char *xenbus_ls(xenbus_transaction_t xbt, const char *prefix, char ***contents);
char *xenbus_get_perms(xenbus_transaction_t xbt, const char *path, char **value);
char *xenbus_set_perms(xenbus_transaction_t xbt, const char *path, domid_t dom, char perm);
char *xenbus_transaction_start(xenbus_transaction_t *xbt);
/* *retry is 1, and there is no error, where the transaction must be done anew. */
char *xenbus_transaction_end(xenbus_transaction_t xbt, int abort, int *retry);
/* -1 where there is none. */
int xenbus_read_integer(const char *path);
/* Writes node/path. */
char *xenbus_printf(xenbus_transaction_t xbt, const char *node, const char *path, const char *fmt,
                    ...) __attribute__((__format__(printf, 4, 5)));
domid_t xenbus_get_self_id(void);

/* An event of a watch, one block of malloc's with its strings. */
struct xenbus_event {
  char *path;
  char *token;
  struct xenbus_event *next;
};
typedef struct xenbus_event *xenbus_event_queue;

/* Events go to *events, or to xenbus_events where that is NULL; the first comes at once. */
char *xenbus_watch_path_token(xenbus_transaction_t xbt, const char *path, const char *token,
                              xenbus_event_queue *events);
char *xenbus_unwatch_path_token(xenbus_transaction_t xbt, const char *path, const char *token);
/* Woken by every event. */
extern struct wait_queue_head xenbus_watch_queue;
extern xenbus_event_queue xenbus_events;
#define XENBUS_WATCH_PATH_TOKEN "xenbus_watch_path"
#define xenbus_watch_path(xbt, path) \
  xenbus_watch_path_token(xbt, path, XENBUS_WATCH_PATH_TOKEN, NULL)
#define xenbus_unwatch_path(xbt, path) xenbus_unwatch_path_token(xbt, path, XENBUS_WATCH_PATH_TOKEN)

void xenbus_wait_for_watch(xenbus_event_queue *queue);
/* &event->path of the first event, to be freed. */
char **xenbus_wait_for_watch_return(xenbus_event_queue *queue);
char *xenbus_wait_for_value(const char *path, const char *value, xenbus_event_queue *queue);
/* Waits until the state is another than *state, which becomes what it is. */
char *xenbus_wait_for_state_change(const char *path, XenbusState *state, xenbus_event_queue *queue);
char *xenbus_switch_state(xenbus_transaction_t xbt, const char *path, XenbusState state);

struct write_req {
  const void *data;
  unsigned len;
};
/* One message of the wire protocol and its reply, which is malloc's; a reply of type XS_ERROR has the error's name. */
struct xsd_sockmsg *xenbus_msg_reply(int type, xenbus_transaction_t trans, struct write_req *io,
                                     int nr_reqs);
void xenbus_debug_msg(const char *msg);

/* From now on *ready says in POLL bits whether that queue has events; false where there is no memory. */
bool minios_tell_events(xenbus_event_queue *queue, uint32_t *ready);
void minios_forget_events(const uint32_t *ready);

/* Ends all watches whose events go to that queue. */
void minios_forget_watches(xenbus_event_queue *events);

#endif

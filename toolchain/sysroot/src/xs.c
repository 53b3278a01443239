/* xenstore.h over the messages of mini-os/xenbus.h; a handle is where the events of its watches come. */
#include "result.h"

#include <fcntl.h>
#include <mini-os/posix.h>
#include <mini-os/xenbus.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xenstore.h>

struct xs_handle {
  struct minios_object object; /* once it has a descriptor */
  bool is_open;                /* has one */
  bool is_closed;              /* is nothing else any more */
  int fd;
  xenbus_event_queue events;
};

struct xs_handle *xs_open(unsigned long flags) {
  (void)flags;
  return calloc(1, sizeof(struct xs_handle));
}

struct xs_handle *xs_daemon_open(void) {
  return xs_open(0);
}

struct xs_handle *xs_daemon_open_readonly(void) {
  return xs_open(XS_OPEN_READONLY);
}

struct xs_handle *xs_domain_open(void) {
  return xs_open(0);
}

void xs_close(struct xs_handle *xsh) {
  if (xsh == NULL)
    return;
  minios_forget_watches(&xsh->events);
  while (xsh->events != NULL) {
    struct xenbus_event *event = xsh->events;
    xsh->events = event->next;
    free(event);
  }
  xsh->is_closed = true;
  if (xsh->is_open)
    close(xsh->fd);
  else
    free(xsh);
}

/* The handle lives as long as somebody has either. */
static void close_descriptor(struct minios_object *object) {
  struct xs_handle *xsh = (struct xs_handle *)object;
  minios_forget_events(&object->ready);
  xsh->is_open = false;
  if (xsh->is_closed)
    free(xsh);
}

int xs_fileno(struct xs_handle *h) {
  static const struct minios_object_calls calls = {.close = close_descriptor};
  if (h->is_open)
    return h->fd;
  h->object = (struct minios_object){.flags = O_RDWR, .calls = &calls};
  h->fd = MINIOS_INT(minios_open_object(MINIOS_FD_STORE, h, O_CLOEXEC));
  if (h->fd < 0)
    return -1;
  h->is_open = true;
  minios_tell_events(&h->events, &h->object.ready);
  return h->fd;
}

void xs_daemon_close(struct xs_handle *xsh) {
  xs_close(xsh);
}

void xs_daemon_destroy_postfork(struct xs_handle *xsh) {
  xs_close(xsh);
}

static int error_number(const char *name) {
  static const struct {
    const char *name;
    int number;
  } errors[] = {
      {"EINVAL", EINVAL}, {"EACCES", EACCES}, {"EEXIST", EEXIST}, {"EISDIR", EISDIR},
      {"ENOENT", ENOENT}, {"ENOMEM", ENOMEM}, {"ENOSPC", ENOSPC}, {"EIO", EIO},
      {"ENOTEMPTY", ENOTEMPTY}, {"ENOSYS", ENOSYS}, {"EROFS", EROFS}, {"EBUSY", EBUSY},
      {"EAGAIN", EAGAIN}, {"EISCONN", EISCONN}, {"E2BIG", E2BIG}, {"EPERM", EPERM},
  };
  for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
    if (strcmp(errors[i].name, name) == 0)
      return errors[i].number;
  return EINVAL;
}

/* A reply, or NULL with errno. */
static struct xsd_sockmsg *talk(int type, xs_transaction_t t, struct write_req *req, int count) {
  struct xsd_sockmsg *reply = xenbus_msg_reply(type, t, req, count);
  if (reply->type != XS_ERROR)
    return reply;
  int error = error_number((const char *)(reply + 1));
  free(reply);
  errno = error;
  return NULL;
}

static struct write_req string_of(const char *text) {
  return (struct write_req){text, (unsigned)strlen(text) + 1};
}

static struct xsd_sockmsg *talk_of(int type, xs_transaction_t t, const char *text) {
  struct write_req req = string_of(text);
  return talk(type, t, &req, 1);
}

static bool done(struct xsd_sockmsg *reply) {
  bool is_done = reply != NULL;
  free(reply);
  return is_done;
}

/* The payload with its NUL, in the reply's place. */
static char *payload_of(struct xsd_sockmsg *reply, unsigned int *len) {
  if (reply == NULL)
    return NULL;
  unsigned int length = reply->len;
  if (len != NULL)
    *len = length;
  return memmove(reply, reply + 1, length + 1);
}

void *xs_read(struct xs_handle *h, xs_transaction_t t, const char *path, unsigned int *len) {
  (void)h;
  return payload_of(talk_of(XS_READ, t, path), len);
}

bool xs_write(struct xs_handle *h, xs_transaction_t t, const char *path, const void *data,
              unsigned int len) {
  struct write_req req[] = {string_of(path), {data, len}};
  (void)h;
  return done(talk(XS_WRITE, t, req, 2));
}

bool xs_mkdir(struct xs_handle *h, xs_transaction_t t, const char *path) {
  (void)h;
  return done(talk_of(XS_MKDIR, t, path));
}

bool xs_rm(struct xs_handle *h, xs_transaction_t t, const char *path) {
  (void)h;
  return done(talk_of(XS_RM, t, path));
}

static unsigned int count_strings(const char *strings, unsigned int length) {
  unsigned int count = 0;
  for (const char *text = strings; text < strings + length; text += strlen(text) + 1)
    count++;
  return count;
}

char **xs_directory(struct xs_handle *h, xs_transaction_t t, const char *path, unsigned int *num) {
  unsigned int length;
  (void)h;
  char *names = payload_of(talk_of(XS_DIRECTORY, t, path), &length);
  if (names == NULL)
    return NULL;
  *num = count_strings(names, length);
  char **list = malloc(*num * sizeof *list + length + 1);
  if (list != NULL) {
    char *name = memcpy(list + *num, names, length);
    for (unsigned int i = 0; i < *num; i++, name += strlen(name) + 1)
      list[i] = name;
  }
  free(names);
  return list;
}

static enum xs_perm_type type_of(char letter) {
  switch (letter) {
    case 'r':
      return XS_PERM_READ;
    case 'w':
      return XS_PERM_WRITE;
    case 'b':
      return XS_PERM_READ | XS_PERM_WRITE;
    default:
      return XS_PERM_NONE;
  }
}

struct xs_permissions *xs_get_permissions(struct xs_handle *h, xs_transaction_t t,
                                          const char *path, unsigned int *num) {
  unsigned int length;
  (void)h;
  char *texts = payload_of(talk_of(XS_GET_PERMS, t, path), &length);
  if (texts == NULL)
    return NULL;
  *num = count_strings(texts, length);
  struct xs_permissions *list = malloc(*num * sizeof *list);
  const char *text = texts;
  if (list != NULL)
    for (unsigned int i = 0; i < *num; i++, text += strlen(text) + 1)
      list[i] = (struct xs_permissions){(unsigned int)atoi(text + 1), type_of(text[0])};
  free(texts);
  return list;
}

bool xs_set_permissions(struct xs_handle *h, xs_transaction_t t, const char *path,
                        struct xs_permissions *perms, unsigned int num_perms) {
  static const char letters[] = {'n', 'r', 'w', 'b'};
  char text[XENSTORE_PAYLOAD_MAX];
  unsigned int length = 0;
  (void)h;
  for (unsigned int i = 0; i < num_perms; i++) {
    if (length > sizeof text - 16) {
      errno = E2BIG;
      return false;
    }
    char letter = letters[perms[i].perms & (XS_PERM_READ | XS_PERM_WRITE)];
    length += (unsigned int)sprintf(text + length, "%c%u", letter, perms[i].id) + 1;
  }
  struct write_req req[] = {string_of(path), {text, length}};
  return done(talk(XS_SET_PERMS, t, req, 2));
}

/* An error string of xenbus.h's as errno. */
static bool succeeded(char *error) {
  if (error == NULL)
    return true;
  int number = error_number(error);
  free(error);
  errno = number;
  return false;
}

bool xs_watch(struct xs_handle *h, const char *path, const char *token) {
  return succeeded(xenbus_watch_path_token(XBT_NULL, path, token, &h->events));
}

bool xs_unwatch(struct xs_handle *h, const char *path, const char *token) {
  (void)h;
  return succeeded(xenbus_unwatch_path_token(XBT_NULL, path, token));
}

char **xs_read_watch(struct xs_handle *h, unsigned int *num) {
  *num = 2;
  return xenbus_wait_for_watch_return(&h->events);
}

char **xs_check_watch(struct xs_handle *h) {
  if (h->events != NULL)
    return xenbus_wait_for_watch_return(&h->events);
  errno = EAGAIN;
  return NULL;
}

xs_transaction_t xs_transaction_start(struct xs_handle *h) {
  (void)h;
  char *number = payload_of(talk_of(XS_TRANSACTION_START, XBT_NULL, ""), NULL);
  if (number == NULL)
    return XBT_NULL;
  xs_transaction_t t = (xs_transaction_t)strtoul(number, NULL, 10);
  free(number);
  return t;
}

bool xs_transaction_end(struct xs_handle *h, xs_transaction_t t, bool abort) {
  (void)h;
  return done(talk_of(XS_TRANSACTION_END, t, abort ? "F" : "T"));
}

char *xs_get_domain_path(struct xs_handle *h, unsigned int domid) {
  char number[12];
  (void)h;
  snprintf(number, sizeof number, "%u", domid);
  return payload_of(talk_of(XS_GET_DOMAIN_PATH, XBT_NULL, number), NULL);
}

bool xs_is_domain_introduced(struct xs_handle *h, unsigned int domid) {
  char number[12];
  (void)h;
  snprintf(number, sizeof number, "%u", domid);
  char *answer = payload_of(talk_of(XS_IS_DOMAIN_INTRODUCED, XBT_NULL, number), NULL);
  bool is_there = answer != NULL && strcmp(answer, "T") == 0;
  free(answer);
  return is_there;
}

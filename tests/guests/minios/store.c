/* The store, as a front-end uses it and as a client of Xen's library does; a scene each. */
#include <mini-os/os.h>
#include <mini-os/sched.h>
#include <mini-os/wait.h>
#include <mini-os/xenbus.h>
#include <xs.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <unistd.h>

static const char *told(char *error) {
  static char text[32];
  snprintf(text, sizeof text, "%s", error == NULL ? "ok" : error);
  free(error);
  return text;
}

static void nodes(void) {
  char *value = NULL;
  char **names;
  printf("I am %u", (unsigned)xenbus_get_self_id());
  printf(", write %s", told(xenbus_write(XBT_NIL, "data/a", "one")));
  printf(", read %s", told(xenbus_read(XBT_NIL, "data/a", &value)));
  printf(" %s", value);
  free(value);
  printf(", none %s", told(xenbus_read(XBT_NIL, "data/b", &value)));
  printf(" %d", value == NULL);
  printf(", printf %s", told(xenbus_printf(XBT_NIL, "data", "n", "%d", 42)));
  printf(" %d %d", xenbus_read_integer("data/n"), xenbus_read_integer("data/zz"));
  printf(", ls %s", told(xenbus_ls(XBT_NIL, "data", &names)));
  for (char **name = names; *name != NULL; name++) {
    printf(" %s", *name);
    free(*name);
  }
  free(names);
  printf(", rm %s", told(xenbus_rm(XBT_NIL, "data/a")));
  printf(" %s", told(xenbus_rm(XBT_NIL, "data/a")));
  printf(" %s\n", told(xenbus_rm(XBT_NIL, "data/not/there")));
}

static void permissions(void) {
  char *value = NULL;
  free(xenbus_write(XBT_NIL, "data/p", ""));
  printf("perms %s", told(xenbus_get_perms(XBT_NIL, "data/p", &value)));
  printf(" %s", value);
  free(value);
  printf(", set %s", told(xenbus_set_perms(XBT_NIL, "data/p", xenbus_get_self_id(), 'r')));
  free(xenbus_get_perms(XBT_NIL, "data/p", &value));
  printf(" %s", value);
  free(value);
  printf(", not mine %s", told(xenbus_write(XBT_NIL, "/local/domain/0/name", "x")));
  printf(", bad path %s\n", told(xenbus_write(XBT_NIL, "data//x", "x")));
}

static void transactions(void) {
  xenbus_transaction_t first, second;
  int retry;
  char *value = NULL;
  free(xenbus_write(XBT_NIL, "data/t", "0"));
  printf("start %s", told(xenbus_transaction_start(&first)));
  free(xenbus_write(first, "data/t", "1"));
  printf(", outside %d", xenbus_read_integer("data/t"));
  printf(", end %s", told(xenbus_transaction_end(first, 0, &retry)));
  printf(" %d, now %d", retry, xenbus_read_integer("data/t"));
  free(xenbus_transaction_start(&second));
  free(xenbus_read(second, "data/t", &value));
  free(value);
  free(xenbus_write(XBT_NIL, "data/t", "2"));
  free(xenbus_write(second, "data/t", "3"));
  printf(", late %s", told(xenbus_transaction_end(second, 0, &retry)));
  printf(" %d", retry);
  free(xenbus_transaction_start(&second));
  free(xenbus_write(second, "data/t", "9"));
  printf(", aborted %s", told(xenbus_transaction_end(second, 1, &retry)));
  printf(" %d %d", retry, xenbus_read_integer("data/t"));
  printf(", unknown %s\n", told(xenbus_transaction_end(4711, 0, &retry)));
}

static void changer(void *path) {
  msleep(1);
  free(xenbus_write(XBT_NIL, path, "3"));
  msleep(1);
  free(xenbus_write(XBT_NIL, path, "4"));
}

static void watches(void) {
  xenbus_event_queue events = NULL;
  XenbusState state = XenbusStateUnknown;
  free(xenbus_write(XBT_NIL, "data/state", "1"));
  printf("watch %s", told(xenbus_watch_path_token(XBT_NIL, "data/state", "token", &events)));
  char **event = xenbus_wait_for_watch_return(&events);
  printf(", first %s %s", event[0], event[1]);
  free(event);
  free(xenbus_wait_for_state_change("data/state", &state, &events));
  printf(", state %d", (int)state);
  create_thread("changer", changer, "data/state");
  free(xenbus_wait_for_state_change("data/state", &state, &events));
  printf(", state %d", (int)state);
  printf(", value %s", told(xenbus_wait_for_value("data/state", "4", &events)));
  printf(", switch %s", told(xenbus_switch_state(XBT_NIL, "data/state", XenbusStateClosing)));
  printf(" %d", xenbus_read_integer("data/state"));
  printf(", twice %s", told(xenbus_watch_path_token(XBT_NIL, "data/state", "token", &events)));
  printf(", unwatch %s", told(xenbus_unwatch_path_token(XBT_NIL, "data/state", "token")));
  printf(" %s\n", told(xenbus_unwatch_path_token(XBT_NIL, "data/state", "token")));
}

static void messages(void) {
  char big[5000];
  memset(big, 'x', sizeof big);
  struct write_req req[] = {{"data/raw", 9}, {"a\0b", 3}};
  struct xsd_sockmsg *reply = xenbus_msg_reply(XS_WRITE, XBT_NIL, req, 2);
  printf("%u %s", (unsigned)reply->type, (char *)(reply + 1));
  free(reply);
  reply = xenbus_msg_reply(XS_READ, XBT_NIL, req, 1);
  printf(", %u bytes", (unsigned)reply->len);
  free(reply);
  req[1] = (struct write_req){big, sizeof big};
  reply = xenbus_msg_reply(XS_WRITE, XBT_NIL, req, 2);
  printf(", %u %s", (unsigned)reply->type, (char *)(reply + 1));
  free(reply);
  reply = xenbus_msg_reply(XS_INTRODUCE, XBT_NIL, req, 1);
  printf(", %s", (char *)(reply + 1));
  free(reply);
  reply = xenbus_msg_reply(99, XBT_NIL, req, 1);
  printf(", %s\n", (char *)(reply + 1));
  free(reply);
}

static void library(void) {
  unsigned int count = 0;
  struct xs_handle *h = xs_open(0);
  printf("write %d", xs_write(h, XBT_NULL, "data/x/y", "value", 5));
  char *value = xs_read(h, XBT_NULL, "data/x/y", &count);
  printf(", read %s %u", value, count);
  free(value);
  value = xs_read(h, XBT_NULL, "data/q", &count);
  printf(", none %d %d", value == NULL, errno == ENOENT);
  printf(", mkdir %d", xs_mkdir(h, XBT_NULL, "data/x/z"));
  char **names = xs_directory(h, XBT_NULL, "data/x", &count);
  printf(", directory %u %s %s", count, names[0], names[1]);
  free(names);
  struct xs_permissions wanted[] = {{xenbus_get_self_id(), XS_PERM_NONE}, {0, XS_PERM_READ}};
  printf(", set %d", xs_set_permissions(h, XBT_NULL, "data/x", wanted, 2));
  struct xs_permissions *perms = xs_get_permissions(h, XBT_NULL, "data/x", &count);
  printf(" %u %d", count, perms[0].perms == XS_PERM_NONE && perms[1].perms == XS_PERM_READ);
  free(perms);
  value = xs_get_domain_path(h, 7);
  printf(", path %s", value);
  free(value);
  xs_transaction_t t = xs_transaction_start(h);
  printf(", in %d", xs_write(h, t, "data/x/y", "new", 3));
  printf(", end %d", xs_transaction_end(h, t, false));
  printf(", watch %d", xs_watch(h, "data/x", "mine"));
  char **event = xs_read_watch(h, &count);
  printf(" %s %s", event[XS_WATCH_PATH], event[XS_WATCH_TOKEN]);
  free(event);
  errno = 0;
  event = xs_check_watch(h);
  printf(", no more %d", event == NULL && errno == EAGAIN);
  printf(", rm %d %d\n", xs_rm(h, XBT_NULL, "data/x"), xs_rm(h, XBT_NULL, "data/nowhere/x"));
  xs_close(h);
}

static void descriptor(void) {
  unsigned int count;
  struct xs_handle *h = xs_open(0);
  struct pollfd fds = {.fd = xs_fileno(h), .events = POLLIN};
  printf("same %d, quiet %d", xs_fileno(h) == fds.fd, poll(&fds, 1, 0));
  xs_watch(h, "data/x", "mine");
  printf(", watch %d", poll(&fds, 1, -1));
  free(xs_read_watch(h, &count));
  printf(", read %d", poll(&fds, 1, 0));
  xs_write(h, XBT_NULL, "data/x", "1", 1);
  xs_write(h, XBT_NULL, "data/x/y", "2", 1);
  fd_set readable;
  FD_ZERO(&readable);
  FD_SET(fds.fd, &readable);
  printf(", select %d", select(fds.fd + 1, &readable, NULL, NULL, NULL));
  for (int n = 0; n < 2; n++) {
    char **event = xs_read_watch(h, &count);
    printf(" %s", event[XS_WATCH_PATH]);
    free(event);
  }
  printf(", then %d", poll(&fds, 1, 0));
  char byte;
  printf(", not to be read %d", read(fds.fd, &byte, 1) == -1 && errno == EINVAL);
  xs_close(h);
  printf(", closed %d\n", poll(&fds, 1, 0) == 1 && fds.revents == POLLNVAL);
}

static void plain_watches(void) {
  struct xs_handle *h = xs_domain_open(), *other = xs_daemon_open(), *third = xs_daemon_open_readonly();
  unsigned int count;
  printf("opened %d", h != NULL && other != NULL && third != NULL);
  printf(", watch %s", told(xenbus_watch_path(XBT_NIL, "data/w")));
  xenbus_wait_for_watch(NULL);
  free(xenbus_write(XBT_NIL, "data/w", "1"));
  xenbus_wait_for_watch(NULL);
  printf(", unwatch %s", told(xenbus_unwatch_path(XBT_NIL, "data/w")));
  printf(" %s", told(xenbus_unwatch_path(XBT_NIL, "data/w")));
  printf(", of xs %d", xs_watch(h, "data/w", "x"));
  free(xs_read_watch(h, &count));
  printf(" %d", xs_unwatch(h, "data/w", "x"));
  printf(" %d", xs_unwatch(h, "data/w", "x"));
  printf(", introduced %d", xs_is_domain_introduced(h, xenbus_get_self_id()));
  xenbus_debug_msg("hello");
  xs_daemon_destroy_postfork(third);
  xs_daemon_close(other);
  xs_close(h);
  printf(", closed\n");
}

static const struct {
  const char *name;
  void (*play)(void);
} scenes[] = {
    {"nodes", nodes},     {"permissions", permissions}, {"transactions", transactions},
    {"watches", watches}, {"messages", messages},       {"library", library}, {"descriptor", descriptor},
    {"plain", plain_watches},
};

int main(int argc, char **argv) {
  for (size_t i = 0; i < sizeof scenes / sizeof *scenes; i++)
    if (argc > 1 && strcmp(scenes[i].name, argv[1]) == 0) {
      scenes[i].play();
      return 0;
    }
  return 1;
}

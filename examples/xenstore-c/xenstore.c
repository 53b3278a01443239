/* The machine's store: what a domain finds there, what it writes, and how it hears of changes. */
#include <mini-os/sched.h>
#include <mini-os/xenbus.h>

#include <stdio.h>
#include <stdlib.h>

/* Errors of xenbus calls are strings. */
static void must(char *error) {
  if (error == NULL)
    return;
  printf("the store says %s\n", error);
  exit(1);
}

static void print_tree(const char *path, int depth) {
  char **names;
  must(xenbus_ls(XBT_NIL, path, &names));
  for (char **name = names; *name != NULL; name++) {
    char child[128], *value;
    snprintf(child, sizeof child, "%s/%s", path, *name);
    must(xenbus_read(XBT_NIL, child, &value));
    printf("%*s%s = \"%s\"\n", 2 * depth, "", *name, value);
    print_tree(child, depth + 1);
    free(value);
    free(*name);
  }
  free(names);
}

static void open_shop(void *unused) {
  (void)unused;
  msleep(10);
  must(xenbus_write(XBT_NIL, "data/shop/state", "open"));
}

/* All of it at once, or, where somebody interferes, anew. */
static void furnish(void) {
  xenbus_transaction_t xbt;
  int retry;
  do {
    must(xenbus_transaction_start(&xbt));
    must(xenbus_printf(xbt, "data/shop", "shelves", "%d", 3));
    must(xenbus_printf(xbt, "data/shop", "state", "%s", "closed"));
    must(xenbus_transaction_end(xbt, 0, &retry));
  } while (retry);
}

int main(void) {
  xenbus_event_queue events = NULL;
  printf("I am domain %u.\n", (unsigned)xenbus_get_self_id());

  furnish();
  print_tree("data", 0);

  must(xenbus_watch_path_token(XBT_NIL, "data/shop/state", "shop", &events));
  create_thread("shop", open_shop, NULL);
  must(xenbus_wait_for_value("data/shop/state", "open", &events));
  printf("The shop is open.\n");
  must(xenbus_unwatch_path_token(XBT_NIL, "data/shop/state", "shop"));
  return 0;
}

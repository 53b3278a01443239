/*
 * Xen's client library of the store, with its names and prototypes. What fails answers false or NULL, with the store's error
 * in errno; whatever is returned is to be freed.
 */
#ifndef XENSTORE_H
#define XENSTORE_H

#include <stdbool.h>
#include <stdint.h>
#include <xen/io/xs_wire.h>

typedef uint32_t xs_transaction_t;
#define XBT_NULL 0

#define XS_OPEN_READONLY (1UL << 0)
#define XS_OPEN_SOCKETONLY (1UL << 1)
#define XS_UNWATCH_FILTER (1UL << 2)

struct xs_handle;

enum xs_perm_type {
  XS_PERM_NONE = 0,
  XS_PERM_READ = 1,
  XS_PERM_WRITE = 2,
  XS_PERM_ENOENT_OK = 4,
  XS_PERM_OWNER = 8,
  XS_PERM_IGNORE = 16
};

struct xs_permissions {
  unsigned int id;
  enum xs_perm_type perms;
};

struct xs_handle *xs_open(unsigned long flags);
void xs_close(struct xs_handle *xsh);
struct xs_handle *xs_daemon_open(void);
struct xs_handle *xs_daemon_open_readonly(void);
struct xs_handle *xs_domain_open(void);
void xs_daemon_close(struct xs_handle *xsh);
void xs_daemon_destroy_postfork(struct xs_handle *xsh);

/* Followed by a NUL that is not counted. */
void *xs_read(struct xs_handle *h, xs_transaction_t t, const char *path, unsigned int *len);
bool xs_write(struct xs_handle *h, xs_transaction_t t, const char *path, const void *data,
              unsigned int len);
bool xs_mkdir(struct xs_handle *h, xs_transaction_t t, const char *path);
bool xs_rm(struct xs_handle *h, xs_transaction_t t, const char *path);
/* One block: the array and its strings. */
char **xs_directory(struct xs_handle *h, xs_transaction_t t, const char *path, unsigned int *num);
struct xs_permissions *xs_get_permissions(struct xs_handle *h, xs_transaction_t t,
                                          const char *path, unsigned int *num);
bool xs_set_permissions(struct xs_handle *h, xs_transaction_t t, const char *path,
                        struct xs_permissions *perms, unsigned int num_perms);

/* Every event is given to the handle that watches; xs_read_watch waits, xs_check_watch answers EAGAIN. */
bool xs_watch(struct xs_handle *h, const char *path, const char *token);
bool xs_unwatch(struct xs_handle *h, const char *path, const char *token);
char **xs_read_watch(struct xs_handle *h, unsigned int *num);
char **xs_check_watch(struct xs_handle *h);
/* The handle as a descriptor, which select and poll find readable while it has events; -1 with errno. */
int xs_fileno(struct xs_handle *h);

xs_transaction_t xs_transaction_start(struct xs_handle *h);
/* EAGAIN: it must be done anew. */
bool xs_transaction_end(struct xs_handle *h, xs_transaction_t t, bool abort);

char *xs_get_domain_path(struct xs_handle *h, unsigned int domid);
bool xs_is_domain_introduced(struct xs_handle *h, unsigned int domid);

#endif

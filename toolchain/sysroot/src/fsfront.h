/* What fsfront.c and the calls of mini-os/fs.h (fsfront-calls.c) share: requests under way, each with pages of its own. */
#ifndef MINIOS_FSFRONT_H
#define MINIOS_FSFRONT_H

#include <mini-os/fs.h>

#define FS_PAGES 6 /* as many references as a slot of the ring has room for */
#define FS_BYTES (FS_PAGES * 4096)

struct fs_request {
  enum { FS_FREE, FS_TAKEN, FS_ANSWERED } state;
  union {
    struct fsif_request request;
    union fsif_sring_entry entry; /* as long as a slot */
  };
  struct fsif_response response;
  char *pages;
  grant_ref_t grefs[FS_PAGES];
};

/* Waits for a request that is free; NULL where there is no memory. */
struct fs_request *minios_fs_begin(struct fs_import *import, int type);
void minios_fs_send(struct fs_import *import, struct fs_request *request);
/* Waits; a negative errno is the C library's. */
int64_t minios_fs_answer(struct fs_import *import, struct fs_request *request);
void minios_fs_release(struct fs_request *request);
/* Any number of bytes; type: REQ_FILE_READ or REQ_FILE_WRITE. */
ssize_t minios_fs_move(struct fs_import *import, int type, int fd, void *buffer, size_t bytes, uint64_t offset);
/* Sends, waits, releases. */
int64_t minios_fs_finish(struct fs_import *import, struct fs_request *request);

#endif

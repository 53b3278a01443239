/* Requests for files of another domain (layouts and numbers of Xen's public header io/fsif.h). */
#ifndef __XEN_PUBLIC_IO_FSIF_H__
#define __XEN_PUBLIC_IO_FSIF_H__

#include <mini-os/api.h>
#include <stdint.h>

#ifndef __ring_idx_defined
#define __ring_idx_defined
typedef unsigned int RING_IDX;
#endif

#define REQ_FILE_OPEN 1
#define REQ_FILE_CLOSE 2
#define REQ_FILE_READ 3
#define REQ_FILE_WRITE 4
#define REQ_STAT 5
#define REQ_FILE_TRUNCATE 6
#define REQ_REMOVE 7
#define REQ_RENAME 8
#define REQ_CREATE 9
#define REQ_DIR_LIST 10
#define REQ_CHMOD 11
#define REQ_FS_SPACE 12
#define REQ_FILE_SYNC 13

#define STATE_INITIALISED "init"
#define STATE_READY "ready"
#define STATE_CLOSING "closing"
#define STATE_CLOSED "closed"

/* Names end with NULs, in the page that is granted. */
struct fsif_open_request {
  grant_ref_t gref;
};

struct fsif_close_request {
  uint32_t fd;
};

struct fsif_read_request {
  uint32_t fd;
  int32_t pad;
  uint64_t len;
  uint64_t offset;
  grant_ref_t grefs[1]; /* as many as len needs; six fit into a slot of the ring */
};

struct fsif_write_request {
  uint32_t fd;
  int32_t pad;
  uint64_t len;
  uint64_t offset;
  grant_ref_t grefs[1];
};

struct fsif_stat_request {
  uint32_t fd;
};

struct fsif_stat_response {
  int32_t stat_mode;
  uint32_t stat_uid;
  uint32_t stat_gid;
  int32_t stat_ret;
  int64_t stat_size;
  int64_t stat_atime; /* seconds since 1970 */
  int64_t stat_mtime;
  int64_t stat_ctime;
};

struct fsif_truncate_request {
  uint32_t fd;
  int32_t pad;
  int64_t length;
};

struct fsif_remove_request {
  grant_ref_t gref;
};

struct fsif_rename_request {
  uint16_t old_name_offset;
  uint16_t new_name_offset;
  grant_ref_t gref;
};

struct fsif_create_request {
  int8_t directory;
  int8_t pad;
  int16_t pad2;
  int32_t mode;
  grant_ref_t gref;
};

/* The names come into the page that the directory's was in. */
struct fsif_list_request {
  uint32_t offset;
  grant_ref_t gref;
};

/* Of a list's answer: how many, an errno, whether there are more */
#define NR_FILES_SHIFT 0
#define NR_FILES_SIZE 16
#define NR_FILES_MASK (((1ULL << NR_FILES_SIZE) - 1) << NR_FILES_SHIFT)
#define ERROR_SIZE 32
#define ERROR_SHIFT (NR_FILES_SIZE + NR_FILES_SHIFT)
#define ERROR_MASK (((1ULL << ERROR_SIZE) - 1) << ERROR_SHIFT)
#define HAS_MORE_SHIFT (ERROR_SHIFT + ERROR_SIZE)
#define HAS_MORE_FLAG (1ULL << HAS_MORE_SHIFT)

struct fsif_chmod_request {
  uint32_t fd;
  int32_t mode;
};

struct fsif_space_request {
  grant_ref_t gref;
};

struct fsif_sync_request {
  uint32_t fd;
};

struct fsif_request {
  uint8_t type;
  uint8_t pad;
  uint16_t id; /* echoed in the response */
  uint32_t pad2;
  union {
    struct fsif_open_request fopen;
    struct fsif_close_request fclose;
    struct fsif_read_request fread;
    struct fsif_write_request fwrite;
    struct fsif_stat_request fstat;
    struct fsif_truncate_request ftruncate;
    struct fsif_remove_request fremove;
    struct fsif_rename_request frename;
    struct fsif_create_request fcreate;
    struct fsif_list_request flist;
    struct fsif_chmod_request fchmod;
    struct fsif_space_request fspace;
    struct fsif_sync_request fsync;
  } u;
};
typedef struct fsif_request fsif_request_t;

struct fsif_response {
  uint16_t id;
  uint16_t pad1;
  uint32_t pad2;
  union {
    uint64_t ret_val;
    struct fsif_stat_response fstat;
  } u;
};
typedef struct fsif_response fsif_response_t;

#define FSIF_RING_ENTRY_SIZE 64
#define FSIF_NR_READ_GNTS \
  ((FSIF_RING_ENTRY_SIZE - sizeof(struct fsif_read_request)) / sizeof(grant_ref_t) + 1)
#define FSIF_NR_WRITE_GNTS \
  ((FSIF_RING_ENTRY_SIZE - sizeof(struct fsif_write_request)) / sizeof(grant_ref_t) + 1)

union fsif_sring_entry {
  struct fsif_request req;
  struct fsif_response rsp;
};

struct fsif_sring {
  RING_IDX req_prod, req_event;
  RING_IDX rsp_prod, rsp_event;
  uint8_t pad[48];
  union fsif_sring_entry ring[1]; /* as many as there is room for, rounded down to a power of 2 */
};

#endif

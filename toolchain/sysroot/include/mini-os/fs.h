/*
 * Mini-OS's file system front-end: files of a folder that another domain exports (xen/io/fsif.h). Paths begin at its root, with or
 * without a slash. Every call waits for its answer, others of other threads may be under way; what fails is a negative errno.
 */
#ifndef __FS_H__
#define __FS_H__

#include <mini-os/api.h>
#include <mini-os/types.h>
#include <xen/io/fsif.h>

struct fs_request;

/* An export that is mounted. */
struct fs_import {
  domid_t dom_id;          /* who exports it */
  u16 export_id;           /* its number there */
  u16 import_id;           /* and here */
  struct fs_import *next;  /* the exports that come after it */
  char *name;              /* as whoever exports it calls it */
  unsigned int nr_entries; /* of the ring */
  struct fsif_sring *ring;
  RING_IDX req_prod;
  RING_IDX rsp_cons;
  grant_ref_t gnt_ref;
  evtchn_port_t local_port;
  char *nodename;
  char *backend;
  struct fs_request *requests;
};

/* The first export, or NULL. */
extern struct fs_import *fs_import;

/* Mounts all that domain 0 exports to this one. */
void init_fs_frontend(void);
/* Lets go of all imports; files that are still open are closed. */
void fini_fs_frontend(void);

/* A number of the back-end's, for the calls below. It is for writing, too, where that is allowed. */
int fs_open(struct fs_import *import, char *file);
int fs_close(struct fs_import *import, int fd);
/* How many bytes; fewer at the end of the file. */
ssize_t fs_read(struct fs_import *import, int fd, void *buf, ssize_t len, ssize_t offset);
ssize_t fs_write(struct fs_import *import, int fd, void *buf, ssize_t len, ssize_t offset);
int fs_stat(struct fs_import *import, int fd, struct fsif_stat_response *stat);
int fs_truncate(struct fs_import *import, int fd, int64_t length);
/* A file, or a directory that is empty. */
int fs_remove(struct fs_import *import, char *file);
int fs_rename(struct fs_import *import, char *old_file_name, char *new_file_name);
/* A directory, or a file: it is empty afterwards, and its number is the result. */
int fs_create(struct fs_import *import, char *name, int8_t directory, int32_t mode);
/*
 * Names from the one of that number on, each of them, and the array, to be freed; has_more may be NULL. NULL where it fails, and then
 * *nr_files is a negative errno.
 */
char **fs_list(struct fs_import *import, char *name, int32_t offset, int32_t *nr_files, int *has_more);
int fs_chmod(struct fs_import *import, int fd, int32_t mode);
/* Bytes that are free. */
int64_t fs_space(struct fs_import *import, char *location);
int fs_sync(struct fs_import *import, int fd);

/* The file as a descriptor of the C library's. flags: O_ACCMODE, O_CREAT (with permissions mode), O_EXCL, O_TRUNC, O_APPEND. */
int fsfront_open(struct fs_import *import, const char *file, int flags, int mode);

#endif

/*
 * The operating system below SQLite where SQLITE_OS_OTHER=1 leaves it out (sqlite3.h: sqlite3_vfs, sqlite3_io_methods):
 * files are blocks of memory, time stands still, and random numbers are the same in every run.
 */
#include "memory-vfs.h"

#include <stdlib.h>
#include <string.h>

#include "sqlite3.h"

#define MOST_FILES 32
#define LONGEST_NAME 64

struct content {
  char name[LONGEST_NAME];
  unsigned char *bytes;
  sqlite3_int64 size, room;
  int users, is_known, goes_with_close;
};

struct open_file {
  sqlite3_file base;
  struct content *content;
};

static struct content files[MOST_FILES];
static unsigned random_state = 0x2545f491;

static struct content *of(sqlite3_file *file) { return ((struct open_file *)file)->content; }

static void forget(struct content *content) {
  free(content->bytes);
  memset(content, 0, sizeof *content);
}

static int grow(struct content *content, sqlite3_int64 size) {
  if (size > content->room) {
    sqlite3_int64 room = size + size / 2 + 4096;
    unsigned char *bytes = realloc(content->bytes, (size_t)room);
    if (bytes == NULL)
      return SQLITE_FULL;
    content->bytes = bytes;
    content->room = room;
  }
  if (size > content->size) {
    memset(content->bytes + content->size, 0, (size_t)(size - content->size));
    content->size = size;
  }
  return SQLITE_OK;
}

static int close_file(sqlite3_file *file) {
  struct content *content = of(file);
  if (--content->users == 0 && content->goes_with_close)
    forget(content);
  return SQLITE_OK;
}

static int read_file(sqlite3_file *file, void *to, int count, sqlite3_int64 at) {
  struct content *content = of(file);
  sqlite3_int64 there = content->size > at ? content->size - at : 0;
  if (there >= count) {
    memcpy(to, content->bytes + at, (size_t)count);
    return SQLITE_OK;
  }
  memset(to, 0, (size_t)count);
  if (there > 0)
    memcpy(to, content->bytes + at, (size_t)there);
  return SQLITE_IOERR_SHORT_READ;
}

static int write_file(sqlite3_file *file, const void *from, int count, sqlite3_int64 at) {
  struct content *content = of(file);
  if (grow(content, at + count) != SQLITE_OK)
    return SQLITE_FULL;
  memcpy(content->bytes + at, from, (size_t)count);
  return SQLITE_OK;
}

static int truncate_file(sqlite3_file *file, sqlite3_int64 size) {
  if (size < of(file)->size)
    of(file)->size = size;
  return SQLITE_OK;
}

static int file_size(sqlite3_file *file, sqlite3_int64 *size) {
  *size = of(file)->size;
  return SQLITE_OK;
}

/* One process with one connection: there is nobody to lock out. */
static int sync_file(sqlite3_file *file, int flags) { return SQLITE_OK; }
static int lock_file(sqlite3_file *file, int level) { return SQLITE_OK; }

static int is_reserved(sqlite3_file *file, int *result) {
  *result = 0;
  return SQLITE_OK;
}

static int control(sqlite3_file *file, int operation, void *argument) { return SQLITE_NOTFOUND; }
static int sector_size(sqlite3_file *file) { return 512; }
static int characteristics(sqlite3_file *file) { return 0; }

static const sqlite3_io_methods methods = {
  .iVersion = 1,
  .xClose = close_file,
  .xRead = read_file,
  .xWrite = write_file,
  .xTruncate = truncate_file,
  .xSync = sync_file,
  .xFileSize = file_size,
  .xLock = lock_file,
  .xUnlock = lock_file,
  .xCheckReservedLock = is_reserved,
  .xFileControl = control,
  .xSectorSize = sector_size,
  .xDeviceCharacteristics = characteristics,
};

static struct content *find(const char *name) {
  for (int i = 0; i < MOST_FILES; i++)
    if (files[i].is_known && strcmp(files[i].name, name) == 0)
      return &files[i];
  return NULL;
}

static struct content *unused(void) {
  for (int i = 0; i < MOST_FILES; i++)
    if (!files[i].is_known)
      return &files[i];
  return NULL;
}

/* A file without a name is temporary. */
static int open_file(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *granted) {
  struct content *content = name == NULL ? NULL : find(name);
  file->pMethods = NULL;
  if (content == NULL) {
    content = unused();
    if (content == NULL || !(flags & SQLITE_OPEN_CREATE))
      return SQLITE_CANTOPEN;
    content->is_known = 1;
    if (name != NULL)
      strcpy(content->name, name);
  }
  content->goes_with_close = name == NULL || (flags & SQLITE_OPEN_DELETEONCLOSE) != 0;
  content->users++;
  ((struct open_file *)file)->content = content;
  file->pMethods = &methods;
  if (granted != NULL)
    *granted = flags;
  return SQLITE_OK;
}

static int delete_file(sqlite3_vfs *vfs, const char *name, int and_sync) {
  struct content *content = find(name);
  if (content == NULL)
    return SQLITE_IOERR_DELETE_NOENT;
  forget(content);
  return SQLITE_OK;
}

static int exists(sqlite3_vfs *vfs, const char *name, int flags, int *result) {
  *result = find(name) != NULL;
  return SQLITE_OK;
}

static int full_path(sqlite3_vfs *vfs, const char *name, int room, char *result) {
  if (strlen(name) >= (size_t)room)
    return SQLITE_CANTOPEN;
  strcpy(result, name);
  return SQLITE_OK;
}

/* Marsaglia, "Xorshift RNGs": the triple 13, 17, 5. */
static int randomness(sqlite3_vfs *vfs, int count, char *to) {
  for (int i = 0; i < count; i++) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    to[i] = (char)(random_state >> 24);
  }
  return count;
}

static int wait(sqlite3_vfs *vfs, int microseconds) { return microseconds; }

/* Noon of 2026-01-01 as a Julian day, in milliseconds. */
static int current_time(sqlite3_vfs *vfs, sqlite3_int64 *now) {
  *now = (sqlite3_int64)2461042 * 86400000;
  return SQLITE_OK;
}

static int current_day(sqlite3_vfs *vfs, double *now) {
  *now = 2461042.0;
  return SQLITE_OK;
}

static int last_error(sqlite3_vfs *vfs, int room, char *text) { return 0; }

static sqlite3_vfs memory = {
  .iVersion = 2,
  .szOsFile = sizeof(struct open_file),
  .mxPathname = LONGEST_NAME - 1,
  .zName = "memory",
  .xOpen = open_file,
  .xDelete = delete_file,
  .xAccess = exists,
  .xFullPathname = full_path,
  .xRandomness = randomness,
  .xSleep = wait,
  .xCurrentTime = current_day,
  .xGetLastError = last_error,
  .xCurrentTimeInt64 = current_time,
};

int sqlite3_os_init(void) { return sqlite3_vfs_register(&memory, 1); }
int sqlite3_os_end(void) { return SQLITE_OK; }

const unsigned char *memory_file(const char *name, long *size) {
  struct content *content = find(name);
  *size = content == NULL ? 0 : (long)content->size;
  return content == NULL ? NULL : content->bytes;
}

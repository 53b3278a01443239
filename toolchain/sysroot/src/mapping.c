/*
 * mmap and munmap: pages from the heap. There is one address space without pages of its own, so nothing can be placed at an
 * address or protected; whoever asks for that is told so. A file's pages are a copy. Where it is mapped shared, reads and
 * writes by descriptor settle the two (settling.h), and so do msync, munmap and the end of the program.
 */
#include "result.h"
#include "settling.h"

#include <fcntl.h>
#include <malloc.h>
#include <mini-os/api.h>
#include <mini-os/posix.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Descriptors that the program does not count on. */
#define FIRST_OWN_FD 512

struct pages {
  struct pages *next;
  char *address;
  size_t length;
  unsigned users;
  int fd; /* of a file that is mapped shared, else -1 */
  int64_t offset;
  struct minios_stat file;
  char *seen; /* what the file holds, as far as is known here; NULL where the memory is only read */
};

struct mapping {
  struct mapping *next;
  struct pages *pages;
  char *address;
  size_t length;
};

static struct mapping *mappings;
static struct pages *shared;

static size_t whole_pages(size_t length) {
  size_t page = (size_t)getpagesize();
  return (length + page - 1) & -page;
}

static void *refused(int error) {
  minios_failed(_REENT, error);
  return MAP_FAILED;
}

/* How much of the pages lies within the file. */
static size_t inside(const struct pages *pages) {
  struct minios_stat now;
  if (minios_fstat(pages->fd, &now) < 0 || now.size <= pages->offset)
    return 0;
  int64_t rest = now.size - pages->offset;
  return rest < (int64_t)pages->length ? (size_t)rest : pages->length;
}

static void write_back(struct pages *pages) {
  size_t end = pages->seen == NULL ? 0 : inside(pages);
  size_t page = (size_t)getpagesize();
  for (size_t at = 0; at < end; at += page) {
    size_t first = at, behind = at + page < end ? at + page : end;
    if (memcmp(pages->address + at, pages->seen + at, behind - at) == 0)
      continue;
    while (pages->address[first] == pages->seen[first])
      first++;
    while (pages->address[behind - 1] == pages->seen[behind - 1])
      behind--;
    memcpy(pages->seen + first, pages->address + first, behind - first);
    minios_pwrite(pages->fd, pages->seen + first, behind - first, pages->offset + (int64_t)first);
  }
}

/* From a file; behind its end, and where it cannot be read, there are zeros. */
static void fill(char *to, size_t length, int fd, int64_t offset) {
  size_t done = 0;
  while (done < length) {
    ssize_t got = minios_pread(fd, to + done, length - done, offset + (int64_t)done);
    if (got <= 0)
      break;
    done += (size_t)got;
  }
  memset(to + done, 0, length - done);
}

static void read_again(struct pages *pages) {
  fill(pages->address, pages->length, pages->fd, pages->offset);
  if (pages->seen != NULL)
    memcpy(pages->seen, pages->address, pages->length);
}

static void each_of(int fd, void (*act)(struct pages *)) {
  struct minios_stat file = {0};
  if (fd >= 0 && minios_fstat(fd, &file) < 0)
    return;
  for (struct pages *pages = shared; pages != NULL; pages = pages->next)
    if (fd < 0 || (pages->file.dev == file.dev && pages->file.ino == file.ino))
      act(pages);
}

static void settle(int fd) {
  each_of(fd, write_back);
}

static void refresh(int fd) {
  each_of(fd, read_again);
}

static const struct minios_settling settling = {settle, refresh};

static void release(struct pages *pages) {
  if (--pages->users > 0)
    return;
  if (pages->fd >= 0) {
    write_back(pages);
    minios_close(pages->fd);
    struct pages **link = &shared;
    while (*link != pages)
      link = &(*link)->next;
    *link = pages->next;
  }
  free(pages->seen);
  free(pages->address);
  free(pages);
}

static struct pages *allocate(size_t length) {
  struct pages *pages = malloc(sizeof *pages);
  char *address = pages == NULL ? NULL : memalign((size_t)getpagesize(), length);
  if (address == NULL) {
    free(pages);
    return NULL;
  }
  *pages = (struct pages){.address = address, .length = length, .users = 1, .fd = -1};
  return pages;
}

/* Why the file cannot be mapped so, or 0. */
static int objection(int fd, int flags, int protection, off_t offset, struct minios_stat *file) {
  int error = -minios_fstat(fd, file);
  if (error != 0)
    return error;
  if (!S_ISREG(file->mode))
    return ENODEV;
  if (offset < 0 || offset % getpagesize() != 0)
    return EINVAL;
  int access = minios_fcntl(fd, F_GETFL, 0) & O_ACCMODE;
  if (access == O_WRONLY || (access == O_RDONLY && (flags & MAP_SHARED) && (protection & PROT_WRITE)))
    return EACCES;
  return 0;
}

/* Of files that are mapped shared, one copy is all that there can be. */
static struct pages *find_shared(const struct minios_stat *file, int64_t offset, size_t length, int *error) {
  for (struct pages *pages = shared; pages != NULL; pages = pages->next) {
    int64_t end = pages->offset + (int64_t)pages->length;
    if (pages->file.dev != file->dev || pages->file.ino != file->ino || offset >= end ||
        offset + (int64_t)length <= pages->offset)
      continue;
    if (offset >= pages->offset && offset + (int64_t)length <= end)
      return pages;
    *error = ENOMEM;
  }
  return NULL;
}

/* From now on they are one with the file. */
static int share(struct pages *pages, int fd, int64_t offset, int writable, const struct minios_stat *file) {
  char *seen = writable ? malloc(pages->length) : NULL;
  int own = writable && seen == NULL ? -ENOMEM : minios_fcntl(fd, F_DUPFD_CLOEXEC, FIRST_OWN_FD);
  if (own < 0) {
    free(seen);
    return -own;
  }
  if (seen != NULL)
    memcpy(seen, pages->address, pages->length);
  pages->fd = own;
  pages->offset = offset;
  pages->file = *file;
  pages->seen = seen;
  pages->next = shared;
  shared = pages;
  minios_settling = &settling;
  return 0;
}

static struct pages *pages_of_file(int fd, int flags, int protection, off_t offset, size_t length, int *error) {
  struct minios_stat file;
  *error = objection(fd, flags, protection, offset, &file);
  if (*error != 0)
    return NULL;
  int writable = (minios_fcntl(fd, F_GETFL, 0) & O_ACCMODE) == O_RDWR;
  struct pages *pages = (flags & MAP_SHARED) ? find_shared(&file, offset, length, error) : NULL;
  if (pages != NULL && (pages->seen != NULL || !(protection & PROT_WRITE))) {
    pages->users++;
    return pages;
  }
  /* One that is only read cannot become one that is written. */
  if (pages != NULL || *error != 0) {
    *error = ENOMEM;
    return NULL;
  }
  minios_settle(fd);
  pages = allocate(length);
  *error = pages == NULL ? ENOMEM : 0;
  if (pages == NULL)
    return NULL;
  fill(pages->address, length, fd, offset);
  if (flags & MAP_SHARED)
    *error = share(pages, fd, offset, writable, &file);
  if (*error != 0) {
    release(pages);
    return NULL;
  }
  return pages;
}

void *mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset) {
  size_t size = whole_pages(length);
  int kinds = flags & (MAP_PRIVATE | MAP_SHARED);
  (void)address; /* no more than a wish without MAP_FIXED */

  if (length == 0 || kinds == 0 || kinds == (MAP_PRIVATE | MAP_SHARED))
    return refused(EINVAL);
  if ((flags & MAP_FIXED) != 0 || size < length)
    return refused(ENOMEM);
  if (protection != (PROT_READ | PROT_WRITE) && (protection != PROT_READ || (flags & MAP_ANON)))
    return refused(ENOTSUP);

  struct mapping *mapping = malloc(sizeof *mapping);
  int error = ENOMEM;
  struct pages *pages = NULL;
  if (mapping != NULL && (flags & MAP_ANON))
    pages = allocate(size);
  else if (mapping != NULL)
    pages = pages_of_file(fd, flags, protection, offset, size, &error);
  if (pages == NULL) {
    free(mapping);
    return refused(error);
  }
  if (flags & MAP_ANON)
    memset(pages->address, 0, size);
  char *begin = pages->address + (pages->fd >= 0 ? (size_t)(offset - pages->offset) : 0);
  *mapping = (struct mapping){mappings, pages, begin, size};
  mappings = mapping;
  return begin;
}

/* A mapping is given back whole. */
int munmap(void *address, size_t length) {
  size_t size = whole_pages(length);
  for (struct mapping **link = &mappings; *link != NULL; link = &(*link)->next) {
    struct mapping *mapping = *link;
    if (mapping->address != address || mapping->length != size)
      continue;
    *link = mapping->next;
    release(mapping->pages);
    free(mapping);
    return 0;
  }
  return minios_failed(_REENT, EINVAL);
}

int msync(void *address, size_t length, int flags) {
  int ways = flags & (MS_SYNC | MS_ASYNC);
  if ((flags & ~(MS_SYNC | MS_ASYNC | MS_INVALIDATE)) || ways == (MS_SYNC | MS_ASYNC) ||
      (size_t)address % (size_t)getpagesize() != 0)
    return minios_failed(_REENT, EINVAL);
  for (struct mapping *mapping = mappings; mapping != NULL; mapping = mapping->next) {
    char *from = address;
    if (from < mapping->address || from + length > mapping->address + mapping->length)
      continue;
    if (mapping->pages->fd < 0)
      return 0;
    write_back(mapping->pages);
    return ways == MS_SYNC ? MINIOS_INT(minios_fsync(mapping->pages->fd, 1)) : 0;
  }
  return minios_failed(_REENT, ENOMEM);
}

/*
 * mmap and munmap. Pages are the program's alone, so a file's are a copy. Where it is mapped shared, reads and writes by descriptor
 * settle the two (settling.h), and so do msync, munmap and the end of the program. MAP_FIXED replaces what mmap gave.
 */
#include "mapping.h"
#include "result.h"
#include "settling.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Descriptors that the program does not count on. */
#define FIRST_OWN_FD 512
/* Linux has no more, either. */
#define MOST_MAPPINGS 65530
#define BOTH (PROT_READ | PROT_WRITE)

static struct mapping *mappings;
static unsigned mapped; /* how many */
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

/* What may be done with them while they settle. */
static void guard(const struct pages *pages, int protection) {
  if (pages->protection != BOTH)
    minios_guard_pages(pages->address, pages->length, protection);
}

static void write_back(struct pages *pages) {
  size_t end = pages->seen == NULL ? 0 : inside(pages);
  size_t page = (size_t)getpagesize();
  guard(pages, BOTH);
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
  guard(pages, pages->protection);
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
  guard(pages, BOTH);
  fill(pages->address, pages->length, pages->fd, pages->offset);
  if (pages->seen != NULL)
    memcpy(pages->seen, pages->address, pages->length);
  guard(pages, pages->protection);
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

/* The last who shared the file's pages has gone; the pages themselves stay. */
static void end_sharing(struct pages *pages) {
  struct pages **link = &shared;
  write_back(pages);
  minios_close(pages->fd);
  while (*link != pages)
    link = &(*link)->next;
  *link = pages->next;
  free(pages->seen);
  free(pages);
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

/* From now on the pages are one with the file; NULL with the error. */
static struct pages *share(char *address, size_t length, int fd, int64_t offset, const struct minios_stat *file,
                           int *error) {
  int writable = (minios_fcntl(fd, F_GETFL, 0) & O_ACCMODE) == O_RDWR;
  struct pages *pages = malloc(sizeof *pages);
  char *seen = writable ? malloc(length) : NULL;
  int own = pages == NULL || (writable && seen == NULL) ? -ENOMEM : minios_fcntl(fd, F_DUPFD_CLOEXEC, FIRST_OWN_FD);
  if (own < 0) {
    free(seen);
    free(pages);
    *error = -own;
    return NULL;
  }
  if (seen != NULL)
    memcpy(seen, address, length);
  *pages = (struct pages){shared, address, length, 1, own, offset, *file, seen, BOTH};
  shared = pages;
  minios_settling = &settling;
  return pages;
}

/* Adds what is behind the cut to the mappings; the mapping keeps what is before it. */
static int cut(struct mapping *mapping, char *at) {
  if (at <= mapping->address || at >= mapping->address + mapping->length)
    return 0;
  struct mapping *rest = malloc(sizeof *rest);
  if (rest == NULL)
    return ENOMEM;
  size_t kept = (size_t)(at - mapping->address);
  *rest = (struct mapping){mapping->next, mapping->pages, at, mapping->length - kept};
  mapping->length = kept;
  mapping->next = rest;
  mapped++;
  if (rest->pages != NULL)
    rest->pages->users++;
  return 0;
}

/* A shared file's pages go when nobody maps any of them any more. */
static void drop(struct mapping *mapping) {
  struct pages *pages = mapping->pages;
  if (pages == NULL)
    minios_give_pages(mapping->address, mapping->length);
  else if (--pages->users == 0) {
    char *address = pages->address;
    size_t length = pages->length;
    end_sharing(pages);
    minios_give_pages(address, length);
  }
  mapped--;
  free(mapping);
}

/* Takes the pages of a mapping for another, which is all that a fixed address may be. */
static int take_over(char *address, size_t length) {
  for (struct mapping **link = &mappings; *link != NULL; link = &(*link)->next) {
    struct mapping *mapping = *link;
    struct pages *pages = mapping->pages;
    if (address < mapping->address || address + length > mapping->address + mapping->length)
      continue;
    if (pages != NULL && (pages->users > 1 || pages->address != address || pages->length != length))
      return ENOMEM;
    if (cut(mapping, address + length) != 0 || cut(mapping, address) != 0)
      return ENOMEM;
    if (mapping->address != address) {
      link = &mapping->next;
      mapping = *link;
    }
    *link = mapping->next;
    if (pages != NULL)
      end_sharing(pages);
    mapped--;
    free(mapping);
    minios_guard_pages(address, length, BOTH);
    memset(address, 0, length);
    return 0;
  }
  return ENOMEM;
}

/* Zeros, at the address if it is fixed; MAP_FAILED. */
static char *place(char *address, size_t length, int flags, int *error) {
  if (flags & MAP_FIXED) {
    *error = (size_t)address % (size_t)getpagesize() == 0 ? take_over(address, length) : EINVAL;
    return *error == 0 ? address : MAP_FAILED;
  }
  char *taken = minios_take_pages(length);
  *error = (size_t)taken >= (size_t)-MINIOS_MOST_ERRNO ? ENOMEM : 0;
  return *error == 0 ? taken : MAP_FAILED;
}

/* Another mapping of what is mapped shared already. */
static char *join(struct pages *pages, int protection, int flags, int64_t offset, int *error) {
  /* What is only read cannot become what is written, and memory is at one address. */
  if ((flags & MAP_FIXED) || (pages->seen == NULL && (protection & PROT_WRITE))) {
    *error = ENOMEM;
    return MAP_FAILED;
  }
  pages->users++;
  if ((pages->protection | protection) != pages->protection) {
    pages->protection |= protection;
    minios_guard_pages(pages->address, pages->length, pages->protection);
  }
  return pages->address + (size_t)(offset - pages->offset);
}

static char *map_file(struct mapping *mapping, char *address, int protection, int flags, int fd, off_t offset,
                      int *error) {
  struct minios_stat file;
  *error = objection(fd, flags, protection, offset, &file);
  if (*error != 0)
    return MAP_FAILED;
  mapping->pages = (flags & MAP_SHARED) ? find_shared(&file, offset, mapping->length, error) : NULL;
  if (mapping->pages != NULL)
    return join(mapping->pages, protection, flags, offset, error);
  if (*error != 0)
    return MAP_FAILED;
  minios_settle(fd);
  char *begin = place(address, mapping->length, flags, error);
  if (begin == MAP_FAILED)
    return begin;
  fill(begin, mapping->length, fd, offset);
  if (flags & MAP_SHARED)
    mapping->pages = share(begin, mapping->length, fd, offset, &file, error);
  if (*error != 0) {
    minios_give_pages(begin, mapping->length);
    return MAP_FAILED;
  }
  if (mapping->pages != NULL)
    mapping->pages->protection = protection;
  if (protection != BOTH)
    minios_guard_pages(begin, mapping->length, protection);
  return begin;
}

static char *map_zeros(char *address, size_t length, int protection, int flags, int *error) {
  char *begin = place(address, length, flags, error);
  if (begin != MAP_FAILED && protection != BOTH)
    minios_guard_pages(begin, length, protection);
  return begin;
}

void *mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset) {
  size_t size = whole_pages(length);
  int kinds = flags & (MAP_PRIVATE | MAP_SHARED);
  int allowed = minios_protection(protection);
  int error = 0;

  if (length == 0 || kinds == 0 || kinds == (MAP_PRIVATE | MAP_SHARED))
    return refused(EINVAL);
  if (size < length)
    return refused(ENOMEM);
  if (allowed < 0)
    return refused(ENOTSUP);
  struct mapping *mapping = mapped < MOST_MAPPINGS ? malloc(sizeof *mapping) : NULL;
  if (mapping == NULL)
    return refused(ENOMEM);
  *mapping = (struct mapping){.length = size};
  char *begin = (flags & MAP_ANON) ? map_zeros(address, size, allowed, flags, &error)
                                   : map_file(mapping, address, allowed, flags, fd, offset, &error);
  if (begin == MAP_FAILED) {
    free(mapping);
    return refused(error);
  }
  mapping->address = begin;
  mapping->next = mappings;
  mappings = mapping;
  mapped++;
  return begin;
}

/* Two mappings of a file may be at one address, so that which is named exactly goes alone. */
static int unmap_exactly(char *begin, size_t size) {
  for (struct mapping **link = &mappings; *link != NULL; link = &(*link)->next) {
    struct mapping *mapping = *link;
    if (mapping->address != begin || mapping->length != size)
      continue;
    *link = mapping->next;
    drop(mapping);
    return 1;
  }
  return 0;
}

int munmap(void *address, size_t length) {
  size_t size = whole_pages(length);
  char *begin = address, *end = begin + size;
  if (length == 0 || (size_t)begin % (size_t)getpagesize() != 0 || end < begin)
    return minios_failed(_REENT, EINVAL);
  if (unmap_exactly(begin, size))
    return 0;
  for (struct mapping **link = &mappings; *link != NULL;) {
    struct mapping *mapping = *link;
    if (mapping->address >= end || mapping->address + mapping->length <= begin) {
      link = &mapping->next;
      continue;
    }
    if (cut(mapping, end) != 0 || cut(mapping, begin) != 0)
      return minios_failed(_REENT, ENOMEM);
    if (mapping->address < begin) {
      link = &mapping->next;
      continue;
    }
    *link = mapping->next;
    drop(mapping);
  }
  return 0;
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
    if (mapping->pages == NULL)
      return 0;
    write_back(mapping->pages);
    return ways == MS_SYNC ? MINIOS_INT(minios_fsync(mapping->pages->fd, 1)) : 0;
  }
  return minios_failed(_REENT, ENOMEM);
}

int minios_protect_shared(char *address, size_t length, int protection) {
  for (struct pages *pages = shared; pages != NULL; pages = pages->next) {
    if (address >= pages->address + pages->length || address + length <= pages->address)
      continue;
    if (pages->seen == NULL && (protection & PROT_WRITE))
      return EACCES;
    if (address > pages->address || address + length < pages->address + pages->length)
      return ENOTSUP;
    pages->protection = protection;
  }
  return 0;
}

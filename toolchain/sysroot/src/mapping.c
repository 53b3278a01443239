/*
 * mmap and munmap: zeroed pages from the heap. There is one address space without pages of its own, so nothing can be
 * placed at an address, protected, or backed by a file; whoever asks for that is told so.
 */
#include "result.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct mapping {
  struct mapping *next;
  void *address;
  size_t length;
};

static struct mapping *mappings;

static size_t whole_pages(size_t length) {
  size_t page = (size_t)getpagesize();
  return (length + page - 1) & -page;
}

static void *refused(int error) {
  minios_failed(_REENT, error);
  return MAP_FAILED;
}

void *mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset) {
  size_t size = whole_pages(length);
  (void)address; /* no more than a wish without MAP_FIXED */
  (void)fd;
  (void)offset;

  if (length == 0 || (flags & (MAP_PRIVATE | MAP_SHARED)) == 0)
    return refused(EINVAL);
  if ((flags & MAP_ANON) == 0)
    return refused(ENODEV);
  if ((flags & MAP_FIXED) != 0 || size < length)
    return refused(ENOMEM);
  if (protection != (PROT_READ | PROT_WRITE))
    return refused(ENOTSUP);

  struct mapping *mapping = malloc(sizeof *mapping);
  void *pages = mapping == NULL ? NULL : memalign((size_t)getpagesize(), size);
  if (pages == NULL) {
    free(mapping);
    return refused(ENOMEM);
  }
  memset(pages, 0, size);
  *mapping = (struct mapping){mappings, pages, size};
  mappings = mapping;
  return pages;
}

/* A mapping is given back whole. */
int munmap(void *address, size_t length) {
  size_t size = whole_pages(length);
  for (struct mapping **link = &mappings; *link != NULL; link = &(*link)->next) {
    struct mapping *mapping = *link;
    if (mapping->address != address || mapping->length != size)
      continue;
    *link = mapping->next;
    free(mapping->address);
    free(mapping);
    return 0;
  }
  return minios_failed(_REENT, EINVAL);
}

/* What mmap and mprotect share. */
#ifndef MINIOS_MAPPING_H
#define MINIOS_MAPPING_H

#include <mini-os/api.h>
#include <mini-os/posix.h>
#include <stddef.h>
#include <sys/mman.h>

/* Of a file that is mapped shared. */
struct pages {
  struct pages *next;
  char *address;
  size_t length;
  unsigned users;
  int fd;
  int64_t offset;
  struct minios_stat file;
  char *seen; /* what the file holds, as far as is known here; NULL where the memory is only read */
  int protection;
};

struct mapping {
  struct mapping *next;
  struct pages *pages; /* NULL where nobody shares it */
  char *address;
  size_t length;
};

/* As the kernel takes it: what is written can be read. -1 where it cannot be: no data can be run. */
static inline int minios_protection(int protection) {
  if (protection & ~(PROT_READ | PROT_WRITE))
    return -1;
  return protection & PROT_WRITE ? PROT_READ | PROT_WRITE : protection;
}

/* Before pages are protected: 0, or why those of a shared file cannot be. */
int minios_protect_shared(char *address, size_t length, int protection);

#endif

/* mmap of anonymous memory: zeroed pages, given back whole, and what is refused. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE 4096
#define FLAGS (MAP_PRIVATE | MAP_ANON)

static char *map(size_t length) {
  return mmap(NULL, length, PROT_READ | PROT_WRITE, FLAGS, -1, 0);
}

static int is_zero(const char *bytes, size_t length) {
  for (size_t i = 0; i < length; i++)
    if (bytes[i] != 0)
      return 0;
  return 1;
}

static void aligned(void) {
  void *pages = NULL, *none = &pages;
  printf("%d ", posix_memalign(&pages, 8 * PAGE, 100) == 0 && (uintptr_t)pages % (8 * PAGE) == 0);
  printf("%d\n", posix_memalign(&none, 24, 100) == EINVAL && none == &pages);
  free(pages);
}

int main(void) {
  aligned();
  for (int round = 0; round < 100; round++) {
    size_t length = (size_t)round * 777 + 1;
    char *one = map(length);
    char *other = map(PAGE);
    if (one == MAP_FAILED || other == MAP_FAILED || (uintptr_t)one % PAGE != 0)
      return 1;
    if (!is_zero(one, length) || !is_zero(other, PAGE))
      return 2;
    memset(one, 0x55, length);
    if (!is_zero(other, PAGE))
      return 3;
    if (munmap(one, length) != 0 || munmap(other, PAGE) != 0)
      return 4;
  }
  printf("%d ", map(0) == MAP_FAILED && errno == EINVAL);
  printf("%d ", mmap(NULL, PAGE, PROT_READ, MAP_ANON, -1, 0) == MAP_FAILED && errno == EINVAL);
  printf("%d ", munmap((void *)8, PAGE) == -1 && errno == EINVAL);
  printf("%d\n", map(SIZE_MAX) == MAP_FAILED && errno == ENOMEM);
  return 0;
}

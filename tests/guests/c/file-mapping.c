/* mmap of files: memory and file are one, privately or not, and what is refused. The folder is the first argument, else /tmp. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE 4096
#define RW (PROT_READ | PROT_WRITE)

static int fd;

static char *map(size_t length, int protection, int flags, off_t offset) {
  return mmap(NULL, length, protection, flags, fd, offset);
}

static void show(const char *what, int from) {
  char bytes[9] = {0};
  ssize_t got = pread(fd, bytes, 8, from);
  printf("%s: %zd %s\n", what, got, bytes);
}

static const char *refusal(void *result) {
  if (result != MAP_FAILED)
    return "none";
  return errno == EINVAL ? "EINVAL" : errno == EACCES ? "EACCES" : errno == EBADF ? "EBADF" : errno == ENODEV ? "ENODEV" : "other";
}

static void shared(void) {
  char *one = map(2 * PAGE, RW, MAP_SHARED, 0);
  memcpy(one, "memory", 6);
  show("written to memory", 0);
  pwrite(fd, "file", 4, 2);
  printf("written to the file: %.8s\n", one);
  memcpy(one + PAGE, "PAGE TWO", 8);
  pwrite(fd, "two", 3, PAGE + 5);
  printf("both in a page: %.8s\n", one + PAGE);
  show("and so the file", PAGE);
  char *other = map(PAGE, RW, MAP_SHARED, PAGE);
  memcpy(other, "other", 5);
  printf("another view: %.8s\n", one + PAGE);
  printf("msync %d %d\n", msync(one, 2 * PAGE, MS_SYNC), msync(other, PAGE, MS_ASYNC));
  munmap(one, 2 * PAGE);
  memcpy(other, "still", 5);
  show("the view stays", PAGE);
  munmap(other, PAGE);
}

static void private(void) {
  char *copy = map(PAGE, RW, MAP_PRIVATE, 0);
  memcpy(copy, "nothing", 7);
  show("private", 0);
  munmap(copy, PAGE);
  char *read_only = map(PAGE, PROT_READ, MAP_SHARED, PAGE);
  printf("only read: %.8s\n", read_only);
  munmap(read_only, PAGE);
}

static void ends(const char *path) {
  struct stat found;
  ftruncate(fd, 100);
  char *page = map(PAGE, RW, MAP_SHARED, 0);
  printf("behind the end: %d %d\n", page[100], page[PAGE - 1]);
  memset(page + 90, 'x', 20);
  munmap(page, PAGE);
  fstat(fd, &found);
  printf("as long as it was: %ld\n", (long)found.st_size);
  ftruncate(fd, 120);
  show("no more than that", 96);

  char *kept = map(PAGE, RW, MAP_SHARED, 0);
  close(fd);
  memcpy(kept, "closed", 6);
  fd = open(path, O_RDWR);
  show("the descriptor may go", 0);
  unlink(path);
  memcpy(kept, "unlink", 6);
  show("and the name", 0);
  munmap(kept, PAGE);
}

static void refusals(const char *path, const char *folder) {
  int good = fd;
  printf("offset %s\n", refusal(map(PAGE, RW, MAP_SHARED, 7)));
  printf("kinds %s %s\n", refusal(map(PAGE, RW, 0, 0)), refusal(map(0, RW, MAP_SHARED, 0)));
  fd = open(path, O_RDONLY);
  printf("only read %s %s\n", refusal(map(PAGE, RW, MAP_SHARED, 0)), refusal(map(PAGE, RW, MAP_PRIVATE, 0)));
  close(fd);
  fd = open(path, O_WRONLY);
  printf("only written %s\n", refusal(map(PAGE, PROT_READ, MAP_SHARED, 0)));
  close(fd);
  printf("closed %s\n", refusal(map(PAGE, PROT_READ, MAP_SHARED, 0)));
  fd = open(folder, O_RDONLY);
  printf("directory %s\n", refusal(map(PAGE, PROT_READ, MAP_SHARED, 0)));
  close(fd);
  fd = good;
  printf("msync %d\n", msync((void *)8, PAGE, MS_SYNC) == -1 && errno == EINVAL);
}

int main(int count, char **words) {
  char folder[] = "/tmp/mapping-XXXXXX", path[256];
  const char *place = count > 1 ? words[1] : mkdtemp(folder);
  snprintf(path, sizeof path, "%s/mapped", place);
  fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
  for (int i = 0; i < 2 * PAGE; i += 8)
    write(fd, "original", 8);
  shared();
  private();
  refusals(path, place);
  ends(path);

  fd = open(path, O_RDWR | O_CREAT, 0600);
  ftruncate(fd, PAGE);
  strcpy(map(PAGE, RW, MAP_SHARED, 0), "at the end");
  if (count > 1)
    exit(0); /* the file is looked at from outside */
  unlink(path);
  rmdir(place);
  return 0;
}

/* mprotect and shared memory: what may be done with pages, and that refused accesses are SIGSEGV. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096
#define BOTH (PROT_READ | PROT_WRITE)

static sigjmp_buf back;

static void refused(int number) {
  (void)number;
  siglongjmp(back, 1);
}

static char can_read(volatile char *at) {
  if (sigsetjmp(back, 1) != 0)
    return '-';
  (void)*at;
  return 'r';
}

static char can_write(volatile char *at) {
  if (sigsetjmp(back, 1) != 0)
    return '-';
  *at = *at + 1;
  return 'w';
}

static int fails(int result, int error) {
  return result == -1 && errno == error;
}

static void show(const char *what, volatile char *pages, int count) {
  printf("%s:", what);
  for (int i = 0; i < count; i++)
    printf(" %c%c", can_read(pages + i * PAGE), can_write(pages + i * PAGE));
  printf("\n");
}

static void of_mmap(void) {
  char *pages = mmap(NULL, 4 * PAGE, BOTH, MAP_PRIVATE | MAP_ANON, -1, 0);
  memset(pages, 7, 4 * PAGE);
  show("new", pages, 4);
  printf("%d", mprotect(pages + PAGE, PAGE, PROT_READ));
  printf(" %d\n", mprotect(pages + 2 * PAGE, 2 * PAGE, PROT_NONE));
  show("protected", pages, 4);
  printf("%d\n", mprotect(pages, 4 * PAGE, BOTH));
  show("again", pages, 4);
  printf("kept: %d %d\n", pages[PAGE], pages[3 * PAGE]);
  printf("%d\n", munmap(pages + PAGE, PAGE));
  show("a hole", pages, 4);
  printf("%d\n", fails(mprotect(pages, 4 * PAGE, PROT_READ), ENOMEM));
  printf("%d\n", munmap(pages, 4 * PAGE));
  show("gone", pages, 4);
}

static char data[3 * PAGE] __attribute__((aligned(PAGE)));

static void of_data(void) {
  printf("%d\n", mprotect(data + PAGE, PAGE, PROT_NONE));
  show("data", data, 3);
  printf("%d\n", mprotect(data, sizeof data, BOTH));
  show("data", data, 3);
  printf("%d\n", fails(mprotect(data + 1, PAGE, PROT_READ), EINVAL));
}

static void of_shared_memory(void) {
  int fd = shm_open("/of-a-test", O_CREAT | O_RDWR, 0600);
  printf("%d %d\n", fd >= 0, ftruncate(fd, PAGE));
  char *one = mmap(NULL, PAGE, BOTH, MAP_SHARED, fd, 0);
  strcpy(one, "said in memory");
  msync(one, PAGE, MS_SYNC);
  char text[32] = "";
  ssize_t got = pread(fd, text, sizeof text - 1, 0);
  printf("%zd %s\n", got, text);
  printf("%d\n", fails(shm_open("/of-a-test", O_CREAT | O_EXCL | O_RDWR, 0600), EEXIST));
  printf("%d\n", shm_unlink("/of-a-test"));
  printf("%d\n", close(fd));
  printf("%d\n", fails(shm_unlink("/of-a-test"), ENOENT));
  printf("%d\n", fails(shm_open("/of-a-test", O_RDWR, 0), ENOENT));
  printf("%s\n", one);
  printf("%d\n", munmap(one, PAGE));
}

int main(void) {
  setvbuf(stdout, NULL, _IONBF, 0);
  signal(SIGSEGV, refused);
  of_mmap();
  of_data();
  of_shared_memory();
  return 0;
}

/* The file system front-end on two exports that the test has made: `data`, with a few files, and `fixed`, which is only read. */
#include <mini-os/fs.h>
#include <mini-os/sched.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A result, or the error that a negative one says. */
static void show(const char *what, long result) {
  if (result < 0)
    printf("%s: %s. ", what, strerror((int)-result));
  else
    printf("%s: %ld. ", what, result);
}

static void calls(void) {
  char buffer[64] = "";
  struct fsif_stat_response stat;
  printf("%s, then %s\n", fs_import->name, fs_import->next->name);
  int fd = fs_open(fs_import, "hello.txt");
  show("open", fd);
  show("read", fs_read(fs_import, fd, buffer, 64, 0));
  printf("%s\n", buffer);
  show("read at", fs_read(fs_import, fd, buffer, 5, 6));
  show("write", fs_write(fs_import, fd, "there", 5, 6));
  show("beyond", fs_read(fs_import, fd, buffer, 5, 100));
  show("stat", fs_stat(fs_import, fd, &stat));
  printf("%o %d %d\n", (unsigned)stat.stat_mode, (int)stat.stat_size, stat.stat_mtime > 0);
  show("chmod", fs_chmod(fs_import, fd, 0600));
  fs_stat(fs_import, fd, &stat);
  show("mode", stat.stat_mode & 0777);
  show("truncate", fs_truncate(fs_import, fd, 3));
  show("sync", fs_sync(fs_import, fd));
  show("close", fs_close(fs_import, fd));
  show("again", fs_close(fs_import, fd));
  show("none", fs_open(fs_import, "none"));
  show("read none", fs_read(fs_import, 77, buffer, 1, 0));
  printf("\n");
}

static void names(void) {
  int32_t count;
  int more;
  show("directory", fs_create(fs_import, "sub", 1, 0755));
  show("twice", fs_create(fs_import, "sub", 1, 0755));
  int fd = fs_create(fs_import, "sub/file", 0, 0644);
  show("file", fd);
  show("write", fs_write(fs_import, fd, "new", 3, 0));
  show("close", fs_close(fs_import, fd));
  show("rename", fs_rename(fs_import, "sub/file", "/sub/other"));
  char **list = fs_list(fs_import, "/sub", 0, &count, &more);
  for (int i = 0; i < count; i++) {
    printf("%s ", list[i]);
    free(list[i]);
  }
  free(list);
  printf("%d\n", more);
  list = fs_list(fs_import, "nowhere", 0, &count, &more);
  show("list", list == NULL ? count : 0);
  show("full", fs_remove(fs_import, "sub"));
  show("remove", fs_remove(fs_import, "sub/other"));
  show("remove", fs_remove(fs_import, "sub"));
  show("out", fs_open(fs_import, "../../../etc/passwd"));
  show("link", fs_open(fs_import, "link"));
  show("outside", fs_open(fs_import, "outside"));
  show("space", fs_space(fs_import, "/") > 0);
  static char name[5000];
  memset(name, 'x', sizeof name - 1);
  show("long", fs_open(fs_import, name));
  printf("\n");
}

/* More names than fit into a page. */
static void many(void) {
  char name[64];
  int seen = 0, pages = 0, more = 1;
  fs_create(fs_import, "many", 1, 0755);
  for (int i = 0; i < 200; i++) {
    sprintf(name, "many/a-name-that-is-rather-long-%03d", i);
    fs_close(fs_import, fs_create(fs_import, name, 0, 0644));
  }
  for (; more; pages++) {
    int32_t count;
    char **list = fs_list(fs_import, "many", seen, &count, &more);
    for (int i = 0; i < count; i++)
      free(list[i]);
    free(list);
    seen += count;
  }
  printf("%d names in %d pages\n", seen, pages);
}

static void only_read(void) {
  struct fs_import *fixed = fs_import->next;
  char buffer[8] = "";
  int fd = fs_open(fixed, "file");
  show("read", fs_read(fixed, fd, buffer, 8, 0));
  show("write", fs_write(fixed, fd, "x", 1, 0));
  show("create", fs_create(fixed, "new", 0, 0644));
  show("remove", fs_remove(fixed, "file"));
  show("directory", fs_open(fixed, "/"));
  printf("%s\n", buffer);
}

#define BIG 300000

/* Descriptors of the C library's, with more bytes than a few requests carry. */
static void descriptors(void) {
  static char out[BIG], in[BIG];
  struct stat status;
  for (int i = 0; i < BIG; i++)
    out[i] = (char)(i * 31 + i / 251);
  int fd = fsfront_open(fs_import, "big", O_RDWR | O_CREAT, 0644);
  show("write", write(fd, out, BIG));
  show("end", lseek(fd, 0, SEEK_CUR));
  lseek(fd, 0, SEEK_SET);
  show("read", read(fd, in, BIG));
  show("differs", memcmp(in, out, BIG));
  show("more", read(fd, in, 10));
  show("pread", pread(fd, in, 1000, 123456));
  show("differs", memcmp(in, out + 123456, 1000));
  fstat(fd, &status);
  printf("%d %ld\n", S_ISREG(status.st_mode), (long)status.st_size);
  show("truncate", ftruncate(fd, 100));
  show("fsync", fsync(fd));
  show("close", close(fd));
  show("exclusive", fsfront_open(fs_import, "big", O_RDWR | O_CREAT | O_EXCL, 0644) == -1 ? -errno : 0);
  fd = fsfront_open(fs_import, "big", O_WRONLY | O_APPEND, 0);
  show("append", write(fd, "end", 3));
  show("size", lseek(fd, 0, SEEK_END));
  show("read", read(fd, in, 1) == -1 ? -errno : 0);
  FILE *stream = fdopen(fsfront_open(fs_import, "hello.txt", O_RDONLY, 0), "r");
  fgets(in, 64, stream);
  fclose(stream);
  printf("%s\n", in);
}

static int threads, wrong;

static void worker(void *number) {
  char name[16], text[32], back[32];
  sprintf(name, "thread-%ld", (long)number);
  int fd = fs_create(fs_import, name, 0, 0644);
  for (int i = 0; i < 20; i++) {
    memset(back, 0, sizeof back);
    int length = sprintf(text, "%ld writes %d", (long)number, i);
    wrong += fs_write(fs_import, fd, text, length, i * 32) != length;
    schedule();
    wrong += fs_read(fs_import, fd, back, length, i * 32) != length || strcmp(text, back) != 0;
  }
  fs_close(fs_import, fd);
  threads--;
}

/* More threads than there are requests. */
static void together(void) {
  for (threads = 0; threads < 20; threads++)
    create_thread("worker", worker, (void *)(long)threads);
  while (threads > 0)
    schedule();
  printf("%d wrong\n", wrong);
}

static const struct {
  const char *name;
  void (*play)(void);
} scenes[] = {
    {"calls", calls}, {"names", names}, {"many", many}, {"only-read", only_read}, {"descriptors", descriptors},
    {"together", together},
};

int main(int argc, char **argv) {
  init_fs_frontend();
  if (fs_import == NULL)
    return 3;
  for (size_t i = 0; i < sizeof scenes / sizeof *scenes; i++)
    if (argc > 1 && strcmp(scenes[i].name, argv[1]) == 0)
      scenes[i].play();
  fini_fs_frontend();
  init_fs_frontend();
  printf("again %d\n", fs_import != NULL && fs_open(fs_import, "hello.txt") >= 0);
  return 0;
}

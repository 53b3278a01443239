/* The 9P front-end on two folders that the test has made, at /host and /fixed; a scene each. */
#include <mini-os/9pfront.h>
#include <mini-os/sched.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void show(const char *what, long result) {
  if (result == -1)
    printf("%s: %s. ", what, strerror(errno));
  else
    printf("%s: %ld. ", what, result);
}

static void files(void) {
  char text[64] = "";
  struct stat status;
  int fd = open("/host/hello.txt", O_RDWR);
  show("read", read(fd, text, sizeof text));
  printf("%s", text);
  show("seek", lseek(fd, 6, SEEK_SET));
  show("write", write(fd, "there", 5));
  show("end", lseek(fd, 0, SEEK_END));
  show("more", read(fd, text, 1));
  show("pread", pread(fd, text, 5, 6));
  fstat(fd, &status);
  printf("%o %ld %d\n", (unsigned)status.st_mode, (long)status.st_size, status.st_mtime == 1000);
  show("truncate", ftruncate(fd, 3));
  show("fsync", fsync(fd));
  show("close", close(fd));
  show("none", open("/host/none", O_RDONLY));
  show("no directory", open("/host/none/file", O_RDWR | O_CREAT, 0644));
  show("exclusive", open("/host/hello.txt", O_RDWR | O_CREAT | O_EXCL, 0644));
  show("directory for writing", open("/host/", O_RDWR));
  show("out", open("/host/../../etc/passwd", O_RDONLY));
  FILE *stream = fopen("/host/new", "w");
  fprintf(stream, "%s\n", "a line");
  fclose(stream);
  stream = fopen("/host/new", "a+");
  fprintf(stream, "another\n");
  rewind(stream);
  while (fgets(text, sizeof text, stream) != NULL)
    printf("%s", text);
  fclose(stream);
}

static void names(void) {
  struct stat status;
  show("mkdir", mkdir("/host/sub", 0755));
  show("twice", mkdir("/host/sub", 0755));
  close(open("/host/sub/file", O_WRONLY | O_CREAT, 0600));
  show("stat", stat("/host/sub/file", &status));
  printf("%o\n", (unsigned)status.st_mode);
  show("access", access("/host/sub/file", F_OK));
  show("rename", rename("/host/sub/file", "/host/sub/other"));
  show("gone", stat("/host/sub/file", &status));
  show("full", rmdir("/host/sub"));
  show("other folder", rename("/host/sub/other", "/tmp/other"));
  show("unlink", unlink("/host/sub/other"));
  show("rmdir", rmdir("/host/sub"));
  show("root", stat("/host", &status));
  show("a directory", S_ISDIR(status.st_mode));
  show("beside", stat("/hostess", &status));
  show("deep", open("/host/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18/19/20", O_RDONLY) >= 0);
  printf("\n");
}

#define MANY 400

static int is_text(const struct dirent *entry) {
  return strchr(entry->d_name, '.') != NULL && entry->d_type == DT_REG;
}

/* More names than one message has room for. */
static void directories(void) {
  char path[300], seen[MANY] = "";
  int dots = 0, others = 0, found = 0;
  struct dirent *entry, **list;
  mkdir("/host/many", 0755);
  for (int i = 0; i < MANY; i++) {
    sprintf(path, "/host/many/%0200d", i);
    close(open(path, O_WRONLY | O_CREAT, 0644));
  }
  DIR *directory = opendir("/host/many");
  while ((entry = readdir(directory)) != NULL)
    if (entry->d_name[0] == '.')
      dots += entry->d_type == DT_DIR;
    else if (strlen(entry->d_name) == 200 && entry->d_type == DT_REG && entry->d_ino != 0)
      seen[atoi(entry->d_name + 190)]++;
    else
      others++;
  for (int i = 0; i < MANY; i++)
    found += seen[i] == 1;
  printf("%d found, %d dots, %d others. ", found, dots, others);
  seekdir(directory, 100);
  entry = readdir(directory);
  strcpy(path, entry->d_name);
  long place = telldir(directory);
  while (readdir(directory) != NULL)
    ;
  seekdir(directory, place - 1);
  printf("again %d. ", strcmp(readdir(directory)->d_name, path) == 0);
  close(open("/host/many/new", O_WRONLY | O_CREAT, 0644));
  rewinddir(directory);
  for (found = 0; (entry = readdir(directory)) != NULL;)
    found += strcmp(entry->d_name, "new") == 0;
  printf("new %d. ", found);
  show("close", closedir(directory));
  show("names", found = scandir("/host", &list, is_text, alphasort));
  printf("%s. ", list[0]->d_name);
  show("none", opendir("/host/none") == NULL ? -1 : 0);
  show("a file", opendir("/host/hello.txt") == NULL ? -1 : 0);
  int fd = open("/host/hello.txt", O_RDONLY);
  show("its descriptor", fdopendir(fd) == NULL ? -1 : 0);
  fd = open("/host", O_RDONLY | O_DIRECTORY);
  directory = fdopendir(fd);
  printf("%d. ", dirfd(directory) == fd && readdir(directory) != NULL);
  show("close", closedir(directory));
  show("twice", close(fd));
  show("fixed", scandir("/fixed", &list, NULL, alphasort));
  printf("%s\n", list[2]->d_name);
}

#define BIG 400000

/* More than one message, and more than the ring. */
static void big(void) {
  char *out = malloc(BIG), *in = malloc(BIG);
  int wrong = 0;
  for (int i = 0; i < BIG; i++)
    out[i] = (char)(i * 31 + i / 251);
  int fd = open("/host/big", O_RDWR | O_CREAT, 0644);
  show("write", write(fd, out, BIG));
  show("read", pread(fd, in, BIG, 0));
  show("differs", memcmp(in, out, BIG));
  for (int i = 0; i < 300; i++) {
    int at = i * 1237 % (BIG - 4000), length = i * 577 % 4000;
    wrong += pread(fd, in, (size_t)length, at) != length || memcmp(in, out + at, (size_t)length) != 0;
  }
  printf("%d wrong\n", wrong);
  close(fd);
}

static void only_read(void) {
  char text[8] = "";
  int fd = open("/fixed/file", O_RDONLY);
  show("read", read(fd, text, 5));
  show("write", write(fd, "x", 1));
  show("for writing", open("/fixed/file", O_RDWR));
  show("create", open("/fixed/new", O_RDWR | O_CREAT, 0644));
  show("unlink", unlink("/fixed/file"));
  printf("%s\n", text);
  close(fd);
}

static int threads, wrong;

static void worker(void *number) {
  char name[32], text[32], back[32];
  sprintf(name, "/host/thread-%ld", (long)number);
  int fd = open(name, O_RDWR | O_CREAT, 0644);
  for (int i = 0; i < 20; i++) {
    memset(back, 0, sizeof back);
    int length = sprintf(text, "%ld writes %d", (long)number, i);
    wrong += pwrite(fd, text, (size_t)length, i * 32) != length;
    schedule();
    wrong += pread(fd, back, (size_t)length, i * 32) != length || strcmp(text, back) != 0;
  }
  close(fd);
  threads--;
}

static void together(void) {
  for (threads = 0; threads < 5; threads++)
    create_thread("worker", worker, (void *)(long)threads);
  while (threads > 0)
    schedule();
  printf("%d wrong\n", wrong);
}

static const struct {
  const char *name;
  void (*play)(void);
} scenes[] = {
    {"files", files}, {"names", names}, {"directories", directories}, {"big", big}, {"only-read", only_read}, {"together", together},
};

int main(int argc, char **argv) {
  void *host = init_9pfront(0, "/host"), *fixed = init_9pfront(1, "/fixed");
  if (host == NULL || fixed == NULL || init_9pfront(2, "/none") != NULL)
    return 3;
  for (size_t i = 0; i < sizeof scenes / sizeof *scenes; i++)
    if (argc > 1 && strcmp(scenes[i].name, argv[1]) == 0)
      scenes[i].play();
  shutdown_9pfront(host);
  host = init_9pfront(0, "/again");
  printf("again %d %d\n", access("/again/hello.txt", R_OK), access("/host/hello.txt", R_OK));
  return 0;
}

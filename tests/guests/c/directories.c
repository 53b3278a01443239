/* Names: directories, links, working directories, what each call says where it fails. All below a directory of its own. */
#define _GNU_SOURCE
#include "errors.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef PLACE
#define PLACE "names"
#endif

static char start[PATH_MAX];

/* Paths without the part that each world has in front. */
static const char *local(const char *path) {
  size_t length = strlen(start);
  return path == NULL ? "NULL" : strncmp(path, start, length) == 0 ? path + length : path;
}

static int make(const char *path, const char *text) {
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
    return -1;
  return close(fd);
}

static void show(const char *path) {
  struct stat found;
  char text[64] = "";
  if (lstat(path, &found) < 0) {
    printf("%s: %s\n", path, error_name(errno));
    return;
  }
  if (S_ISLNK(found.st_mode))
    text[readlink(path, text, sizeof text - 1)] = '\0';
  printf("%s: %o %lu%s%s\n", path, (unsigned)found.st_mode, (unsigned long)found.st_nlink, *text ? " -> " : "", text);
}

static int compare(const void *one, const void *other) {
  return strcmp(*(char *const *)one, *(char *const *)other);
}

static void list(DIR *directory) {
  char *names[64];
  int count = 0;
  struct dirent *entry;
  while ((entry = readdir(directory)) != NULL && count < 64) {
    char line[300];
    snprintf(line, sizeof line, "%s(%d)", entry->d_name, entry->d_type);
    names[count++] = strdup(line);
  }
  qsort(names, (size_t)count, sizeof *names, compare);
  for (int i = 0; i < count; i++) {
    printf(" %s", names[i]);
    free(names[i]);
  }
  printf("\n");
}

static void directories(void) {
  struct stat found;
  SAY(mkdir("d", 0755));
  SAY(mkdir("d", 0755));
  SAY(mkdir("d/e/f", 0755));
  SAY(mkdir("d/e/", 0700));
  SAY(mkdir("d/e/f", 0777));
  SAY(mkdir("", 0777));
  SAY(mkdir(".", 0777));
  SAY(mkdir("d/..", 0777));
  SAY(make("d/file", "text"));
  SAY(mkdir("d/file", 0777));
  SAY(mkdir("d/file/x", 0777));
  show("d");
  show("d/e");
  show("d/e/f");
  SAY(stat("d/file/", &found));
  SAY(stat("d/file/.", &found));
  SAY(stat("d/e/../file", &found));
  SAY(stat("d/no/../file", &found));
  SAY(stat("/..", &found));
  SAY(rmdir("d"));
  SAY(rmdir("d/file"));
  SAY(rmdir("d/e/f/."));
  SAY(rmdir("d/e/f/.."));
  SAY(rmdir("d/no"));
  SAY(unlink("d/e"));
  SAY(unlink("d/file/"));
  SAY(unlink("d/no"));
  SAY(rmdir("d/e/f"));
  show("d/e");
  DIR *directory = opendir("d");
  list(directory);
  SAY(make("d/later", ""));
  rewinddir(directory);
  list(directory);
  SAY(closedir(directory));
  directory = opendir("d");
  readdir(directory);
  long place = telldir(directory);
  char *second = strdup(readdir(directory)->d_name);
  while (readdir(directory) != NULL)
    ;
  seekdir(directory, place);
  printf("again: %d\n", strcmp(second, readdir(directory)->d_name));
  free(second);
  printf("dirfd: %d\n", dirfd(directory) > 2);
  closedir(directory);
  printf("%d %s\n", opendir("d/file") == NULL, error_name(errno));
  printf("%d %s\n", opendir("d/no") == NULL, error_name(errno));
  struct dirent **names;
  int count = scandir("d", &names, NULL, alphasort);
  printf("%d %s %s %s\n", count, names[0]->d_name, names[1]->d_name, names[count - 1]->d_name);
  SAY(unlink("d/later"));
}

static void renames(void) {
  SAY(make("a", "of a"));
  SAY(make("b", "of b, longer"));
  SAY(rename("a", "b"));
  show("a");
  show("b");
  SAY(rename("a", "c"));
  SAY(rename("b", "d"));
  SAY(rename("d", "b"));
  SAY(rename("d", "d/e/inner"));
  SAY(rename("b", "b"));
  SAY(rename("d/e", "d/g"));
  show("d/g");
  SAY(mkdir("h", 0700));
  SAY(rename("d/g", "h"));
  SAY(rename("h", "d/g/"));
  SAY(mkdir("full", 0700));
  SAY(make("full/x", ""));
  SAY(rename("d/g", "full"));
  SAY(rename("b", "no/b"));
  SAY(rename("b", ""));
  SAY(rename("", "b"));
  SAY(rename("b", "new/"));
  SAY(rename("d/.", "x"));
  SAY(renameat(AT_FDCWD, "full/x", AT_FDCWD, "full/y"));
  SAY(unlink("full/y"));
  SAY(remove("full"));
  SAY(remove("b"));
  SAY(remove("b"));
}

static void links(void) {
  char text[100];
  struct stat one, other;
  SAY(make("target", "some text"));
  SAY(link("target", "hard"));
  show("hard");
  stat("target", &one);
  stat("hard", &other);
  printf("the same: %d\n", one.st_ino == other.st_ino && one.st_dev == other.st_dev);
  SAY(link("target", "hard"));
  SAY(link("d", "of-directory"));
  SAY(link("no", "x"));
  SAY(rename("target", "hard"));
  show("target");
  SAY(unlink("target"));
  show("hard");
  SAY(symlink("hard", "soft"));
  SAY(symlink("hard", "soft"));
  SAY(symlink("", "empty"));
  SAY(symlink("no", "dangling"));
  SAY(symlink("loop", "loop"));
  SAY(symlink("d", "to-d"));
  SAY(symlink("../" PLACE "/d", "round-d"));
  show("soft");
  show("dangling");
  SAY(stat("soft", &one));
  printf("size %ld\n", (long)one.st_size);
  SAY(stat("dangling", &one));
  SAY(stat("loop", &one));
  SAY(stat("to-d/file", &one));
  SAY(stat("round-d/../d/file", &one));
  SAY(lstat("to-d/", &one));
  printf("%d\n", S_ISDIR(one.st_mode));
  SAY(open("loop", O_RDONLY));
  SAY(open("soft", O_RDONLY | O_NOFOLLOW));
  SAY(open("dangling", O_RDWR | O_CREAT | O_EXCL, 0600));
  int fd = open("dangling", O_RDWR | O_CREAT, 0600);
  printf("%d\n", fd > 2);
  close(fd);
  show("no");
  SAY(unlink("no"));
  SAY(readlink("soft", text, 2));
  printf("%.2s\n", text);
  SAY(readlink("hard", text, sizeof text));
  SAY(readlink("no", text, sizeof text));
  SAY(rmdir("to-d"));
  SAY(unlink("to-d/"));
  SAY(mkdir("dangling", 0700));
  SAY(link("soft", "soft-2"));
  show("soft-2");
  SAY(linkat(AT_FDCWD, "soft", AT_FDCWD, "followed", AT_SYMLINK_FOLLOW));
  show("followed");
  SAY(rename("soft", "soft-3"));
  show("soft-3");
  SAY(chmod("soft-3", 0640));
  show("hard");
  SAY(chmod("dangling", 0640));
  SAY(truncate("soft-3", 4));
  SAY(stat("hard", &one));
  printf("size %ld\n", (long)one.st_size);
  char *real = realpath("to-d/../soft-3", NULL);
  printf("%s\n", local(real));
  free(real);
  printf("%s", local(realpath("no/x", NULL)));
  printf(" %s\n", error_name(errno));
  for (const char *const *name = (const char *const[]){"hard", "followed", "soft-2", "soft-3", "dangling", "loop", "round-d", NULL}; *name; name++)
    SAY(unlink(*name));
}

static void working(void) {
  char path[PATH_MAX];
  struct stat one, other;
  printf("%s\n", local(getcwd(path, sizeof path)));
  SAY(chdir("d/g"));
  printf("%s\n", local(getcwd(path, sizeof path)));
  printf("%d %s\n", getcwd(path, 3) == NULL, error_name(errno));
  printf("%d %s\n", getcwd(path, 0) == NULL, error_name(errno));
  SAY(chdir(".."));
  SAY(chdir("file"));
  SAY(chdir("no"));
  int fd = open("g", O_RDONLY | O_DIRECTORY);
  SAY(fchdir(fd));
  printf("%s\n", local(getcwd(path, sizeof path)));
  SAY(rename("../g", "../moved"));
  printf("%s\n", local(getcwd(path, sizeof path)));
  SAY(make("in-moved", "x"));
  SAY(chdir("../../to-d/moved"));
  printf("%s\n", local(getcwd(path, sizeof path)));
  SAY(fstatat(fd, "in-moved", &one, 0));
  SAY(fstatat(fd, "no", &one, 0));
  SAY(mkdirat(fd, "sub", 0750));
  SAY(symlinkat("in-moved", fd, "link"));
  SAY(fstatat(fd, "link", &one, AT_SYMLINK_NOFOLLOW));
  printf("%d\n", S_ISLNK(one.st_mode));
  SAY(readlinkat(fd, "link", path, sizeof path));
  SAY(faccessat(fd, "in-moved", R_OK | W_OK, 0));
  SAY(faccessat(fd, "no", R_OK, 0));
  SAY(fchmodat(fd, "in-moved", 0600, 0));
  int inner = openat(fd, "in-moved", O_RDWR);
  printf("%d\n", inner > 2);
  SAY(openat(inner, "x", O_RDONLY));
  SAY(openat(-1, "x", O_RDONLY));
  SAY(fchdir(inner));
  SAY(fstat(inner, &other));
  printf("%o %ld\n", (unsigned)other.st_mode, (long)other.st_size);
  close(inner);
  SAY(unlinkat(fd, "link", 0));
  SAY(unlinkat(fd, "in-moved", 0));
  SAY(unlinkat(fd, "sub", 0));
  SAY(unlinkat(fd, "sub", AT_REMOVEDIR));
  SAY(chdir(start));
  SAY(rmdir("d/moved"));
  SAY(fstatat(fd, "x", &one, 0));
  SAY(close(fd));
}

static void permissions(void) {
  printf("%o\n", (unsigned)umask(027));
  int fd = open("masked", O_RDWR | O_CREAT, 0666);
  SAY(mkdir("masked-d", 0777));
  show("masked");
  show("masked-d");
  printf("%o\n", (unsigned)umask(022));
  SAY(fchmod(fd, 01711));
  show("masked");
  SAY(access("masked", R_OK | W_OK));
  SAY(access("no", F_OK));
  SAY(access("masked", 99));
  SAY(close(fd));
  SAY(chmod("masked", 0600));
  SAY(access("masked", X_OK));
  SAY(unlink("masked"));
  SAY(rmdir("masked-d"));
}

static void temporary(void) {
  char name[] = "some-XXXXXX", directory[] = "dir-XXXXXX";
  int fd = mkstemp(name);
  struct stat found;
  printf("%d %d\n", fd > 2, strncmp(name, "some-", 5) == 0 && strcmp(name, "some-XXXXXX") != 0);
  fstat(fd, &found);
  printf("%o\n", (unsigned)found.st_mode);
  SAY(unlink(name));
  fstat(fd, &found);
  printf("%lu\n", (unsigned long)found.st_nlink);
  SAY(write(fd, "still", 5));
  SAY(pread(fd, name, 5, 0));
  printf("%.5s\n", name);
  close(fd);
  printf("%d\n", mkdtemp(directory) != NULL);
  SAY(rmdir(directory));
  FILE *file = tmpfile();
  fputs("temporary", file);
  rewind(file);
  printf("%c\n", getc(file));
  fclose(file);
  struct statvfs space;
  SAY(statvfs(".", &space));
  printf("%d %lu\n", space.f_blocks > 0 && space.f_bfree <= space.f_blocks, (unsigned long)space.f_namemax);
  SAY(statvfs("no", &space));
}

static void lengths(void) {
  char name[300], path[5000];
  memset(name, 'n', sizeof name);
  name[255] = '\0';
  SAY(make(name, "") == 0);
  SAY(unlink(name) == 0);
  name[255] = 'n';
  name[256] = '\0';
  SAY(make(name, "") == 0);
  printf("%s\n", error_name(errno));
  memset(path, '/', sizeof path);
  path[4999] = '\0';
  SAY(open(path, O_RDONLY));
}

/* Below the directory that an argument names. */
int main(int argc, char **argv) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  umask(022);
  if (argc > 1 && chdir(argv[1]) < 0)
    return 2;
  if (mkdir(PLACE, 0755) < 0 || chdir(PLACE) < 0 || getcwd(start, sizeof start) == NULL)
    return 1;
  directories();
  renames();
  links();
  working();
  permissions();
  temporary();
  lengths();
  SAY(unlink("d/file"));
  SAY(rmdir("d"));
  SAY(unlink("to-d"));
  SAY(rmdir("h"));
  SAY(chdir(".."));
  SAY(rmdir(PLACE));
  return 0;
}

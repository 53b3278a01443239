/* Files of a folder of the host's: lists a tree, keeps old texts beside new ones, and asks for what is not to be had. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static int visible(const struct dirent *entry) {
  return entry->d_name[0] != '.';
}

/* As `find` does, in alphabetical order, below the directory that the program works in. */
static void list(int depth) {
  struct dirent **names;
  int count = scandir(".", &names, visible, alphasort);
  for (int i = 0; i < count; i++) {
    const char *name = names[i]->d_name;
    struct stat status;
    char target[64] = "";
    lstat(name, &status);
    printf("%*s%s", 2 * depth, "", name);
    if (S_ISLNK(status.st_mode) && readlink(name, target, sizeof target - 1) > 0)
      printf(" -> %s\n", target);
    else if (S_ISREG(status.st_mode))
      printf(" %03o, %ld bytes\n", (unsigned)status.st_mode & 0777, (long)status.st_size);
    else
      printf("/\n");
    if (S_ISDIR(status.st_mode) && chdir(name) == 0) {
      list(depth + 1);
      chdir("..");
    }
    free(names[i]);
  }
  free(names);
}

/* In capitals: written beside it, on the disk before the name changes hands, so that a crash leaves one text or the other. */
static int rewrite(const char *name) {
  char line[100], temporary[] = "new-XXXXXX";
  int fd = mkstemp(temporary);
  FILE *from = fopen(name, "r"), *to = fdopen(fd, "w");
  if (from == NULL || to == NULL)
    return -1;
  while (fgets(line, sizeof line, from) != NULL) {
    for (char *at = line; *at != '\0'; at++)
      *at = *at >= 'a' && *at <= 'z' ? (char)(*at - 'a' + 'A') : *at;
    fputs(line, to);
  }
  fclose(from);
  if (fflush(to) != 0 || fsync(fd) != 0 || fclose(to) != 0)
    return -1;
  char old[100];
  snprintf(old, sizeof old, "%s.old", name);
  return link(name, old) == 0 && rename(temporary, name) == 0 ? 0 : -1;
}

static void try(const char *what, int result) {
  printf("%s: %s\n", what, result < 0 ? strerror(errno) : "done");
}

int main(int argc, char **argv) {
  const char *folder = argc > 1 ? argv[1] : "/docs";
  char place[100];
  struct stat status;
  struct statvfs space;
  if (chdir(folder) != 0) {
    perror(folder);
    return 1;
  }
  try("rewrite", rewrite("first.txt"));
  stat("first.txt.old", &status);
  printf("names of the old text: %d\n", (int)status.st_nlink);
  try("a link", symlink("../first.txt", "more/link"));
  try("shorter", truncate("more/second.txt", 8));
  try("only to be read", chmod("more/second.txt", 0444));
  int more = open("more", O_RDONLY | O_DIRECTORY);
  int fd = openat(more, "third.txt", O_RDWR | O_CREAT | O_EXCL, 0600);
  try("a hole", pwrite(fd, "end\n", 4, 100000) == 4 ? close(fd) : -1);
  printf("%s\n", getcwd(place, sizeof place));
  list(1);

  try("a directory that is not empty", rmdir("more"));
  try("a file where a directory is", open("more", O_WRONLY));
  try("twice", openat(more, "third.txt", O_CREAT | O_EXCL, 0600));
  try("out by dots", open("../../../../etc/passwd", O_RDONLY));
  try("out by a link", symlink("/etc/passwd", "out") == 0 ? open("out", O_RDONLY) : -1);
  try("away", unlink("out"));
  close(more);
  printf("there is room: %d\n", statvfs(".", &space) == 0 && space.f_bavail > 0);
  return 0;
}

/*
 * Random calls on names, from a seed: what each answers, and the tree at the end. Arguments: a directory to make one in, the seed, how many.
 * No path leads above that one: names go up no further than they went down, and links lead downward alone.
 */
#include "errors.h"
#include "random.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST_PATH 1024

static const char *base;

/* Of few letters, so that names are met again; now and then one that is as long as may be, or longer. */
static void add_name(char *path) {
  char name[258] = "a";
  unsigned kind = below(40);
  name[0] = (char)('a' + below(4));
  if (kind < 2) {
    memset(name, 'n', kind == 0 ? 255 : 256);
    name[kind == 0 ? 255 : 256] = '\0';
  }
  strcat(path, name);
}

static void make_path(char *path) {
  int depth = 0, parts = 1 + (int)below(4);
  path[0] = '\0';
  if (below(5) == 0)
    sprintf(path, "%s/", base);
  for (int i = 0; i < parts; i++) {
    unsigned kind = below(12);
    if (i > 0)
      strcat(path, below(10) == 0 ? "//" : "/");
    if (kind == 0) {
      strcat(path, ".");
    } else if (kind == 1 && depth > 0) {
      strcat(path, "..");
      depth--;
    } else {
      add_name(path);
      depth++;
    }
  }
  if (below(8) == 0)
    strcat(path, "/");
}

static void make_target(char *path) {
  path[0] = '\0';
  for (int i = (int)below(3); i >= 0; i--) {
    add_name(path);
    if (i > 0)
      strcat(path, "/");
  }
}

/* Without the directory's own name, and long names cut. */
static const char *shown(const char *path) {
  static char text[2][60];
  static int turn;
  turn = !turn;
  size_t length = strlen(base);
  int is_absolute = strncmp(path, base, length) == 0;
  snprintf(text[turn], sizeof text[turn], "%s%.50s", is_absolute ? "~" : "", path + (is_absolute ? length : 0));
  return text[turn];
}

static void tell(const char *what, long result) {
  if (result == -1)
    printf("%s: %s\n", what, error_name(errno));
  else
    printf("%s: %ld\n", what, result);
}

static void tell_status(int result, const struct stat *status) {
  if (result < 0) {
    tell("", result);
    return;
  }
  int is_directory = S_ISDIR(status->st_mode);
  printf("%o %ld %d\n", (unsigned)status->st_mode, is_directory ? 0 : (long)status->st_size,
         is_directory ? 0 : (int)status->st_nlink);
}

static void open_file(const char *path) {
  static const int modes[] = {O_RDONLY, O_WRONLY, O_RDWR};
  static const int others[] = {O_CREAT, O_EXCL, O_TRUNC, O_DIRECTORY, O_NOFOLLOW, O_APPEND};
  int flags = modes[below(3)];
  unsigned chosen = below(64);
  char bytes[8] = "";
  /* POSIX leaves open what these two do together. */
  if ((chosen & 4) != 0 && flags == O_RDONLY)
    chosen &= ~4u;
  /* Linux has changed its mind about these. */
  if ((chosen & 9) == 9)
    chosen &= ~8u;
  for (int i = 0; i < 6; i++)
    if (chosen & (1u << i))
      flags |= others[i];
  int fd = open(path, flags, 0700 | below(64));
  printf("open %u %u", flags & O_ACCMODE, chosen);
  tell("", fd < 0 ? -1 : 0);
  if (fd < 0)
    return;
  tell("write", write(fd, "12345678", 1 + below(8)));
  lseek(fd, 0, SEEK_SET);
  tell("read", read(fd, bytes, sizeof bytes));
  tell("ftruncate", ftruncate(fd, (off_t)below(5000)));
  close(fd);
}

static int by_name(const struct dirent **one, const struct dirent **other) {
  return strcmp((*one)->d_name, (*other)->d_name);
}

static int list(const char *path, int depth) {
  struct dirent **names;
  char inner[MOST_PATH * 2];
  int count = scandir(path, &names, NULL, by_name);
  for (int i = 0; i < count; i++) {
    const char *name = names[i]->d_name;
    struct stat status;
    if (depth > 0 && name[0] != '.') {
      snprintf(inner, sizeof inner, "%s/%s", path, name);
      printf("%*d %.20s ", depth, depth, name);
      tell_status(lstat(inner, &status), &status);
      if (S_ISDIR(status.st_mode))
        list(inner, depth + 1);
    }
    free(names[i]);
  }
  if (count >= 0)
    free(names);
  return count;
}

static void work_in(const char *path) {
  char place[MOST_PATH];
  int result = chdir(path);
  tell("chdir", result);
  if (result < 0)
    return;
  printf("%s\n", getcwd(place, sizeof place) == NULL ? error_name(errno) : shown(place));
  tell("names", list(".", 0));
  chdir(base);
}

static void once(void) {
  char path[MOST_PATH], other[MOST_PATH], text[300] = "";
  struct stat status;
  make_path(path);
  make_path(other);
  printf("%s ", shown(path));
  switch (below(18)) {
    case 0: case 1: case 2: open_file(path); break;
    case 3: case 4: tell("mkdir", mkdir(path, 0700 | below(64))); break;
    case 5: tell("rmdir", rmdir(path)); break;
    case 6: tell("unlink", unlink(path)); break;
    case 7: printf("%s ", shown(other)); tell("rename", rename(path, other)); break;
    case 8: printf("%s ", shown(other)); tell("link", link(path, other)); break;
    case 9: case 10: make_target(other); printf("%s ", shown(other)); tell("symlink", symlink(other, path)); break;
    case 11: tell("readlink", readlink(path, text, sizeof text - 1)); printf("%.40s\n", text); break;
    case 12: tell_status(stat(path, &status), &status); break;
    case 13: tell_status(lstat(path, &status), &status); break;
    case 14: tell("truncate", truncate(path, (off_t)below(9000))); break;
    case 15: tell("chmod", chmod(path, 0700 | below(64))); break;
    case 16: tell("access", access(path, (int)below(8))); break;
    default: work_in(path);
  }
}

int main(int argc, char **argv) {
  if (argc < 4 || chdir(argv[1]) != 0 || mkdir("work", 0755) != 0 || chdir("work") != 0)
    return 1;
  char place[MOST_PATH];
  base = getcwd(place, sizeof place);
  start_random(argv[2]);
  umask(022);
  for (int i = 0; i < atoi(argv[3]); i++) {
    printf("%d ", i);
    once();
  }
  list(".", 1);
  return 0;
}

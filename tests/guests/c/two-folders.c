/* A folder at /a and another in it at /a/b. */
#include "errors.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

int main(void) {
  char path[100];
  SAY(mkdir("/a/x", 0700));
  SAY(rename("/a/x", "/a/b/x"));
  SAY(mkdir("/a/b/y", 0700));
  SAY(rename("/a/b", "/a/c"));
  SAY(rmdir("/a/b"));
  SAY(rename("/a", "/c"));
  SAY(chdir("/a/b/y"));
  SAY(rename("../y", "/a/b/z"));
  puts(getcwd(path, sizeof path));
  SAY(chdir("../.."));
  puts(getcwd(path, sizeof path));
  SAY(symlink("/a/b/z", "/a/l"));
  SAY(rmdir("/a/l/../z"));
  DIR *directory = opendir("/a");
  for (struct dirent *entry; (entry = readdir(directory)) != NULL;)
    puts(entry->d_name);
  return 0;
}

/* pwd.h and grp.h: one user in one group, whose home is the root. */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

static char root[] = "root";
static char nothing[] = "";
static char home[] = "/";

static struct passwd only_user = {
    .pw_name = root,
    .pw_passwd = nothing,
    .pw_comment = nothing,
    .pw_gecos = nothing,
    .pw_dir = home,
    .pw_shell = nothing,
};

static char *no_members[] = {NULL};

static struct group only_group = {.gr_name = root, .gr_passwd = nothing, .gr_mem = no_members};

struct passwd *getpwuid(uid_t user) {
  return user == 0 ? &only_user : NULL;
}

struct passwd *getpwnam(const char *name) {
  return strcmp(name, root) == 0 ? &only_user : NULL;
}

struct group *getgrgid(gid_t group) {
  return group == 0 ? &only_group : NULL;
}

struct group *getgrnam(const char *name) {
  return strcmp(name, root) == 0 ? &only_group : NULL;
}

/* What they hold never changes, so the caller's buffer is not needed. */
int getpwuid_r(uid_t user, struct passwd *space, char *buffer, size_t size, struct passwd **result) {
  (void)buffer;
  (void)size;
  *space = only_user;
  *result = user == 0 ? space : NULL;
  return 0;
}

int getpwnam_r(const char *name, struct passwd *space, char *buffer, size_t size, struct passwd **result) {
  return getpwuid_r(getpwnam(name) != NULL ? 0 : (uid_t)-1, space, buffer, size, result);
}

int getgrgid_r(gid_t group, struct group *space, char *buffer, size_t size, struct group **result) {
  (void)buffer;
  (void)size;
  *space = only_group;
  *result = group == 0 ? space : NULL;
  return 0;
}

int getgrnam_r(const char *name, struct group *space, char *buffer, size_t size, struct group **result) {
  return getgrgid_r(getgrnam(name) != NULL ? 0 : (gid_t)-1, space, buffer, size, result);
}

static int user_told, group_told;

void setpwent(void) {
  user_told = 0;
}

void endpwent(void) {
  user_told = 0;
}

struct passwd *getpwent(void) {
  return user_told++ == 0 ? &only_user : NULL;
}

void setgrent(void) {
  group_told = 0;
}

void endgrent(void) {
  group_told = 0;
}

struct group *getgrent(void) {
  return group_told++ == 0 ? &only_group : NULL;
}

char *getlogin(void) {
  return root;
}

int getlogin_r(char *name, size_t size) {
  if (size < sizeof root)
    return ERANGE;
  strcpy(name, root);
  return 0;
}

/* Semaphores with names, which are one domain's own: a table in its memory. */
#include "result.h"

#include <fcntl.h>
#include <limits.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct named {
  sem_t semaphore;
  struct named *next;
  unsigned opened;
  int unlinked;
  char name[];
};

static struct named *all;

static struct named *find(const char *name) {
  for (struct named *each = all; each != NULL; each = each->next)
    if (!each->unlinked && strcmp(each->name, name) == 0)
      return each;
  return NULL;
}

/* Without the slash that it may begin with; NULL with errno. */
static const char *checked(const char *name) {
  if (*name == '/')
    name++;
  if (*name == '\0' || strchr(name, '/') != NULL) {
    minios_failed(_REENT, EINVAL);
    return NULL;
  }
  if (strlen(name) > NAME_MAX - 4) { /* as glibc, which puts "sem." before it */
    minios_failed(_REENT, ENAMETOOLONG);
    return NULL;
  }
  return name;
}

static sem_t *failed(int error) {
  minios_failed(_REENT, error);
  return SEM_FAILED;
}

static sem_t *create(const char *name, unsigned value) {
  if (value > SEM_VALUE_MAX)
    return failed(EINVAL);
  struct named *new = malloc(sizeof *new + strlen(name) + 1);
  if (new == NULL)
    return failed(ENOSPC);
  *new = (struct named){.next = all, .opened = 1};
  strcpy(new->name, name);
  sem_init(&new->semaphore, 0, value);
  all = new;
  return &new->semaphore;
}

sem_t *sem_open(const char *path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  unsigned value = 0;
  if (flags & O_CREAT) {
    (void)va_arg(arguments, unsigned); /* one user may do everything, whatever the mode says */
    value = va_arg(arguments, unsigned);
  }
  va_end(arguments);
  const char *name = checked(path);
  if (name == NULL)
    return SEM_FAILED;
  struct named *found = find(name);
  if (found == NULL)
    return flags & O_CREAT ? create(name, value) : failed(ENOENT);
  if ((flags & O_CREAT) && (flags & O_EXCL))
    return failed(EEXIST);
  found->opened++;
  return &found->semaphore;
}

static void release(struct named *named) {
  if (named->opened > 0 || !named->unlinked)
    return;
  for (struct named **link = &all; *link != NULL; link = &(*link)->next)
    if (*link == named) {
      *link = named->next;
      break;
    }
  free(named);
}

int sem_close(sem_t *semaphore) {
  for (struct named *each = all; each != NULL; each = each->next)
    if (&each->semaphore == semaphore && each->opened > 0) {
      each->opened--;
      release(each);
      return 0;
    }
  return minios_failed(_REENT, EINVAL);
}

int sem_unlink(const char *path) {
  const char *name = checked(path);
  if (name == NULL)
    return -1;
  struct named *found = find(name);
  if (found == NULL)
    return minios_failed(_REENT, ENOENT);
  found->unlinked = 1;
  release(found);
  return 0;
}

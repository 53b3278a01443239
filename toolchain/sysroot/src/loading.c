/* dlopen and its kin: every call fails, and dlerror tells of the last one, once. */
#include <dlfcn.h>
#include <stddef.h>

static char nothing_loaded[] = "an image of Mini-OS is linked whole and loads nothing";

static char *last_error;

void *dlopen(const char *file, int mode) {
  (void)file;
  (void)mode;
  last_error = nothing_loaded;
  return NULL;
}

void *dlsym(void *handle, const char *name) {
  (void)handle;
  (void)name;
  last_error = nothing_loaded;
  return NULL;
}

int dlclose(void *handle) {
  (void)handle;
  last_error = nothing_loaded;
  return -1;
}

char *dlerror(void) {
  char *error = last_error;
  last_error = NULL;
  return error;
}

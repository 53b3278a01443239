/* A thread's own values, by key. */
#include "pthread-internal.h"

#include <stdlib.h>

static struct {
  bool used;
  void (*destructor)(void *);
} keys[PTHREAD_KEYS_MAX];

static void clear(struct minios_pthread *thread, void *data) {
  if (thread->values != NULL)
    thread->values[*(const pthread_key_t *)data] = NULL;
}

int pthread_key_create(pthread_key_t *result, void (*destructor)(void *)) {
  pthread_key_t key = 0;
  pthread_self(); /* at least one thread has values then */
  while (key < PTHREAD_KEYS_MAX && keys[key].used)
    key++;
  if (key == PTHREAD_KEYS_MAX)
    return EAGAIN;
  keys[key].used = true;
  keys[key].destructor = destructor;
  minios_pthread_each(clear, &key);
  *result = key;
  return 0;
}

int pthread_key_delete(pthread_key_t key) {
  if (key >= PTHREAD_KEYS_MAX || !keys[key].used)
    return EINVAL;
  keys[key].used = false;
  return 0;
}

void *pthread_getspecific(pthread_key_t key) {
  const struct minios_pthread *self = get_current()->pthread;
  if (self == NULL || self->values == NULL || key >= PTHREAD_KEYS_MAX)
    return NULL;
  return self->values[key];
}

int pthread_setspecific(pthread_key_t key, const void *value) {
  struct minios_pthread *self = pthread_self();
  if (key >= PTHREAD_KEYS_MAX || !keys[key].used)
    return EINVAL;
  if (self->values == NULL)
    self->values = calloc(PTHREAD_KEYS_MAX, sizeof *self->values);
  if (self->values == NULL)
    return ENOMEM;
  self->values[key] = (void *)value;
  return 0;
}

/* A destructor may set values anew; after some rounds what is left is left. */
void minios_pthread_destroy_values(struct minios_pthread *self) {
  bool again = self->values != NULL;
  for (int round = 0; again && round < PTHREAD_DESTRUCTOR_ITERATIONS; round++) {
    again = false;
    for (pthread_key_t key = 0; key < PTHREAD_KEYS_MAX; key++) {
      void *value = self->values[key];
      if (value == NULL || !keys[key].used || keys[key].destructor == NULL)
        continue;
      self->values[key] = NULL;
      keys[key].destructor(value);
      again = true;
    }
  }
}

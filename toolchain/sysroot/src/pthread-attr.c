/* Attributes of threads. Priorities and the like are kept and told; Mini-OS's threads take turns whatever they say. */
#define _GNU_SOURCE
#include "pthread-internal.h"

#include <mini-os/api.h>

#define PAGE_SIZE 4096

int pthread_attr_init(pthread_attr_t *attr) {
  *attr = (pthread_attr_t){
      .detachstate = PTHREAD_CREATE_JOINABLE,
      .scope = PTHREAD_SCOPE_SYSTEM,
      .inheritsched = PTHREAD_INHERIT_SCHED,
      .guardsize = PAGE_SIZE,
      .stacksize = PTHREAD_STACK_DEFAULT,
  };
  return 0;
}

int pthread_attr_destroy(pthread_attr_t *attr) {
  *attr = (pthread_attr_t){0};
  return 0;
}

int pthread_attr_getdetachstate(const pthread_attr_t *attr, int *state) {
  *state = attr->detachstate;
  return 0;
}

int pthread_attr_setdetachstate(pthread_attr_t *attr, int state) {
  if (state != PTHREAD_CREATE_DETACHED && state != PTHREAD_CREATE_JOINABLE)
    return EINVAL;
  attr->detachstate = state;
  return 0;
}

int pthread_attr_getguardsize(const pthread_attr_t *attr, size_t *size) {
  *size = attr->guardsize;
  return 0;
}

/* There is a page below each stack that the kernel provides, whatever is asked for. */
int pthread_attr_setguardsize(pthread_attr_t *attr, size_t size) {
  attr->guardsize = size;
  return 0;
}

int pthread_attr_getinheritsched(const pthread_attr_t *attr, int *inherit) {
  *inherit = attr->inheritsched;
  return 0;
}

int pthread_attr_setinheritsched(pthread_attr_t *attr, int inherit) {
  if (inherit != PTHREAD_INHERIT_SCHED && inherit != PTHREAD_EXPLICIT_SCHED)
    return EINVAL;
  attr->inheritsched = inherit;
  return 0;
}

int pthread_attr_getschedparam(const pthread_attr_t *attr, struct sched_param *scheduling) {
  *scheduling = attr->schedparam;
  return 0;
}

int pthread_attr_setschedparam(pthread_attr_t *attr, const struct sched_param *scheduling) {
  if (!minios_valid_scheduling(attr->schedpolicy, scheduling))
    return EINVAL;
  attr->schedparam = *scheduling;
  return 0;
}

int pthread_attr_getschedpolicy(const pthread_attr_t *attr, int *policy) {
  *policy = attr->schedpolicy;
  return 0;
}

int pthread_attr_setschedpolicy(pthread_attr_t *attr, int policy) {
  if (policy != SCHED_OTHER && policy != SCHED_FIFO && policy != SCHED_RR)
    return EINVAL;
  attr->schedpolicy = policy;
  return 0;
}

int pthread_attr_getscope(const pthread_attr_t *attr, int *scope) {
  *scope = attr->scope;
  return 0;
}

int pthread_attr_setscope(pthread_attr_t *attr, int scope) {
  if (scope == PTHREAD_SCOPE_PROCESS)
    return ENOTSUP;
  if (scope != PTHREAD_SCOPE_SYSTEM)
    return EINVAL;
  attr->scope = scope;
  return 0;
}

int pthread_attr_getstack(const pthread_attr_t *attr, void **stack, size_t *size) {
  *stack = attr->stackaddr;
  *size = attr->stacksize;
  return 0;
}

int pthread_attr_setstack(pthread_attr_t *attr, void *stack, size_t size) {
  if (size < PTHREAD_STACK_MIN || stack == NULL || (size_t)stack + size < size || (size_t)stack % sizeof(long) != 0)
    return EINVAL;
  attr->stackaddr = stack;
  attr->stacksize = size;
  return 0;
}

int pthread_attr_getstacksize(const pthread_attr_t *attr, size_t *size) {
  *size = attr->stacksize;
  return 0;
}

int pthread_attr_setstacksize(pthread_attr_t *attr, size_t size) {
  if (size < PTHREAD_STACK_MIN)
    return EINVAL;
  attr->stacksize = size;
  return 0;
}

/* The lowest address, as with pthread_attr_setstack. */
int pthread_attr_getstackaddr(const pthread_attr_t *attr, void **stack) {
  *stack = attr->stackaddr;
  return 0;
}

int pthread_attr_setstackaddr(pthread_attr_t *attr, void *stack) {
  attr->stackaddr = stack;
  return 0;
}

int pthread_getattr_np(pthread_t thread, pthread_attr_t *attr) {
  if (!minios_pthread_known(thread) || thread->ended)
    return ESRCH;
  pthread_attr_init(attr);
  attr->detachstate = thread->detached ? PTHREAD_CREATE_DETACHED : PTHREAD_CREATE_JOINABLE;
  attr->schedpolicy = thread->policy;
  attr->schedparam = thread->scheduling;
  attr->guardsize = thread->guard_size;
  attr->stackaddr = thread->thread->stack;
  attr->stacksize = (size_t)minios_stack_size(thread->thread);
  return 0;
}

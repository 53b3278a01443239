/* The types of POSIX threads. What a program may initialise statically lies here in full; all are zero then. */
#ifndef _SYS__PTHREADTYPES_H_
#define _SYS__PTHREADTYPES_H_

#include <sys/sched.h>

struct minios_pthread;
struct minios_waiter;

typedef struct minios_pthread *pthread_t;
typedef unsigned int pthread_key_t;

/* Threads that wait, in the order in which they came. */
struct minios_waiters {
  struct minios_waiter *first;
  struct minios_waiter *last;
};

typedef struct {
  int detachstate;
  int scope;
  int inheritsched;
  int schedpolicy;
  struct sched_param schedparam;
  void *stackaddr;
  __SIZE_TYPE__ stacksize;
  __SIZE_TYPE__ guardsize;
} pthread_attr_t;

typedef struct {
  int type;
  int pshared;
  int protocol;
  int prioceiling;
  int robust;
} pthread_mutexattr_t;

typedef struct minios_mutex {
  void *owner; /* its struct thread */
  unsigned depth;
  int type;
  int robust;
  int state;
  int protocol;
  int prioceiling;
  struct minios_mutex *next_held; /* of its owner's robust ones */
  struct minios_waiters waiters;
} pthread_mutex_t;

typedef struct {
  int pshared;
  unsigned long clock;
} pthread_condattr_t;

typedef struct {
  unsigned long clock;
  int destroyed;
  struct minios_waiters waiters;
} pthread_cond_t;

typedef struct {
  int pshared;
} pthread_rwlockattr_t;

typedef struct {
  unsigned readers;
  int destroyed;
  void *writer;
  struct minios_waiters waiters;
} pthread_rwlock_t;

typedef struct {
  int pshared;
} pthread_barrierattr_t;

typedef struct {
  unsigned needed;
  unsigned arrived;
  struct minios_waiters waiters;
} pthread_barrier_t;

typedef struct {
  void *owner;
} pthread_spinlock_t;

typedef int pthread_once_t; /* assigned, too */

#endif

/* Mini-OS's lists are BSD's <sys/queue.h> under a prefix, with `struct` written out by the caller. */
#ifndef _MINIOS_LIST_H_
#define _MINIOS_LIST_H_

#include <sys/queue.h>

#define MINIOS_TAILQ_ENTRY(type) \
  struct {                       \
    type *tqe_next;              \
    type **tqe_prev;             \
  }

#define MINIOS_STAILQ_HEAD(name, type) \
  struct name {                        \
    type *stqh_first;                  \
    type **stqh_last;                  \
  }
#define MINIOS_STAILQ_HEAD_INITIALIZER(head) {NULL, &(head).stqh_first}
#define MINIOS_STAILQ_ENTRY(type) \
  struct {                        \
    type *stqe_next;              \
  }

#define MINIOS_STAILQ_EMPTY(head) ((head)->stqh_first == NULL)
#define MINIOS_STAILQ_FIRST(head) ((head)->stqh_first)
#define MINIOS_STAILQ_NEXT(elm, field) ((elm)->field.stqe_next)

#define MINIOS_STAILQ_INIT(head)              \
  do {                                        \
    (head)->stqh_first = NULL;                \
    (head)->stqh_last = &(head)->stqh_first;  \
  } while (0)

#define MINIOS_STAILQ_INSERT_TAIL(head, elm, field)   \
  do {                                                \
    (elm)->field.stqe_next = NULL;                    \
    *(head)->stqh_last = (elm);                       \
    (head)->stqh_last = &(elm)->field.stqe_next;      \
  } while (0)

#define MINIOS_STAILQ_REMOVE(head, elm, type, field)          \
  do {                                                        \
    type **minios_link = &(head)->stqh_first;                 \
    while (*minios_link != NULL && *minios_link != (elm))     \
      minios_link = &(*minios_link)->field.stqe_next;         \
    if (*minios_link != NULL) {                               \
      *minios_link = (elm)->field.stqe_next;                  \
      if (*minios_link == NULL)                               \
        (head)->stqh_last = minios_link;                      \
    }                                                         \
  } while (0)

#endif

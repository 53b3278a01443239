/* Mini-OS's allocator by its old names; the heap is the C library's. */
#ifndef __XMALLOC_H__
#define __XMALLOC_H__

#include <malloc.h>
#include <stdlib.h>

#define DEFAULT_ALIGN (sizeof(unsigned long))

#define xmalloc(_type) ((_type *)_xmalloc(sizeof(_type), __alignof__(_type)))
#define xmalloc_array(_type, _num) \
  ((_type *)_xmalloc_array(sizeof(_type), __alignof__(_type), _num))

static inline void *_xmalloc(size_t size, size_t align) {
  return memalign(align, size);
}

static inline void *_xmalloc_array(size_t size, size_t align, size_t num) {
  size_t total;
  if (__builtin_mul_overflow(size, num, &total))
    return NULL;
  return memalign(align, total);
}

static inline void xfree(const void *p) {
  free((void *)p);
}

#endif

/* What the stubs of Minios share: handles as nativeints, failures as Unix.Unix_error. */
#ifndef MINIOS_CAML_SUPPORT_H
#define MINIOS_CAML_SUPPORT_H

#define CAML_NAME_SPACE
#include <caml/alloc.h>
#include <caml/bigarray.h>
#include <caml/fail.h>
#include <caml/memory.h>
#include <caml/mlvalues.h>
#include <caml/signals.h>
#include <caml/unixsupport.h>
#include <errno.h>
#include <stdint.h>

#define HANDLE(type, v) ((type *)Nativeint_val(v))

static inline value handle_of(void *pointer) {
  return caml_copy_nativeint((intnat)pointer);
}

/* A result of -1 with errno as an exception. */
static inline int checked(int result, const char *function) {
  if (result < 0)
    uerror(function, Nothing);
  return result;
}

/* What OCaml numbers as it likes, and Mini-OS without a sign. */
static inline uint32_t number_of(value v, const char *function) {
  intnat number = Long_val(v);
  if (number < 0 || (uintnat)number > UINT32_MAX)
    unix_error(EINVAL, function, Nothing);
  return (uint32_t)number;
}

#endif

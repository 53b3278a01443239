/* Minios.Console and Minios.Xenstore (mini-os/console.h, xenstore.h). */
#include "support.h"

#include <errno.h>
#include <mini-os/console.h>
#include <mini-os/xenbus.h>
#include <stdlib.h>
#include <string.h>
#include <xenstore.h>

#define TOKEN "Minios"
/* Of what printk takes at once. */
#define CHUNK 1000

value minios_caml_console_write(value text) {
  const char *from = String_val(text);
  for (size_t rest = caml_string_length(text); rest > 0;) {
    int length = (int)(rest < CHUNK ? rest : CHUNK);
    printk("%.*s", length, from);
    from += length;
    rest -= (size_t)length;
  }
  return Val_unit;
}

static void fail(const char *function, value path) {
  uerror(function, path);
}

/* A path, without NUL within. */
static const char *path_of(value path) {
  if (!caml_string_is_c_safe(path))
    unix_error(EINVAL, "Minios.Xenstore", path);
  return String_val(path);
}

value minios_caml_xs_open(value unit) {
  (void)unit;
  struct xs_handle *handle = xs_open(0);
  if (handle == NULL)
    caml_raise_out_of_memory();
  return handle_of(handle);
}

value minios_caml_xs_close(value handle) {
  xs_close(HANDLE(struct xs_handle, handle));
  return Val_unit;
}

value minios_caml_xs_fileno(value handle) {
  return Val_int(checked(xs_fileno(HANDLE(struct xs_handle, handle)), "Minios.Xenstore.descriptor"));
}

value minios_caml_xs_domid(value unit) {
  (void)unit;
  return Val_int(xenbus_get_self_id());
}

value minios_caml_xs_domain_path(value domid) {
  char *path = xs_get_domain_path(NULL, number_of(domid, "Minios.Xenstore.domain_path"));
  if (path == NULL)
    fail("Minios.Xenstore.domain_path", Nothing);
  value copy = caml_copy_string(path);
  free(path);
  return copy;
}

value minios_caml_xs_read(value transaction, value path) {
  CAMLparam2(transaction, path);
  unsigned length;
  char *text = xs_read(NULL, (xs_transaction_t)Long_val(transaction), path_of(path), &length);
  if (text == NULL)
    fail("Minios.Xenstore.read", path);
  value copy = caml_alloc_initialized_string(length, text);
  free(text);
  CAMLreturn(copy);
}

value minios_caml_xs_write(value transaction, value path, value text) {
  if (!xs_write(NULL, (xs_transaction_t)Long_val(transaction), path_of(path), String_val(text),
                (unsigned)caml_string_length(text)))
    fail("Minios.Xenstore.write", path);
  return Val_unit;
}

value minios_caml_xs_mkdir(value transaction, value path) {
  if (!xs_mkdir(NULL, (xs_transaction_t)Long_val(transaction), path_of(path)))
    fail("Minios.Xenstore.mkdir", path);
  return Val_unit;
}

value minios_caml_xs_rm(value transaction, value path) {
  if (!xs_rm(NULL, (xs_transaction_t)Long_val(transaction), path_of(path)))
    fail("Minios.Xenstore.remove", path);
  return Val_unit;
}

value minios_caml_xs_directory(value transaction, value path) {
  CAMLparam2(transaction, path);
  CAMLlocal2(names, name);
  unsigned count;
  char **list = xs_directory(NULL, (xs_transaction_t)Long_val(transaction), path_of(path), &count);
  if (list == NULL)
    fail("Minios.Xenstore.directory", path);
  names = caml_alloc(count, 0);
  for (unsigned i = 0; i < count; i++) {
    name = caml_copy_string(list[i]);
    Store_field(names, i, name);
  }
  free(list);
  CAMLreturn(names);
}

value minios_caml_xs_get_permissions(value transaction, value path) {
  CAMLparam2(transaction, path);
  CAMLlocal2(all, pair);
  unsigned count;
  struct xs_permissions *list =
      xs_get_permissions(NULL, (xs_transaction_t)Long_val(transaction), path_of(path), &count);
  if (list == NULL)
    fail("Minios.Xenstore.permissions", path);
  all = caml_alloc(count, 0);
  for (unsigned i = 0; i < count; i++) {
    pair = caml_alloc_small(2, 0);
    Field(pair, 0) = Val_long(list[i].id);
    Field(pair, 1) = Val_int(list[i].perms & (XS_PERM_READ | XS_PERM_WRITE));
    Store_field(all, i, pair);
  }
  free(list);
  CAMLreturn(all);
}

value minios_caml_xs_set_permissions(value transaction, value path, value all) {
  static const char function[] = "Minios.Xenstore.set_permissions";
  unsigned count = (unsigned)Wosize_val(all);
  struct xs_permissions *list = calloc(count, sizeof *list);
  if (list == NULL)
    caml_raise_out_of_memory();
  for (unsigned i = 0; i < count; i++)
    list[i] = (struct xs_permissions){(unsigned)Long_val(Field(Field(all, i), 0)),
                                      (enum xs_perm_type)Long_val(Field(Field(all, i), 1))};
  bool is_set = caml_string_is_c_safe(path) &&
                xs_set_permissions(NULL, (xs_transaction_t)Long_val(transaction), String_val(path), list, count);
  int error = errno;
  free(list);
  errno = error;
  if (!is_set)
    fail(function, path);
  return Val_unit;
}

value minios_caml_xs_transaction_start(value unit) {
  (void)unit;
  xs_transaction_t transaction = xs_transaction_start(NULL);
  if (transaction == XBT_NULL)
    fail("Minios.Xenstore.atomically", Nothing);
  return Val_long(transaction);
}

value minios_caml_xs_transaction_end(value transaction, value is_abort) {
  if (!xs_transaction_end(NULL, (xs_transaction_t)Long_val(transaction), Bool_val(is_abort)))
    fail("Minios.Xenstore.atomically", Nothing);
  return Val_unit;
}

value minios_caml_xs_watch(value handle, value path) {
  if (!xs_watch(HANDLE(struct xs_handle, handle), path_of(path), TOKEN))
    fail("Minios.Xenstore.watch", path);
  return Val_unit;
}

value minios_caml_xs_check_watch(value handle) {
  CAMLparam1(handle);
  CAMLlocal2(path, some);
  char **event = xs_check_watch(HANDLE(struct xs_handle, handle));
  if (event == NULL)
    CAMLreturn(Val_int(0));
  path = caml_copy_string(event[XS_WATCH_PATH]);
  free(event);
  some = caml_alloc_small(1, 0);
  Field(some, 0) = path;
  CAMLreturn(some);
}

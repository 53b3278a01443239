/* Minios.Event and Minios.Grant (xenevtchn.h, mini-os/gnttab.h, mini-os/gntmap.h). */
#include "support.h"

#include <errno.h>
#include <malloc.h>
#include <mini-os/gntmap.h>
#include <mini-os/gnttab.h>
#include <mini-os/mm.h>
#include <stdlib.h>
#include <string.h>
#include <xenevtchn.h>

value minios_caml_evtchn_open(value unit) {
  (void)unit;
  xenevtchn_handle *handle = xenevtchn_open(NULL, 0);
  if (handle == NULL)
    uerror("Minios.Event", Nothing);
  return handle_of(handle);
}

value minios_caml_evtchn_close(value handle) {
  checked(xenevtchn_close(HANDLE(xenevtchn_handle, handle)), "Minios.Event.close");
  return Val_unit;
}

value minios_caml_evtchn_fd(value handle) {
  return Val_int(xenevtchn_fd(HANDLE(xenevtchn_handle, handle)));
}

value minios_caml_evtchn_bind_unbound(value handle, value domid) {
  static const char function[] = "Minios.Event.listen";
  uint32_t other = number_of(domid, function);
  return Val_int(checked(xenevtchn_bind_unbound_port(HANDLE(xenevtchn_handle, handle), other), function));
}

value minios_caml_evtchn_bind_interdomain(value handle, value domid, value port) {
  static const char function[] = "Minios.Event.connect";
  uint32_t other = number_of(domid, function), remote = number_of(port, function);
  return Val_int(checked(xenevtchn_bind_interdomain(HANDLE(xenevtchn_handle, handle), other, remote), function));
}

value minios_caml_evtchn_bind_virq(value handle, value virq) {
  static const char function[] = "Minios.Event.of_virq";
  return Val_int(checked(xenevtchn_bind_virq(HANDLE(xenevtchn_handle, handle), number_of(virq, function)), function));
}

value minios_caml_evtchn_notify(value handle, value port) {
  checked(xenevtchn_notify(HANDLE(xenevtchn_handle, handle), (evtchn_port_t)Long_val(port)), "Minios.Event.notify");
  return Val_unit;
}

value minios_caml_evtchn_take(value handle) {
  xenevtchn_handle *xce = HANDLE(xenevtchn_handle, handle);
  int port = xenevtchn_pending(xce);
  if (port < 0 && errno == EAGAIN)
    return Val_false;
  checked(port, "Minios.Event.wait");
  checked(xenevtchn_unmask(xce, (evtchn_port_t)port), "Minios.Event.wait");
  return Val_true;
}

value minios_caml_page_size(value unit) {
  (void)unit;
  return Val_long(PAGE_SIZE);
}

#define BUFFER (CAML_BA_UINT8 | CAML_BA_C_LAYOUT)

value minios_caml_pages(value count) {
  intnat number = Long_val(count);
  if (number <= 0 || (uintnat)number > UINTPTR_MAX / PAGE_SIZE / 2)
    caml_invalid_argument("Minios.Grant.pages");
  size_t bytes = (size_t)number * PAGE_SIZE;
  void *pages = memalign(PAGE_SIZE, bytes);
  if (pages == NULL)
    caml_raise_out_of_memory();
  memset(pages, 0, bytes);
  return caml_ba_alloc_dims(BUFFER | CAML_BA_MANAGED, 1, pages, (intnat)bytes);
}

value minios_caml_grant(value domid, value is_writable, value buffer, value offset) {
  char *page = (char *)Caml_ba_data_val(buffer) + Long_val(offset);
  if ((uintptr_t)page % PAGE_SIZE != 0)
    caml_invalid_argument("Minios.Grant.share: no page of Minios.Grant.pages");
  uint32_t other = number_of(domid, "Minios.Grant.share");
  return Val_long(gnttab_grant_access((domid_t)other, virt_to_mfn(page), !Bool_val(is_writable)));
}

value minios_caml_end_grant(value reference) {
  return Val_bool(gnttab_end_access((grant_ref_t)Long_val(reference)));
}

/* One map for each mapping would do as well; one for all has no end that anybody must call. */
static struct gntmap grants;

#define MOST_GRANTS 4096

value minios_caml_map_grants(value domid, value is_writable, value references) {
  static const char function[] = "Minios.Grant.map";
  uint32_t other = number_of(domid, function);
  size_t count = Wosize_val(references);
  if (grants.nentries == 0 && gntmap_set_max_grants(&grants, MOST_GRANTS) != 0)
    caml_raise_out_of_memory();
  if (count == 0 || count > MOST_GRANTS)
    unix_error(EINVAL, function, Nothing);
  uint32_t *refs = malloc(count * sizeof *refs);
  if (refs == NULL)
    caml_raise_out_of_memory();
  for (size_t i = 0; i < count; i++)
    refs[i] = (uint32_t)Long_val(Field(references, i));
  void *pages = gntmap_map_grant_refs(&grants, (uint32_t)count, &other, 0, refs, Bool_val(is_writable));
  free(refs);
  if (pages == NULL)
    unix_error(EINVAL, function, Nothing);
  return caml_ba_alloc_dims(BUFFER | CAML_BA_EXTERNAL, 1, pages, (intnat)(count * PAGE_SIZE));
}

/* The buffer has no bytes from now on, so that nobody reaches what is not there. */
value minios_caml_unmap_grants(value buffer) {
  struct caml_ba_array *array = Caml_ba_array_val(buffer);
  int error = gntmap_munmap(&grants, (unsigned long)array->data, (int)(array->dim[0] / PAGE_SIZE));
  if (error != 0)
    unix_error(-error, "Minios.Grant.unmap", Nothing);
  array->dim[0] = 0;
  return Val_unit;
}

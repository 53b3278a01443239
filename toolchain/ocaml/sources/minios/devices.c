/* Minios.Block, Net, Framebuffer and Keyboard (mini-os/blkfront.h, netfront.h, fbfront.h). */
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <mini-os/blkfront.h>
#include <mini-os/fbfront.h>
#include <mini-os/mm.h>
#include <mini-os/netfront.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A device's name outside of OCaml's heap, while others run. */
static char *name_of(value name) {
  caml_unix_check_path(name, "Minios");
  return caml_stat_strdup(String_val(name));
}

static void no_device(value name) {
  unix_error(ENODEV, "Minios: connect", name);
}

value minios_caml_block_connect(value name) {
  CAMLparam1(name);
  CAMLlocal2(sectors, result);
  struct blkfront_info info;
  char *copy = name_of(name);
  caml_enter_blocking_section();
  struct blkfront_dev *dev = init_blkfront(copy, &info);
  caml_leave_blocking_section();
  caml_stat_free(copy);
  if (dev == NULL)
    no_device(name);
  int fd = blkfront_open(dev);
  if (fd < 0) {
    shutdown_blkfront(dev);
    uerror("Minios.Block.connect", name);
  }
  sectors = caml_copy_int64((int64_t)info.sectors);
  result = caml_alloc_small(4, 0);
  Field(result, 0) = Val_int(fd);
  Field(result, 1) = sectors;
  Field(result, 2) = Val_long(info.sector_size);
  Field(result, 3) = Val_bool(info.mode == O_RDWR);
  CAMLreturn(result);
}

value minios_caml_block_transfer(value fd, value place, value buffer, value is_write) {
  CAMLparam1(buffer);
  const char *function = Bool_val(is_write) ? "Minios.Block.write" : "Minios.Block.read";
  char *bytes = Caml_ba_data_val(buffer);
  size_t rest = (size_t)Caml_ba_array_val(buffer)->dim[0];
  off_t at = (off_t)Int64_val(place);
  int descriptor = Int_val(fd), writes = Bool_val(is_write), error = 0;
  caml_enter_blocking_section();
  while (rest > 0) {
    ssize_t done = writes ? pwrite(descriptor, bytes, rest, at) : pread(descriptor, bytes, rest, at);
    if (done <= 0) {
      error = done < 0 ? errno : EINVAL; /* behind the end */
      break;
    }
    bytes += done;
    at += done;
    rest -= (size_t)done;
  }
  caml_leave_blocking_section();
  if (error != 0)
    unix_error(error, function, Nothing);
  CAMLreturn(Val_unit);
}

value minios_caml_net_open(value name) {
  CAMLparam1(name);
  char *copy = name_of(name);
  caml_enter_blocking_section();
  int fd = netfront_tap_open(copy);
  caml_leave_blocking_section();
  caml_stat_free(copy);
  if (fd < 0)
    no_device(name);
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
  CAMLreturn(Val_int(fd));
}

#define MOST_PIXELS 16384

value minios_caml_fb_connect(value name, value width, value height) {
  CAMLparam3(name, width, height);
  CAMLlocal3(handle, pixels, result);
  intnat w = Long_val(width), h = Long_val(height);
  if (w <= 0 || h <= 0 || w > MOST_PIXELS || h > MOST_PIXELS)
    caml_invalid_argument("Minios.Framebuffer.connect");
  size_t bytes = (size_t)w * (size_t)h * 4, count = (bytes + PAGE_SIZE - 1) / PAGE_SIZE;
  // First, since it raises where the name has a NUL.
  char *copy = name_of(name);
  char *memory = memalign(PAGE_SIZE, count * PAGE_SIZE);
  unsigned long *mfns = malloc(count * sizeof *mfns);
  if (memory == NULL || mfns == NULL) {
    free(memory);
    free(mfns);
    caml_stat_free(copy);
    caml_raise_out_of_memory();
  }
  memset(memory, 0, count * PAGE_SIZE);
  for (size_t i = 0; i < count; i++)
    mfns[i] = virt_to_mfn(memory + i * PAGE_SIZE);
  caml_enter_blocking_section();
  struct fbfront_dev *dev = init_fbfront(copy, mfns, (int)w, (int)h, 32, (int)w * 4, (int)count);
  caml_leave_blocking_section();
  caml_stat_free(copy);
  free(mfns);
  if (dev == NULL) {
    free(memory);
    no_device(name);
  }
  handle = handle_of(dev);
  pixels = caml_ba_alloc_dims(CAML_BA_INT32 | CAML_BA_C_LAYOUT | CAML_BA_MANAGED, 2, memory, h, w);
  result = caml_alloc_small(2, 0);
  Field(result, 0) = handle;
  Field(result, 1) = pixels;
  CAMLreturn(result);
}

value minios_caml_fb_update(value handle, value x, value y, value width, value height) {
  struct fbfront_dev *dev = HANDLE(struct fbfront_dev, handle);
  int left = Int_val(x), top = Int_val(y), w = Int_val(width), h = Int_val(height);
  caml_enter_blocking_section();
  fbfront_update(dev, left, top, w, h);
  caml_leave_blocking_section();
  return Val_unit;
}

value minios_caml_fb_disconnect(value handle) {
  shutdown_fbfront(HANDLE(struct fbfront_dev, handle));
  return Val_unit;
}

value minios_caml_kbd_connect(value name, value positions) {
  CAMLparam2(name, positions);
  CAMLlocal2(handle, result);
  int is_absolute = Bool_val(positions);
  char *copy = name_of(name);
  caml_enter_blocking_section();
  struct kbdfront_dev *dev = init_kbdfront(copy, is_absolute);
  caml_leave_blocking_section();
  caml_stat_free(copy);
  if (dev == NULL)
    no_device(name);
  int fd = kbdfront_open(dev);
  if (fd < 0) {
    shutdown_kbdfront(dev);
    uerror("Minios.Keyboard.connect", name);
  }
  handle = handle_of(dev);
  result = caml_alloc_small(2, 0);
  Field(result, 0) = handle;
  Field(result, 1) = Val_int(fd);
  CAMLreturn(result);
}

static value tuple_of(const union xenkbd_in_event *event) {
  value tuple = caml_alloc_small(4, 0);
  Field(tuple, 0) = Val_int(event->type);
  if (event->type == XENKBD_TYPE_KEY) {
    Field(tuple, 1) = Val_int(event->key.pressed);
    Field(tuple, 2) = Val_long(event->key.keycode);
    Field(tuple, 3) = Val_int(0);
  } else {
    /* Motions and positions are laid out alike. */
    Field(tuple, 1) = Val_long(event->pos.abs_x);
    Field(tuple, 2) = Val_long(event->pos.abs_y);
    Field(tuple, 3) = Val_long(event->pos.rel_z);
  }
  return tuple;
}

value minios_caml_kbd_receive(value handle) {
  CAMLparam0();
  CAMLlocal2(events, event);
  union xenkbd_in_event received[XENKBD_IN_RING_LEN];
  int count = kbdfront_receive(HANDLE(struct kbdfront_dev, handle), received, XENKBD_IN_RING_LEN);
  events = caml_alloc(count < 0 ? 0 : (mlsize_t)count, 0);
  for (int i = 0; i < count; i++) {
    event = tuple_of(&received[i]);
    Store_field(events, i, event);
  }
  CAMLreturn(events);
}

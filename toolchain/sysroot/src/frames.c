/* Machine frames in the demand-mapped area (mini-os/mm.h), a page at a time. */
#include <errno.h>
#include <mini-os/api.h>
#include <mini-os/mm.h>
#include <mini-os/os.h>

int do_map_frames(unsigned long addr, const unsigned long *f, unsigned long n, unsigned long stride,
                  unsigned long increment, domid_t id, int *err, unsigned long prot) {
  int first = 0;
  int writable = (prot & MINIOS_PAGE_WRITABLE) != 0;
  for (unsigned long i = 0; i < n; i++) {
    unsigned long frame = f[i * stride] + i * increment;
    int error = minios_map_frame((void *)(addr + i * PAGE_SIZE), frame, id, writable);
    if (err != NULL)
      err[i] = error;
    else if (error != 0) {
      printk("do_map_frames: frame 0x%lx of domain %u: error %d\n", frame, (unsigned)id, error);
      BUG();
    }
    if (first == 0)
      first = error;
  }
  return first;
}

void *map_frames_ex(const unsigned long *f, unsigned long n, unsigned long stride,
                    unsigned long increment, unsigned long alignment, domid_t id, int *err,
                    unsigned long prot) {
  unsigned long start = allocate_ondemand(n, alignment);
  if (start == 0)
    return NULL;
  do_map_frames(start, f, n, stride, increment, id, err, prot);
  return (void *)start;
}

int unmap_frames(unsigned long va, unsigned long num_frames) {
  if ((va & ~PAGE_MASK) != 0)
    return -EINVAL;
  for (unsigned long i = 0; i < num_frames; i++)
    minios_unmap_frame((void *)(va + i * PAGE_SIZE));
  return 0;
}

unsigned long map_frame_virt(unsigned long mfn) {
  return (unsigned long)map_frames(&mfn, 1);
}

unsigned long minios_mfn_zero(void) {
  return minios_zero_frame();
}

void *map_zero(unsigned long n, unsigned long alignment) {
  unsigned long zero = minios_zero_frame();
  return map_frames_ex(&zero, n, 0, 0, alignment, DOMID_SELF, NULL, L1_PROT_RO);
}

void do_map_zero(unsigned long start, unsigned long n) {
  unsigned long zero = minios_zero_frame();
  do_map_frames(start, &zero, n, 0, 0, DOMID_SELF, NULL, L1_PROT_RO);
}

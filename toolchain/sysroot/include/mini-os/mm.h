/*
 * Memory of Mini-OS: pages, machine frames, and addresses to map things at. An image that maps anything runs behind page
 * tables, all others on one linear stretch of the machine.
 */
#ifndef _MM_H_
#define _MM_H_

#include <mini-os/api.h>
#include <mini-os/types.h>

#define PAGE_SHIFT 12
#ifndef PAGE_SIZE
#define PAGE_SIZE (1UL << PAGE_SHIFT)
#endif
#define PAGE_MASK (~(PAGE_SIZE - 1))
#define PFN_UP(x) (((x) + PAGE_SIZE - 1) >> PAGE_SHIFT)
#define PFN_DOWN(x) ((x) >> PAGE_SHIFT)
#define PFN_PHYS(x) ((uint64_t)(x) << PAGE_SHIFT)

#ifndef DOMID_SELF
#define DOMID_SELF (0x7FF0U)
#endif

/* Protections of map_frames_ex: entries of page tables. */
#define L1_PROT_RO 0x025UL
#define L1_PROT 0x067UL
#define MINIOS_PAGE_WRITABLE 0x002UL

#define alloc_page() alloc_pages(0)
#define free_page(p) free_pages(p, 0)

/* The least order whose pages hold so many bytes. */
static inline int get_order(unsigned long size) {
  int order = 0;
  for (size = (size - 1) >> PAGE_SHIFT; size != 0; size >>= 1)
    order++;
  return order;
}

static inline unsigned long alloc_contig_pages(int order, unsigned int addr_bits) {
  (void)addr_bits; /* all of an application's memory is one stretch of the machine */
  return alloc_pages(order);
}

#define virt_to_mfn(_virt) minios_virt_to_mfn((const void *)(_virt))
#define virtual_to_mfn(_virt) virt_to_mfn(_virt)
/* A pseudo-physical frame is a page of the application's own addresses. */
#define virt_to_pfn(_virt) ((unsigned long)(_virt) >> PAGE_SHIFT)
#define pfn_to_virt(_pfn) ((void *)((unsigned long)(_pfn) << PAGE_SHIFT))
#define pfn_to_mfn(_pfn) virt_to_mfn(pfn_to_virt(_pfn))
#define to_virt(x) ((void *)(unsigned long)(x))
#define to_phys(x) ((unsigned long)(x))

#define mfn_zero minios_mfn_zero()
unsigned long minios_mfn_zero(void);

/*
 * n pages, page i of frame f[i * stride] + i * increment, the first address a multiple of `alignment` pages. Without err the
 * first frame that may not be mapped ends the domain, with it err[i] says which.
 */
void *map_frames_ex(const unsigned long *f, unsigned long n, unsigned long stride,
                    unsigned long increment, unsigned long alignment, domid_t id, int *err,
                    unsigned long prot);
/* The same at an address of allocate_ondemand; 0, or the first error. */
int do_map_frames(unsigned long addr, const unsigned long *f, unsigned long n, unsigned long stride,
                  unsigned long increment, domid_t id, int *err, unsigned long prot);
int unmap_frames(unsigned long va, unsigned long num_frames);
unsigned long map_frame_virt(unsigned long mfn);

#define map_frames(f, n) map_frames_ex(f, n, 1, 0, 1, DOMID_SELF, NULL, L1_PROT)
/* Pages that read as zeros, and become memory when they are written. */
void *map_zero(unsigned long n, unsigned long alignment);
void do_map_zero(unsigned long start, unsigned long n);

/* Lets go of pages that hold zeros alone; here they cost nothing until they are written, and are kept. */
static inline void sparse(unsigned long data, size_t size) {
  (void)data;
  (void)size;
}

#endif

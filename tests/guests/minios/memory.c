/* Machine frames and demand-mapped addresses of Mini-OS; a scene each. */
#include <mini-os/gntmap.h>
#include <mini-os/gnttab.h>
#include <mini-os/mm.h>
#include <mini-os/xenbus.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A second address of a page is the same page. */
static void frames(void) {
  char *page = (char *)alloc_pages(1);
  unsigned long list[] = {virt_to_mfn(page + PAGE_SIZE), virt_to_mfn(page)};
  char *swapped = map_frames(list, 2);
  strcpy(page, "first");
  strcpy(page + PAGE_SIZE, "second");
  printf("%s %s", swapped, swapped + PAGE_SIZE);
  strcpy(swapped, "changed");
  printf(" %s", page + PAGE_SIZE);
  char *row = map_frames_ex(&list[1], 2, 0, 1, 4, DOMID_SELF, NULL, L1_PROT);
  printf(" %s %d", row + PAGE_SIZE, (unsigned long)row % (4 * PAGE_SIZE) == 0);
  char *one = (char *)map_frame_virt(list[1]);
  printf(" %s, unmapped %d", one, unmap_frames((unsigned long)swapped, 2));
  printf(" %d", unmap_frames((unsigned long)swapped, 2));
  printf(", odd %d\n", unmap_frames((unsigned long)swapped + 1, 1) == -EINVAL);
}

static void refused(void) {
  unsigned long list[] = {virt_to_mfn(alloc_page()), 1, 0xfffffff};
  int err[3] = {9, 9, 9};
  char *area = map_frames_ex(list, 3, 1, 0, 1, DOMID_SELF, err, L1_PROT);
  area[0] = 1;
  printf("%d %d %d", err[0], err[1] == -EINVAL, err[2] == -EINVAL);
  map_frames_ex(list, 1, 1, 0, 1, 77, err, L1_PROT);
  printf(", another's %d", err[0] == -EPERM);
  unsigned long heap = (unsigned long)malloc(1) & PAGE_MASK;
  printf(", not there %d", do_map_frames(heap, list, 1, 1, 0, DOMID_SELF, err, L1_PROT) == -EINVAL);
  printf(", too many %lu\n", allocate_ondemand(1UL << (sizeof(long) * 8 - 12), 1));
}

/* Zeros take no memory until they are written: these are more than there is. */
static void zeros(void) {
  unsigned long pages = 30000;
  char *area = map_zero(pages, 1);
  int wrong = area == NULL;
  for (unsigned long i = 0; i < pages; i += 7)
    wrong += area[i * PAGE_SIZE + i % PAGE_SIZE] != 0;
  for (unsigned long i = 0; i < 1000; i++)
    area[i * 29 * PAGE_SIZE + 5] = (char)i;
  for (unsigned long i = 0; i < 1000; i++)
    wrong += area[i * 29 * PAGE_SIZE + 5] != (char)i || area[i * 29 * PAGE_SIZE + 4] != 0;
  memset(area + 28 * PAGE_SIZE + 100, 1, 2 * PAGE_SIZE); /* across pages that are there and are not */
  wrong += area[28 * PAGE_SIZE + 99] != 0 || area[30 * PAGE_SIZE + 99] != 1;
  /* The kernel writes there, too. */
  evtchn_port_t *port = (evtchn_port_t *)(area + 50 * PAGE_SIZE);
  wrong += evtchn_alloc_unbound(0, NULL, NULL, port) != 0 || *port == 0;
  printf("%d wrong", wrong);
  unsigned long again = (unsigned long)area;
  unmap_frames(again, pages);
  do_map_zero(again, 2);
  printf(", again %d\n", area[5]);
}

static void grants(void) {
  struct gntmap map;
  char *page = (char *)alloc_page();
  uint32_t self = xenbus_get_self_id(), nobody = 99;
  uint32_t refs[] = {gnttab_grant_access((domid_t)self, virt_to_mfn(page), 0),
                     gnttab_grant_access((domid_t)self, virt_to_mfn(page), 1)};
  gntmap_init(&map);
  char *both = gntmap_map_grant_refs(&map, 2, &self, 0, refs, 0);
  strcpy(page, "granted");
  printf("%s %s", both, both + PAGE_SIZE);
  printf(", in use %d", gnttab_end_access(refs[0]) == 0);
  printf(", nobody %d", gntmap_map_grant_refs(&map, 1, &nobody, 0, refs, 0) == NULL);
  printf(", read-only %d", gntmap_map_grant_refs(&map, 1, &self, 0, &refs[1], 1) == NULL);
  printf(", set %d", gntmap_set_max_grants(&map, 5) == -EBUSY);
  printf(", unmap %d", gntmap_munmap(&map, (unsigned long)both, 2));
  printf(" %d", gntmap_munmap(&map, (unsigned long)both, 1) == -EINVAL);
  char *one = gntmap_map_grant_refs(&map, 1, &self, 1, refs, 1);
  strcpy(one, "written");
  gntmap_fini(&map);
  int ended = gnttab_end_access(refs[0]) + gnttab_end_access(refs[1]);
  printf(", %s, ended %d\n", page, ended);
}

static void numbers(void) {
  char *page = (char *)alloc_page();
  unsigned long pfn = virt_to_pfn(page);
  printf("%d %d", pfn_to_virt(pfn) == page, pfn_to_mfn(pfn) == virt_to_mfn(page));
  printf(" %d %d", virtual_to_mfn(page) == virt_to_mfn(page), to_virt(to_phys(page)) == page);
  printf(", %lu %lu %d", (unsigned long)PFN_UP(4097UL), (unsigned long)PFN_DOWN(8191UL), (int)PFN_PHYS(2));
  unsigned long frame = mfn_zero;
  char *zeros = map_frames(&frame, 1);
  printf(", zeros %d\n", zeros[0] == 0 && zeros[PAGE_SIZE - 1] == 0);
  free_page(page);
}

/* Each ends the domain. */
static void unmapped(void) {
  char *area = map_zero(1, 1);
  unmap_frames((unsigned long)area, 1);
  printf("%d\n", *(volatile char *)area);
}

static void read_only(void) {
  struct gntmap map;
  uint32_t self = xenbus_get_self_id();
  uint32_t ref = gnttab_grant_access((domid_t)self, virt_to_mfn(alloc_page()), 0);
  gntmap_init(&map);
  char *page = gntmap_map_grant_refs(&map, 1, &self, 0, &ref, 0);
  printf("%d\n", *(volatile char *)page == 0);
  fflush(stdout);
  *(volatile char *)page = 1;
}

static const struct {
  const char *name;
  void (*play)(void);
} scenes[] = {
    {"frames", frames}, {"refused", refused},   {"zeros", zeros},
    {"grants", grants}, {"numbers", numbers}, {"unmapped", unmapped}, {"read-only", read_only},
};

int main(int argc, char **argv) {
  for (size_t i = 0; i < sizeof scenes / sizeof *scenes; i++)
    if (argc > 1 && strcmp(scenes[i].name, argv[1]) == 0) {
      scenes[i].play();
      return 0;
    }
  return 1;
}

/* Mapping of other domains' grants; its users keep a struct gntmap and look at none of it. */
#ifndef __MINIOS_GNTMAP_H__
#define __MINIOS_GNTMAP_H__

#include <mini-os/os.h>

struct gntmap {
  int nentries;
  struct gntmap_entry *entries;
};

void gntmap_init(struct gntmap *map);
void gntmap_fini(struct gntmap *map);
/* 0; -EBUSY where grants are mapped or a number was set before; -EINVAL, -ENOMEM */
int gntmap_set_max_grants(struct gntmap *map, int count);
/* Consecutive pages, or NULL; refs[i] is of domids[i * domids_stride]. */
void *gntmap_map_grant_refs(struct gntmap *map, uint32_t count, uint32_t *domids, int domids_stride,
                            uint32_t *refs, int writable);
int gntmap_munmap(struct gntmap *map, unsigned long start_address, int count);

#endif

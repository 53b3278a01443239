/* Other domains' grants in consecutive pages of the demand-mapped area, each entry of a struct gntmap one page. */
#include <errno.h>
#include <mini-os/api.h>
#include <mini-os/gntmap.h>
#include <mini-os/mm.h>
#include <stdlib.h>

#define DEFAULT_MAX_GRANTS 128

struct gntmap_entry {
  unsigned long address; /* 0 where it is free */
};

void gntmap_init(struct gntmap *map) {
  map->nentries = 0;
  map->entries = NULL;
}

void gntmap_fini(struct gntmap *map) {
  for (int i = 0; i < map->nentries; i++)
    if (map->entries[i].address != 0)
      minios_unmap_grant((void *)map->entries[i].address);
  free(map->entries);
  gntmap_init(map);
}

int gntmap_set_max_grants(struct gntmap *map, int count) {
  if (map->nentries != 0)
    return -EBUSY;
  if (count <= 0)
    return -EINVAL;
  map->entries = calloc((size_t)count, sizeof *map->entries);
  if (map->entries == NULL)
    return -ENOMEM;
  map->nentries = count;
  return 0;
}

static struct gntmap_entry *find_entry(struct gntmap *map, unsigned long address) {
  for (int i = 0; i < map->nentries; i++)
    if (map->entries[i].address == address)
      return &map->entries[i];
  return NULL;
}

/* The address of page i, or 0 with nothing changed. */
static int map_one(struct gntmap *map, unsigned long address, uint32_t domid, uint32_t ref,
                   int writable) {
  struct gntmap_entry *entry = find_entry(map, 0);
  if (entry == NULL || minios_map_grant((void *)address, domid, ref, writable) != 0)
    return 0;
  entry->address = address;
  return 1;
}

void *gntmap_map_grant_refs(struct gntmap *map, uint32_t count, uint32_t *domids, int domids_stride,
                            uint32_t *refs, int writable) {
  if (map->nentries == 0 && gntmap_set_max_grants(map, DEFAULT_MAX_GRANTS) != 0)
    return NULL;
  if (count == 0 || count > (uint32_t)map->nentries)
    return NULL;
  unsigned long start = allocate_ondemand(count, 1);
  if (start == 0)
    return NULL;
  for (uint32_t i = 0; i < count; i++) {
    uint32_t domid = domids[(size_t)i * (size_t)domids_stride];
    if (map_one(map, start + i * PAGE_SIZE, domid, refs[i], writable))
      continue;
    gntmap_munmap(map, start, (int)i);
    return NULL;
  }
  return (void *)start;
}

/* -EINVAL at the first page that is none of the map's; those before it are unmapped. */
int gntmap_munmap(struct gntmap *map, unsigned long start_address, int count) {
  for (int i = 0; i < count; i++) {
    unsigned long address = start_address + (unsigned long)i * PAGE_SIZE;
    struct gntmap_entry *entry = address == 0 ? NULL : find_entry(map, address);
    if (entry == NULL)
      return -EINVAL;
    int error = minios_unmap_grant((void *)address);
    if (error != 0)
      return error;
    entry->address = 0;
  }
  return 0;
}

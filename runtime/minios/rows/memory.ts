/** Pages and machine frames: mini-os/mm.h. */
import { row } from '../row.ts';

export const memoryRows = {
  // 2^order pages, aligned to their size, writable, not zeroed; 0 where there is no room.
  alloc_pages: row('unsigned long alloc_pages(int order)', ({ pages }, order) =>
    pages.allocate(order),
  ),
  free_pages: row('void free_pages(void *pointer, int order)', ({ pages }, pointer, order) => {
    pages.free(pointer, order);
    return undefined;
  }),
  // The machine frame that an address lies in.
  minios_virt_to_mfn: row(
    'unsigned long minios_virt_to_mfn(const void *address)',
    ({ pages }, address) => pages.frameAt(address),
  ),
  // Into result: the pages between the heap's start and the end of the domain's memory, and how many of them are free.
  minios_page_counts: row(
    'int minios_page_counts(int64_t *result)',
    ({ space, memory }, result) => {
      memory.writeU64(result, space.counts.all);
      memory.writeU64(result + 8n, space.counts.free);
      return 0;
    },
  ),
} as const;

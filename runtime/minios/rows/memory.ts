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
  // mmap's pages: zeros that may be written, or -ENOMEM as a pointer.
  minios_take_pages: row('void *minios_take_pages(size_t bytes)', ({ mapArea }, bytes) =>
    mapArea.take(bytes),
  ),
  // Whole pages of those; afterwards a store there is a fault.
  minios_give_pages: row(
    'int minios_give_pages(void *address, size_t bytes)',
    ({ mapArea }, address, bytes) => {
      mapArea.give(address, bytes);
      return 0;
    },
  ),
  // PROT_READ and PROT_WRITE of sys/mman.h. Stores are refused; loads only of images with page tables, as minios_protect makes them.
  minios_guard_pages: row(
    'int minios_guard_pages(void *address, size_t bytes, int protection)',
    ({ mapArea }, address, bytes, protection) => {
      mapArea.protect(address, bytes, protection);
      return 0;
    },
  ),
} as const;

/** What is mapped beside an application's own memory: mini-os/mm.h, and what gntmap.c of the sysroot is made of. */
import { UnsupportedError } from '../../errors.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { Mappings } from '../kernel/mappings.ts';
import { errnoRow, row } from '../row.ts';

/** Images that import one of these rows have page tables. */
export const mappingRows = {
  // Unmapped addresses for n pages, the first a multiple of `alignment` pages; they are free until something is mapped there.
  allocate_ondemand: row(
    'unsigned long allocate_ondemand(unsigned long n, unsigned long alignment)',
    (kernel, count, alignment) => mappingsOf(kernel).find(count, alignment),
  ),
  minios_map_grant: errnoRow(
    'int minios_map_grant(void *address, uint32_t domid, uint32_t ref, int writable)',
    (kernel, address, domid, ref, writable) => {
      mappingsOf(kernel).mapGrant(address, domid, ref, writable !== 0);
      return 0;
    },
  ),
  minios_unmap_grant: errnoRow('int minios_unmap_grant(void *address)', (kernel, address) => {
    mappingsOf(kernel).unmapGrant(address);
    return 0;
  }),
  // Another mapping of a machine frame; of domain `domid`'s, which but for the application's own is -EPERM.
  minios_map_frame: errnoRow(
    'int minios_map_frame(void *address, unsigned long frame, uint32_t domid, int writable)',
    (kernel, address, frame, domid, writable) => {
      mappingsOf(kernel).mapFrame(address, frame, domid, writable !== 0);
      return 0;
    },
  ),
  minios_unmap_frame: errnoRow('int minios_unmap_frame(void *address)', (kernel, address) => {
    mappingsOf(kernel).unmap(address);
    return 0;
  }),
  // As minios_guard_pages, but that loads are refused, too.
  minios_protect: errnoRow(
    'int minios_protect(void *address, size_t bytes, int protection)',
    ({ mapArea }, address, bytes, protection) => {
      mapArea.protect(address, bytes, protection);
      return 0;
    },
  ),
  // A frame that reads as zeros; what is mapped of it becomes memory when it is written.
  minios_zero_frame: row(
    'unsigned long minios_zero_frame(void)',
    (kernel) => mappingsOf(kernel).zeroFrame,
  ),
} as const;

function mappingsOf({ mappings }: Kernel): Mappings {
  if (mappings === undefined)
    throw new UnsupportedError('an image maps frames without importing what maps them');
  return mappings;
}

/** Grants: mini-os/gnttab.h. */
import { pageSize } from '../../memory/machine-memory.ts';
import { row } from '../row.ts';

/** More than any front-end's request has. */
const mostPages = 256;

export const grantRows = {
  // Waits where all references are in use.
  gnttab_grant_access: row(
    'grant_ref_t gnttab_grant_access(domid_t domid, unsigned long frame, int readonly)',
    ({ grants }, domid, frame, readonly) => grants.grantAccess(domid, frame, readonly !== 0),
  ),
  // Lets that domain give this one a frame; the pfn is not looked at, since memory is not counted by frames here.
  gnttab_grant_transfer: row(
    'grant_ref_t gnttab_grant_transfer(domid_t domid, unsigned long pfn)',
    ({ grants }, domid) => grants.grantTransfer(domid),
  ),
  // 1, and the reference is free; 0 where the page is still in use.
  gnttab_end_access: row('int gnttab_end_access(grant_ref_t ref)', ({ grants }, ref) =>
    grants.endAccess(ref) ? 1 : 0,
  ),
  // The machine frame that was given, or 0; the reference is free.
  gnttab_end_transfer: row(
    'unsigned long gnttab_end_transfer(grant_ref_t gref)',
    ({ grants }, ref) => grants.endTransfer(ref),
  ),
  // A fresh page that domain 0 may write; its address goes to *map.
  gnttab_alloc_and_grant: row(
    'grant_ref_t gnttab_alloc_and_grant(void **map)',
    ({ grants, pages, memory, mode }, map) => {
      const address = pages.allocate(0);
      memory.writeWord(map, address, mode);
      return grants.grantAccess(0, pages.frameAt(address), false);
    },
  ),
  // gnttab_grant_access for each page from `address` on; the references go to *refs. Waits until there are as many.
  minios_grant_pages: row(
    'int minios_grant_pages(uint32_t domid, const void *address, int count, int readonly, grant_ref_t *refs)',
    ({ grants, pages, memory }, domid, address, count, readonly, refs) => {
      const frames = Array.from({ length: Math.min(Math.max(count, 0), mostPages) }, (_, i) =>
        pages.frameAt(address + BigInt(i * pageSize)),
      );
      memory.checkWritable(refs, 4 * frames.length);
      return grants.grantAll(domid, frames, readonly !== 0, (given) => {
        memory.writeBytes(refs, new Uint8Array(Uint32Array.from(given).buffer));
        return 0;
      });
    },
  ),
  // gnttab_end_access for each of them; how many were still in use.
  minios_end_grants: row(
    'int minios_end_grants(const grant_ref_t *refs, int count)',
    ({ grants, memory }, refs, count) => {
      const bytes = memory.readBytes(refs, 4 * Math.min(Math.max(count, 0), mostPages));
      const given = new Uint32Array(bytes.buffer);
      return given.reduce((busy, reference) => busy + (grants.endAccess(reference) ? 0 : 1), 0);
    },
  ),
} as const;

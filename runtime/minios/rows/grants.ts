/** Grants: mini-os/gnttab.h. */
import { row } from '../row.ts';

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
} as const;

/** Which way to guest memory a layout has. */
import { LinearAccess } from './linear-access.ts';
import type { AccessSite, MemoryAccess } from './memory-access.ts';
import { PagedAccess } from './paged-access.ts';

export const memoryAccess = (site: AccessSite): MemoryAccess => {
  const { paging } = site.frame.layout;
  return paging === undefined ? new LinearAccess(site) : new PagedAccess(site, paging);
};

/** Which way to guest memory a layout has. */
import { LinearAccess } from './linear-access.ts';
import type { AccessSite, MemoryAccess } from './memory-access.ts';

export const memoryAccess = (site: AccessSite): MemoryAccess => new LinearAccess(site);

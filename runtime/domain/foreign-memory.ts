/** A guest's memory by machine frames: what devices older than grants hand over (xen/io/fbif.h). Only the guest's own frames. */
import type { GrantedAccess, GrantMapping } from './granted-memory.ts';

export interface ForeignMemory {
  /** XenError(EINVAL) where the frame is not that guest's, or, for writing, is a page table. */
  map(frame: number, access: GrantedAccess): GrantMapping;
}

/** GNTTABOP_cache_flush: caches here are always clean, so that what is left are the checks. */
import { GNTTAB_CACHE, type gnttab_cache_flush } from '../../abi/grant-table.ts';
import { DOMID } from '../../abi/xen.ts';
import { XenError } from '../../errors.ts';
import { pageSize } from '../../memory/machine-memory.ts';
import type { DomainContext } from '../domain-context.ts';
import type { GrantPeers } from './grant-table.ts';

type CacheFlush = ReturnType<ReturnType<typeof gnttab_cache_flush.layout>['at']>;

export function flushCache(
  { a, offset, length, op }: CacheFlush,
  { id, frames }: DomainContext,
  peers: GrantPeers,
): void {
  if (offset >= pageSize || offset + length > pageSize)
    throw new XenError('EINVAL', `${length} bytes at ${offset} of a page`);
  if (length === 0 || op === 0) return;
  if ((op & ~(GNTTAB_CACHE.CLEAN | GNTTAB_CACHE.INVAL)) !== 0)
    throw new XenError('EINVAL', `no way to flush is ${op}`);
  const number = a / BigInt(pageSize);
  const frame = number < 1n << 32n ? Number(number) : -1;
  if (frames.hostOf(frame) === undefined)
    throw new XenError('EINVAL', `there is no machine frame ${number}`);
  const owner = frames.ownerOf(frame);
  if (owner === DOMID.INVALID) throw new XenError('EPERM', `machine frame ${number} is nobody's`);
  if (owner !== id && peers(owner)?.isGranted(frame, id) !== true)
    throw new XenError('EINVAL', `machine frame ${number} is not granted to d${id}`);
  if (op === GNTTAB_CACHE.INVAL)
    throw new XenError('EOPNOTSUPP', 'x86 throws no cache away unwritten');
}

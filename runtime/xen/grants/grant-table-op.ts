/** HYPERVISOR_grant_table_op: xen/include/public/grant_table.h, as a domain without privileges finds it. */
import {
  GNTST,
  GNTTABOP,
  gnttab_cache_flush,
  gnttab_copy,
  gnttab_map_grant_ref,
  gnttab_swap_grant_ref,
  gnttab_transfer,
  gnttab_unmap_and_replace,
  gnttab_unmap_grant_ref,
} from '../../abi/grant-table.ts';
import { XenError } from '../../errors.ts';
import type { Struct } from '../../memory/layout.ts';
import type { DomainContext } from '../domain-context.ts';
import type { Hypercall } from '../hypercalls/hypercall.ts';
import { flushCache } from './grant-cache-flush.ts';
import { GrantCopy } from './grant-copy.ts';
import type { GrantMappings } from './grant-mappings.ts';
import { tableOperations } from './grant-setup.ts';
import type { GrantPeers, GrantTable } from './grant-table.ts';
import { GrantTransfer } from './grant-transfer.ts';

export interface GrantParts {
  readonly table: GrantTable;
  readonly peers: GrantPeers;
  readonly mappings: GrantMappings;
}

/** Its second argument points at the first of so many structs as the third says. */
export type GrantOperation = (domain: DomainContext, at: bigint, count: number) => number;

type Fields = Parameters<typeof import('../../memory/layout.ts').struct>[1];
type ViewOf<F extends Fields> = ReturnType<ReturnType<Struct<F>['layout']>['at']>;

/** Each is copied in, and its status, or all of it, copied out, before the next is looked at. */
function list<F extends Fields>(
  type: Struct<F>,
  call: (view: ViewOf<F>, domain: DomainContext) => void,
): GrantOperation {
  return (domain, at, count) => {
    const { size, at: viewAt } = type.layout(domain.width);
    for (let i = 0; i < count; i++) {
      const address = at + BigInt(i * size);
      const bytes = domain.guest.readBytes(address, size);
      const before = bytes.slice();
      call(viewAt(bytes, 0), domain);
      if (bytes.some((byte, n) => byte !== before[n])) domain.guest.writeBytes(address, bytes);
      else domain.guest.checkWritable(address, size);
    }
    return 0;
  };
}

export function grantTableOp(parts: GrantParts): Hypercall {
  const operations = new Map<number, GrantOperation>([
    ...tableOperations(parts),
    ...listOperations(parts),
  ]);
  return {
    arguments: 3,
    call: (domain, [number = 0n, at = 0n, count = 0n]) => {
      const length = Number(BigInt.asUintN(32, count));
      domain.requests.take(length, 'grant_table_op');
      if ((number & 0xffff_f000n) !== 0n)
        throw new XenError('EINVAL', `grant_table_op ${number} goes on with nothing`);
      const operation = operations.get(Number(BigInt.asUintN(32, number)));
      if (operation === undefined)
        throw new XenError('ENOSYS', `grant_table_op has no operation ${number}`);
      return operation(domain, at, length);
    },
  };
}

function listOperations(parts: GrantParts): [number, GrantOperation][] {
  const { table, peers, mappings } = parts;
  return [
    [GNTTABOP.map_grant_ref, list(gnttab_map_grant_ref, (op) => mappings.map(op))],
    [GNTTABOP.unmap_grant_ref, list(gnttab_unmap_grant_ref, (op) => mappings.unmap(op))],
    [
      GNTTABOP.unmap_and_replace,
      list(gnttab_unmap_and_replace, (op) => {
        op.status = mappings.unmapAndReplace(op.handle, op.host_addr, op.new_addr);
      }),
    ],
    [
      GNTTABOP.copy,
      list(gnttab_copy, (op, { id, frames }) => {
        op.status = new GrantCopy(id, frames, peers).run(op);
      }),
    ],
    [
      GNTTABOP.transfer,
      list(gnttab_transfer, (op, { id, frames }) => {
        op.status = new GrantTransfer(id, frames, peers).run(op);
      }),
    ],
    [
      GNTTABOP.swap_grant_ref,
      list(gnttab_swap_grant_ref, (op) => {
        op.status = swap(table, op.ref_a, op.ref_b);
      }),
    ],
    [GNTTABOP.cache_flush, list(gnttab_cache_flush, (op, domain) => flushCache(op, domain, peers))],
  ];
}

function swap(table: GrantTable, a: number, b: number): number {
  const { entries } = table;
  if (a >= entries.count || b >= entries.count) return GNTST.bad_gntref;
  if (a === b) return GNTST.okay;
  if (table.isInUse(a) || table.isInUse(b)) return GNTST.eagain;
  entries.swap(a, b);
  return GNTST.okay;
}

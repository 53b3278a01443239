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
import { Continuation, type Hypercall, type HypercallResult } from '../hypercalls/hypercall.ts';
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
export type GrantOperation = (
  domain: DomainContext,
  at: bigint,
  count: number,
  number: bigint,
) => HypercallResult;

type Fields = Parameters<typeof import('../../memory/layout.ts').struct>[1];
type ViewOf<F extends Fields> = ReturnType<ReturnType<Struct<F>['layout']>['at']>;

const mostStructs = 0x7fff_ffff;

/** Each is copied in, and its status, or all of it, copied out, before the next is looked at. */
function list<F extends Fields>(
  type: Struct<F>,
  call: (view: ViewOf<F>, domain: DomainContext) => void,
): GrantOperation {
  return (domain, at, count, number) => {
    const { size, at: viewAt } = type.layout(domain.width);
    const end = domain.requests.upTo(count);
    for (let i = 0; i < end; i++) {
      const address = at + BigInt(i * size);
      const bytes = domain.guest.readBytes(address, size);
      const before = bytes.slice();
      call(viewAt(bytes, 0), domain);
      if (bytes.some((byte, n) => byte !== before[n])) domain.guest.writeBytes(address, bytes);
      else domain.guest.checkWritable(address, size);
    }
    if (end === count) return 0;
    return new Continuation([number, at + BigInt(end * size), BigInt(count - end)]);
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
      if (length > mostStructs) throw new XenError('EINVAL', `${length} structs of grant_table_op`);
      const command = Number(number & 0xfffn);
      if ((number & 0xffff_f000n) !== 0n && command !== GNTTABOP.cache_flush)
        throw new XenError('EINVAL', `grant_table_op ${number} goes on with nothing`);
      const operation = operations.get(command);
      if (operation === undefined)
        throw new XenError('ENOSYS', `grant_table_op has no operation ${number}`);
      return operation(domain, at, length, number);
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

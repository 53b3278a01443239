/** Two domains of one machine with grant tables, whose guest is the test. */
import type { Width } from '../../runtime/memory/layout.ts';
import { GrantError } from '../../runtime/xen/grants/grant-error.ts';
import type { GrantMapper } from '../../runtime/xen/grants/grant-mappings.ts';
import { type GrantPeers, GrantTable } from '../../runtime/xen/grants/grant-table.ts';
import { type TestDomain, testDomain, testFrames } from './xen-domain.ts';

export interface GrantDomain extends TestDomain {
  readonly table: GrantTable;
  /** What is mapped where, as page tables would have it. */
  readonly mapped: Map<bigint, number>;
  readonly mapper: GrantMapper;
}

export interface GrantDomains {
  /** d1. */
  readonly one: GrantDomain;
  /** d2. */
  readonly two: GrantDomain;
  readonly peers: GrantPeers;
}

export function grantDomains(width: Width): GrantDomains {
  const frames = testFrames();
  const tables = new Map<number, GrantTable>();
  const make = (id: number): GrantDomain => {
    const table = new GrantTable(id, frames);
    tables.set(id, table);
    const mapped = new Map<bigint, number>();
    return { ...testDomain(width, id, frames), table, mapped, mapper: mapperOf(mapped) };
  };
  tables.set(0, new GrantTable(0, frames));
  return { one: make(1), two: make(2), peers: (domid) => tables.get(domid) };
}

const mapperOf = (mapped: Map<bigint, number>): GrantMapper => ({
  map: (address, frame) => {
    if (address % 8n !== 0n) throw new GrantError('general_error', 'no place of an entry');
    mapped.set(address, frame);
  },
  unmap: (address, frame) => {
    if (mapped.get(address) !== frame) throw new GrantError('general_error', 'not mapped there');
    mapped.delete(address);
  },
});

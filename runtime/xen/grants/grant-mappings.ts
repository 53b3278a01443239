/** What a domain has mapped of others' grants, by handle: GNTTABOP_map_grant_ref and its counterparts. */
import {
  GNTMAP,
  GNTST,
  type gnttab_map_grant_ref,
  type gnttab_unmap_grant_ref,
} from '../../abi/grant-table.ts';
import { pageSize } from '../../memory/machine-memory.ts';
import { GrantError } from './grant-error.ts';
import type { GrantPeers, GrantTable, GrantUse, PinnedGrant } from './grant-table.ts';

/** What changes a guest's page tables for its mappings, by Xen's rules for them; GrantError where it may not be. */
export interface GrantMapper {
  /** `address`: of the page, or with GNTMAP.contains_pte the machine address of the entry. */
  map(address: bigint, frame: number, flags: number): void;
  /** Only where that frame is mapped there; `replacement` is another address whose mapping takes its place. */
  unmap(address: bigint, frame: number, flags: number, replacement: bigint): void;
}

/** Xen makes room for handles by this many, and gives those that were given back only when there is no other. */
const handlesInPage = 256;
/** What Xen's tools allow. */
const mostHandles = 1024 * handlesInPage;

interface Mapped {
  readonly flags: number;
  readonly frame: number;
  host: PinnedGrant | undefined;
  device: PinnedGrant | undefined;
}

type MapOperation = ReturnType<ReturnType<typeof gnttab_map_grant_ref.layout>['at']>;
type UnmapOperation = ReturnType<ReturnType<typeof gnttab_unmap_grant_ref.layout>['at']>;

export class GrantMappings {
  readonly #domid: number;
  readonly #peers: GrantPeers;
  readonly #mapper: GrantMapper;
  readonly #mapped = new Map<number, Mapped>();
  readonly #free: number[] = [];
  #next = 0;
  #limit = 0;

  constructor(domid: number, peers: GrantPeers, mapper: GrantMapper) {
    this.#domid = domid;
    this.#peers = peers;
    this.#mapper = mapper;
  }

  /** Into the operation's OUT fields. */
  map(operation: MapOperation): void {
    operation.status = statusOf(() => this.#map(operation));
  }

  unmap(operation: UnmapOperation): void {
    const { host_addr, dev_bus_addr, handle } = operation;
    operation.status = statusOf(() => this.#unmap(handle, host_addr, dev_bus_addr, 0n));
  }

  /** The page of another address takes the place of the mapping. */
  unmapAndReplace(handle: number, address: bigint, replacement: bigint): number {
    return statusOf(() => this.#unmap(handle, address, 0n, replacement));
  }

  /** At the domain's end: its page tables go as well. */
  releaseAll(): void {
    for (const { host, device } of this.#mapped.values()) {
      host?.release();
      device?.release();
    }
    this.#mapped.clear();
  }

  #map(operation: MapOperation): void {
    const { flags, dom } = operation;
    if ((flags & (GNTMAP.host_map | GNTMAP.device_map)) === 0)
      throw new GrantError('bad_gntref', 'a mapping for nobody');
    const table = this.#peers(dom);
    if (table === undefined) throw new GrantError('bad_domain', `there is no domain ${dom}`);
    const handle = this.#takeHandle();
    try {
      this.#mapped.set(handle, this.#pinAndMap(table, operation));
    } catch (error) {
      this.#free.push(handle);
      throw error;
    }
    operation.handle = handle;
    operation.dev_bus_addr = BigInt(this.#mapped.get(handle)?.frame ?? 0) * BigInt(pageSize);
  }

  #pinAndMap(table: GrantTable, { flags, ref, host_addr }: MapOperation): Mapped {
    const pin = (kind: 'host' | 'device', flag: number): PinnedGrant | undefined => {
      if ((flags & flag) === 0) return undefined;
      const readOnly = (flags & GNTMAP.readonly) !== 0;
      const use: GrantUse = { by: this.#domid, readOnly, as: [kind], isMapping: true };
      return table.pin(ref, use, this.#peers);
    };
    const device = pin('device', GNTMAP.device_map);
    let host: PinnedGrant | undefined;
    try {
      host = pin('host', GNTMAP.host_map);
      if (host !== undefined) this.#mapper.map(host_addr, host.frame, flags);
    } catch (error) {
      host?.release();
      device?.release();
      throw error;
    }
    const frame = host?.frame ?? device?.frame ?? 0;
    return { flags, frame, host, device };
  }

  #takeHandle(): number {
    if (this.#next === this.#limit) {
      const again = this.#free.shift();
      if (again !== undefined) return again;
      if (this.#limit === mostHandles) throw new GrantError('no_space', 'no more handles');
      this.#limit += handlesInPage;
    }
    return this.#next++;
  }

  #unmap(handle: number, address: bigint, busAddress: bigint, replacement: bigint): void {
    const mapped = this.#mapped.get(handle);
    if (mapped === undefined) throw new GrantError('bad_handle', `there is no handle ${handle}`);
    const { frame, flags } = mapped;
    const isElsewhere = busAddress !== 0n && busAddress !== BigInt(frame) * BigInt(pageSize);
    if (isElsewhere && mapped.device !== undefined)
      throw new GrantError('bad_dev_addr', `0x${busAddress.toString(16)} is not the page's`);
    if (address !== 0n && mapped.host !== undefined) {
      this.#mapper.unmap(address, frame, flags, replacement);
      mapped.host.release();
      mapped.host = undefined;
    }
    if (busAddress !== 0n) {
      mapped.device?.release();
      mapped.device = undefined;
    }
    if (mapped.host !== undefined || mapped.device !== undefined) return;
    this.#mapped.delete(handle);
    this.#free.push(handle);
  }
}

function statusOf(call: () => void): number {
  try {
    call();
    return GNTST.okay;
  } catch (error) {
    if (error instanceof GrantError) return error.status;
    throw error;
  }
}

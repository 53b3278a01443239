/**
 * What an application maps beside its own memory, in the area that Mini-OS calls demand-mapped: granted pages, frames by number, and
 * pages of zeros that become memory when they are written.
 */
import type { DomainFrames } from '../../domain/domain-frames.ts';
import type { DomainGrants, ForeignPage } from '../../domain/domain-grants.ts';
import { pageSize } from '../../memory/machine-memory.ts';
import { failure } from '../errno.ts';
import type { PagedSpace } from '../paged-space.ts';
import type { Pages } from './pages.ts';

const page = BigInt(pageSize);
const DOMID_SELF = 0x7ff0;
/** Mini-OS's demand-mapped area on x86-64; on x86-32 it lies behind the memory. */
const area64 = { low: 0x1000_0000_0000n, high: 0x1080_0000_0000n } as const;
const area32 = { low: 0x4000_0000n, high: 0xf000_0000n } as const;
const alignment32 = 0x40_0000n;

type Mapped =
  | { readonly kind: 'grant'; readonly foreign: ForeignPage }
  | { readonly kind: 'frame' }
  /** Reads as zeros. */
  | { readonly kind: 'zero' }
  /** Was zeros; its page is the application's own. */
  | { readonly kind: 'own'; readonly own: bigint };

export interface MappingsParts {
  readonly space: PagedSpace;
  readonly pages: Pages;
  readonly grants: DomainGrants;
  readonly frames: DomainFrames;
  readonly domid: number;
  readonly width: 64 | 32;
  /** Where the application's own memory ends. */
  readonly end: bigint;
  /** Host offset of a page of zeros that nobody writes. */
  readonly zeros: number;
}

export class Mappings {
  readonly #parts: MappingsParts;
  readonly #low: bigint;
  readonly #high: bigint;
  readonly #mapped = new Map<bigint, Mapped>();

  constructor(parts: MappingsParts) {
    const { space, width, end } = parts;
    this.#parts = parts;
    const above = ((end + alignment32 - 1n) / alignment32) * alignment32;
    this.#low = width === 64 ? area64.low : above > area32.low ? above : area32.low;
    this.#high = width === 64 ? area64.high : area32.high;
    space.onMissing = (address) => this.copyOnWrite(address);
  }

  /** Addresses for so many pages, the first a multiple of `alignment` pages, none of them mapped; 0 where there are none. They are not reserved. */
  find(count: bigint, alignment: bigint): bigint {
    const step = (alignment > 0n ? alignment : 1n) * page;
    const length = count * page;
    const aligned = (address: bigint): bigint => ((address + step - 1n) / step) * step;
    if (count <= 0n) return 0n;
    let start = aligned(this.#low);
    const mapped = [...this.#mapped.keys()].sort((a, b) => (a < b ? -1 : 1));
    for (const address of mapped) {
      if (address >= start + length) break;
      if (address >= start) start = aligned(address + page);
    }
    return start + length > this.#high ? 0n : start;
  }

  mapGrant(address: bigint, domid: number, reference: number, isWritable: boolean): void {
    this.#check(address);
    const foreign = this.#parts.grants.map(domid, reference, isWritable ? 'write' : 'read');
    this.#parts.space.map(address, foreign.host, isWritable);
    this.#mapped.set(address, { kind: 'grant', foreign });
  }

  unmapGrant(address: bigint): void {
    if (this.#mapped.get(address)?.kind !== 'grant')
      throw failure('EINVAL', `no grant is mapped at 0x${address.toString(16)}`);
    this.unmap(address);
  }

  /** A frame of the application's own; others' need a privilege that it does not have. */
  mapFrame(address: bigint, frame: bigint, domid: number, isWritable: boolean): void {
    this.#check(address);
    const { frames, domid: own, space, zeros } = this.#parts;
    const number = frame > 0xffff_ffffn ? -1 : Number(frame);
    const host = frames.hostOf(number);
    if (domid !== DOMID_SELF && domid !== own)
      throw failure('EPERM', `d${own} may not map frames of d${domid}`);
    if (host === undefined || (frames.ownerOf(number) !== own && host !== zeros))
      throw failure('EINVAL', `machine frame ${frame} is not d${own}'s`);
    const isZero = host === zeros;
    space.map(address, host, isWritable && !isZero);
    this.#mapped.set(address, { kind: isZero ? 'zero' : 'frame' });
  }

  /** The machine frame of zeros (mfn_zero). */
  get zeroFrame(): bigint {
    const { frames, zeros } = this.#parts;
    return BigInt(frames.frameOf(zeros));
  }

  /** What is not mapped stays so. */
  unmap(address: bigint): void {
    const mapped = this.#mapped.get(address);
    if (mapped === undefined) return;
    this.#parts.space.forget(address);
    this.#mapped.delete(address);
    if (mapped.kind === 'grant') mapped.foreign.unmap();
    if (mapped.kind === 'own') this.#parts.pages.free(mapped.own, 0);
  }

  /** The first write to a page of zeros; false where there is none, or no memory. */
  copyOnWrite(address: bigint): boolean {
    const at = address - (address % page);
    if (this.#mapped.get(at)?.kind !== 'zero') return false;
    const { pages, space } = this.#parts;
    const own = pages.allocateZeroed();
    const host = own === 0n ? undefined : space.translate(own, 'write');
    if (typeof host !== 'number') return false;
    space.map(at, host, true);
    this.#mapped.set(at, { kind: 'own', own });
    return true;
  }

  #check(address: bigint): void {
    if (address % page !== 0n || address < this.#low || address >= this.#high)
      throw failure('EINVAL', `0x${address.toString(16)} is not in the demand-mapped area`);
    this.unmap(address);
  }
}

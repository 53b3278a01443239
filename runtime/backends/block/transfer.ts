/**
 * Moves sectors between a disk and granted pages. A disk that answers at once works in the machine's memory itself; for one that
 * answers later there is a buffer between, since until then the memory may have grown away or the frames may have a new owner.
 */
import { blkif_request_segment } from '../../abi/io/blkif.ts';
import type { GrantedMemory, GrantMapping } from '../../domain/granted-memory.ts';
import { XenError } from '../../errors.ts';
import { type MachineMemory, pageSize } from '../../memory/machine-memory.ts';
import { type Disk, type Done, sectorSize } from './disk.ts';
import { decodeSegments, type Segment, segmentsInPage } from './protocol.ts';

/** `feature-max-indirect-segments`: as many as Linux's back-end takes. */
export const mostIndirectSegments = 256;

const sectorsInPage = pageSize / sectorSize;
const segmentSize = blkif_request_segment.size(64);

export interface TransferParts {
  readonly memory: MachineMemory;
  readonly granted: GrantedMemory;
  readonly disk: Disk;
  /** The front-end has gone: its pages are not to be touched any more. */
  isClosed(): boolean;
}

/** Checked: each segment within its page, all of them within the disk. */
export interface Extent {
  readonly sector: number;
  readonly segments: readonly Segment[];
  readonly bytes: number;
}

/** Checks what a request says of its segments; `count` may be more than there are. */
export function checkExtent(
  disk: Disk,
  sector: number,
  count: number,
  segments: readonly Segment[],
): Extent {
  if (count === 0 || count !== segments.length) throw new XenError('EINVAL', `${count} segments`);
  let sectors = 0;
  for (const { first, last } of segments) {
    if (first > last || last >= sectorsInPage)
      throw new XenError('EINVAL', `a segment of sectors ${first} to ${last}`);
    sectors += last - first + 1;
  }
  if (sector + sectors > disk.sectors)
    throw new XenError('EINVAL', `sectors ${sector}+${sectors} lie beyond ${disk.sectors}`);
  return { sector, segments, bytes: sectors * sectorSize };
}

/** Copies the segments of an indirect request out of the pages that hold them. */
export function indirectSegments(
  { memory, granted }: TransferParts,
  count: number,
  pages: readonly number[],
): Segment[] {
  if (count > mostIndirectSegments)
    throw new XenError('EINVAL', `${count} indirect segments; at most ${mostIndirectSegments}`);
  const segments: Segment[] = [];
  for (let n = 0; n * segmentsInPage < count; n++) {
    const inPage = Math.min(count - n * segmentsInPage, segmentsInPage);
    const mapping = granted.map(pages[n] ?? 0, 'read');
    const copy = memory.bytes().slice(mapping.host, mapping.host + inPage * segmentSize);
    mapping.unmap();
    segments.push(...decodeSegments(new DataView(copy.buffer), 0, inPage));
  }
  return segments;
}

/** Every page is mapped before the first byte moves. */
export function transfer(parts: TransferParts, way: 'read' | 'write', extent: Extent): Done {
  const { granted, disk } = parts;
  if (parts.isClosed()) throw new XenError('ESHUTDOWN', 'the front-end has gone');
  if (way === 'write' && disk.isReadOnly) throw new XenError('EROFS', 'the disk is read-only');
  const mappings = mapAll(granted, extent.segments, way === 'read' ? 'write' : 'read');
  const stretches = stretchesOf(mappings, extent.segments);
  const unmap = (): void => {
    for (const mapping of mappings) mapping.unmap();
  };
  let done: Done;
  try {
    done = disk.isImmediate
      ? moveAtOnce(parts, way, extent.sector, stretches)
      : moveLater(parts, way, extent, stretches);
  } catch (error) {
    unmap();
    throw error;
  }
  if (done !== undefined) return done.finally(unmap);
  unmap();
  return undefined;
}

function mapAll(
  granted: GrantedMemory,
  segments: readonly Segment[],
  access: 'read' | 'write',
): GrantMapping[] {
  const mappings: GrantMapping[] = [];
  try {
    for (const { gref } of segments) mappings.push(granted.map(gref, access));
    return mappings;
  } catch (error) {
    for (const mapping of mappings) mapping.unmap();
    throw error;
  }
}

interface Stretch {
  readonly host: number;
  length: number;
}

/** Pages that lie side by side in the machine are moved together. */
function stretchesOf(mappings: readonly GrantMapping[], segments: readonly Segment[]): Stretch[] {
  const stretches: Stretch[] = [];
  let end = -1;
  for (const [n, { first, last }] of segments.entries()) {
    const host = (mappings[n]?.host ?? 0) + first * sectorSize;
    const length = (last - first + 1) * sectorSize;
    const before = stretches.at(-1);
    if (before !== undefined && host === end) before.length += length;
    else stretches.push({ host, length });
    end = host + length;
  }
  return stretches;
}

function moveAtOnce(
  { memory, disk }: TransferParts,
  way: 'read' | 'write',
  sector: number,
  stretches: readonly Stretch[],
): Done {
  if (way === 'read') for (const { host, length } of stretches) memory.willWrite(host, length);
  const bytes = memory.bytes();
  const views = stretches.map(({ host, length }) => bytes.subarray(host, host + length));
  return disk[way](sector, views);
}

async function moveLater(
  parts: TransferParts,
  way: 'read' | 'write',
  { sector, bytes }: Extent,
  stretches: readonly Stretch[],
): Promise<void> {
  const { memory, disk } = parts;
  const between = new Uint8Array(bytes);
  if (way === 'write') {
    let at = 0;
    for (const { host, length } of stretches) {
      between.set(memory.bytes().subarray(host, host + length), at);
      at += length;
    }
  }
  await disk[way](sector, [between]);
  if (way === 'write' || parts.isClosed()) return;
  let at = 0;
  for (const { host, length } of stretches) {
    memory.willWrite(host, length);
    memory.bytes().set(between.subarray(at, at + length), host);
    at += length;
  }
}

/** Program headers (System V ABI, chapter 5) and the PT_LOAD segments that become a guest's memory. */
import { hex, type ImageFile, viewBytes, type Width } from './image-file.ts';

export interface ProgramHeader {
  readonly index: number;
  readonly type: number;
  readonly flags: number;
  readonly offset: bigint;
  readonly address: bigint;
  readonly physical: bigint;
  readonly fileSize: bigint;
  readonly memorySize: bigint;
  readonly alignment: bigint;
}

/** PT_TLS: what each thread has a copy of. */
export interface ThreadVariables {
  /** The part that is not zero. */
  readonly bytes: Uint8Array;
  readonly size: number;
  readonly alignment: number;
}

export interface Segment {
  readonly address: bigint;
  /** p_paddr, by which Xen places a domain's image. */
  readonly physical: bigint;
  readonly memorySize: bigint;
  readonly fileOffset: number;
  /** The part that the file holds, a view of it; the rest of `memorySize` is zero. */
  readonly bytes: Uint8Array;
  readonly readable: boolean;
  readonly writable: boolean;
  readonly executable: boolean;
}

export const PT = {
  LOAD: 1,
  DYNAMIC: 2,
  INTERP: 3,
  NOTE: 4,
  TLS: 7,
  GNU_STACK: 0x6474_e551,
} as const;
export const PF = { X: 1, W: 2, R: 4 } as const;

/** All that a WebAssembly.Memory can hold. */
const MOST_MEMORY = 1n << 32n;

/** A thread's variables and their alignment: each thread costs as much. */
const MOST_VARIABLES = 1n << 24n;
const MOST_ALIGNMENT = 4096n;

/** The PT_LOAD segments, sorted by address; they fit the address space and the machine, and do not overlap. */
export function loadSegments(
  file: ImageFile,
  width: Width,
  headers: readonly ProgramHeader[],
): Segment[] {
  const segments = headers
    .filter((header) => header.type === PT.LOAD && header.memorySize + header.fileSize > 0n)
    .map((header) => loadSegment(file, width, header))
    .sort((a, b) => (a.address < b.address ? -1 : Number(a.address > b.address)));
  if (segments.length === 0) file.fail('it has no PT_LOAD segment, so nothing to load');

  let total = 0n;
  for (const [index, segment] of segments.entries()) {
    total += segment.memorySize;
    const next = segments[index + 1];
    if (next !== undefined && segment.address + segment.memorySize > next.address)
      file.fail(`its segments overlap: ${span(segment)} and ${span(next)}`);
  }
  if (total > MOST_MEMORY)
    file.fail(`its segments take ${hex(total)} bytes of memory; at most 4 GiB can be had`);
  return segments;
}

/** The thread-local variables, where the image has any. */
export function threadVariables(
  file: ImageFile,
  headers: readonly ProgramHeader[],
): ThreadVariables | undefined {
  const header = headers.find(({ type, memorySize }) => type === PT.TLS && memorySize > 0n);
  if (header === undefined) return undefined;
  const { index, offset, fileSize, memorySize, alignment } = header;
  const what = `segment ${index}`;
  if (memorySize > MOST_VARIABLES)
    file.fail(
      `${what} has ${hex(memorySize)} bytes of thread-local variables; at most ${hex(MOST_VARIABLES)} can be had`,
    );
  if (fileSize > memorySize)
    file.fail(`${what} has ${hex(fileSize)} bytes in the file, but ${hex(memorySize)} in memory`);
  if (alignment > MOST_ALIGNMENT || (alignment & (alignment - 1n)) !== 0n)
    file.fail(`${what} wants thread-local variables aligned to ${hex(alignment)}`);
  return {
    bytes: viewBytes(file.part(what, fileSize === 0n ? 0 : offset, fileSize)),
    size: Number(memorySize),
    alignment: Math.max(1, Number(alignment)),
  };
}

function loadSegment(file: ImageFile, width: Width, header: ProgramHeader): Segment {
  const { index, flags, offset, address, physical, fileSize, memorySize } = header;
  const what = `segment ${index}`;
  if (memorySize > MOST_MEMORY)
    file.fail(`${what} takes ${hex(memorySize)} bytes of memory; at most 4 GiB can be had`);
  if (fileSize > memorySize)
    file.fail(`${what} has ${hex(fileSize)} bytes in the file, but ${hex(memorySize)} in memory`);
  checkAddresses(file, width, what, address, memorySize);
  return {
    address,
    physical,
    memorySize,
    fileOffset: Number(offset),
    // A linker may place a segment without file bytes beyond the end of the file.
    bytes: viewBytes(file.part(what, fileSize === 0n ? 0 : offset, fileSize)),
    readable: (flags & PF.R) !== 0,
    writable: (flags & PF.W) !== 0,
    executable: (flags & PF.X) !== 0,
  };
}

function checkAddresses(
  file: ImageFile,
  width: Width,
  what: string,
  address: bigint,
  size: bigint,
): void {
  const end = address + size;
  if (end > 1n << BigInt(width))
    file.fail(`${what} at ${hex(address)} wraps round the end of the ${width}-bit address space`);
  const isCanonical = (a: bigint): boolean => BigInt.asUintN(64, BigInt.asIntN(48, a)) === a;
  const sameHalf = address >> 47n === (end - 1n) >> 47n;
  if (width === 64 && !(isCanonical(address) && sameHalf))
    file.fail(
      `${what}, ${hex(address)} to ${hex(end)}, lies at addresses no x86-64 can form (not canonical)`,
    );
}

const span = ({ address, memorySize }: Segment): string =>
  `${hex(address)} to ${hex(address + memorySize)}`;

/** The segment whose memory holds all of `size` bytes at `address`. */
export function segmentAt(
  segments: readonly Segment[],
  address: bigint,
  size = 1n,
): Segment | undefined {
  const segment = segments.findLast((candidate) => candidate.address <= address);
  if (segment === undefined || address + size > segment.address + segment.memorySize)
    return undefined;
  return segment;
}

/** What the file holds at a virtual address; beyond a segment's file part there is nothing to read. */
export function partAt(
  file: ImageFile,
  segments: readonly Segment[],
  what: string,
  address: bigint,
  size: number | bigint,
): DataView {
  const rest = restAt(file, segments, what, address);
  if (BigInt(size) > BigInt(rest.byteLength))
    file.fail(
      `truncated: ${what} lies at address ${hex(address)} and is ${hex(size)} bytes long, beyond what the file holds of its segment`,
    );
  return new DataView(rest.buffer, rest.byteOffset, Number(size));
}

/** From a virtual address to the end of its segment's file part. */
export function restAt(
  file: ImageFile,
  segments: readonly Segment[],
  what: string,
  address: bigint,
): DataView {
  const segment = segmentAt(segments, address);
  if (segment === undefined)
    file.fail(`${what} lies at address ${hex(address)}, which is in no segment`);
  const bytes = segment.bytes.subarray(Number(address - segment.address));
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

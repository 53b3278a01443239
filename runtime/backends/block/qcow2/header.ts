/** The header of a qcow2 image, versions 2 and 3 (docs/interop/qcow2.txt of QEMU). All its numbers are big-endian. */
import { UserError } from '../../../errors.ts';
import { sectorSize } from '../disk.ts';

/** "QFI" and 0xfb. */
const magic = 0x5146_49fb;
/** Enough for the header, its extensions and the name of the backing file, which all lie in the first cluster. */
export const headerReach = 0x1_0000;

export interface Qcow2Header {
  readonly version: 2 | 3;
  readonly clusterBits: number;
  /** Bytes of the disk that the guest sees. */
  readonly size: number;
  readonly l1: { readonly offset: number; readonly entries: number };
  readonly refcounts: { readonly table: number; readonly clusters: number; readonly order: number };
  readonly snapshots: number;
  readonly isDirty: boolean;
  readonly isCorrupt: boolean;
  readonly autoclear: bigint;
  readonly backing: { readonly name: string; readonly format: string | undefined } | undefined;
}

/** Where the autoclear features stand; a writer clears those that it does not keep up. */
export const autoclearOffset = 88;

/** Bits of the incompatible features: without understanding them nobody may even read. */
const incompatible = { dirty: 1n, corrupt: 2n, externalData: 4n, compression: 8n, extendedL2: 16n };
const understood = incompatible.dirty | incompatible.corrupt;
const refusals: readonly (readonly [bigint, string])[] = [
  [incompatible.externalData, 'its data is in another file'],
  [incompatible.compression, 'it is compressed by zstd, not zlib'],
  [incompatible.extendedL2, 'it has subclusters (extended_l2=on)'],
];

const extensions = { end: 0, backingFormat: 0xe279_2aca } as const;
const mostL1Entries = 2 ** 22;
export const mostRefcountClusters = 2 ** 16;
/** Where the refcount table's place and clusters stand. */
export const refcountsOffset = 48;
const mostNameLength = 1023;

export const isQcow2 = (bytes: Uint8Array): boolean =>
  bytes.length >= 4 && new DataView(bytes.buffer, bytes.byteOffset).getUint32(0) === magic;

/** `bytes` are the first of the file. What is wrong, or not understood, is a UserError. */
export function parseHeader(bytes: Uint8Array, name: string): Qcow2Header {
  const fail = (reason: string): never => {
    throw new UserError(`disk ${name}: ${reason}`);
  };
  if (bytes.length < 72 || !isQcow2(bytes)) return fail('no qcow2 image');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = view.getUint32(4);
  if (version !== 2 && version !== 3)
    return fail(`qcow2 version ${version}; only 2 and 3 are known`);
  if (version === 3 && bytes.length < 104) return fail('its header is cut off');
  const features = version === 3 ? view.getBigUint64(72) : 0n;
  checkFeatures(features, view.getUint32(32), fail);
  const clusterBits = view.getUint32(20);
  if (clusterBits < 9 || clusterBits > 21) return fail(`clusters of 2^${clusterBits} bytes`);
  const place = (at: number): number => placeOf(view, at, clusterBits, fail);
  const size = Number(view.getBigUint64(24));
  const [entries, clusters] = [view.getUint32(36), view.getUint32(56)];
  checkSizes({ size, clusterBits, entries, clusters }, fail);
  return {
    ...{ version, clusterBits, size },
    l1: { offset: place(40), entries },
    refcounts: { table: place(48), clusters, order: version === 3 ? view.getUint32(96) : 4 },
    snapshots: view.getUint32(60),
    isDirty: (features & incompatible.dirty) !== 0n,
    isCorrupt: (features & incompatible.corrupt) !== 0n,
    autoclear: version === 3 ? view.getBigUint64(autoclearOffset) : 0n,
    backing: backingOf(view, bytes, version, fail),
  };
}

interface Sizes {
  readonly size: number;
  readonly clusterBits: number;
  /** Of the level-1 table. */
  readonly entries: number;
  /** Of the refcount table. */
  readonly clusters: number;
}

function checkSizes(
  { size, clusterBits, entries, clusters }: Sizes,
  fail: (reason: string) => never,
): void {
  if (!Number.isSafeInteger(size) || size === 0 || size % sectorSize !== 0)
    fail(`it says that it has ${size} bytes, not a multiple of ${sectorSize}`);
  const needed = Math.ceil(size / 2 ** (2 * clusterBits - 3));
  if (entries < needed || entries > mostL1Entries)
    fail(`its level-1 table has ${entries} entries, and ${needed} are needed`);
  if (clusters === 0 || clusters > mostRefcountClusters)
    fail(`a refcount table of ${clusters} clusters`);
}

function checkFeatures(
  features: bigint,
  encryption: number,
  fail: (reason: string) => never,
): void {
  if (encryption !== 0) fail('it is encrypted');
  const refusal = refusals.find(([bit]) => (features & bit) !== 0n);
  if (refusal !== undefined) fail(refusal[1]);
  const unknown = features & ~understood;
  if (unknown !== 0n) fail(`it needs features that are not known here, 0x${unknown.toString(16)}`);
}

function placeOf(
  view: DataView,
  at: number,
  clusterBits: number,
  fail: (reason: string) => never,
): number {
  const place = Number(view.getBigUint64(at));
  if (!Number.isSafeInteger(place) || place === 0 || place % 2 ** clusterBits !== 0)
    fail(`a table at ${place}, which is no cluster`);
  return place;
}

function backingOf(
  view: DataView,
  bytes: Uint8Array,
  version: 2 | 3,
  fail: (reason: string) => never,
): Qcow2Header['backing'] {
  const offset = Number(view.getBigUint64(8));
  const length = view.getUint32(16);
  if (offset === 0) return undefined;
  if (length === 0 || length > mostNameLength || offset + length > bytes.length)
    return fail('the name of its backing file lies nowhere');
  const text = (at: number, count: number): string =>
    new TextDecoder().decode(bytes.subarray(at, at + count));
  const name = text(offset, length);
  let at = version === 3 ? view.getUint32(100) : 72;
  while (at + 8 <= offset) {
    const [type, size] = [view.getUint32(at), view.getUint32(at + 4)];
    if (type === extensions.end) break;
    if (at + 8 + size > bytes.length) return fail('an extension of its header is cut off');
    if (type === extensions.backingFormat) return { name, format: text(at + 8, size) };
    at += 8 + Math.ceil(size / 8) * 8;
  }
  return { name, format: undefined };
}

/**
 * The dynamic section (System V ABI, chapter 5), reached through PT_DYNAMIC alone, since an image may have lost its
 * section headers: the libraries that it needs, its dynamic symbols and where its relocations lie.
 */
import { hex, type ImageFile, type Width, word } from './image-file.ts';
import { type ProgramHeader, PT, partAt, restAt, type Segment } from './segments.ts';
import { type StringTable, stringTable } from './strings.ts';
import { type ElfSymbol, readSymbols, symbolSize } from './symbols.ts';

// biome-ignore format: the manual's numbers
export const DT = {
  NULL: 0, NEEDED: 1, PLTRELSZ: 2, HASH: 4, STRTAB: 5, SYMTAB: 6, RELA: 7, RELASZ: 8, RELAENT: 9, STRSZ: 10,
  SYMENT: 11, REL: 17, RELSZ: 18, RELENT: 19, PLTREL: 20, JMPREL: 23, RELRSZ: 35, RELR: 36, GNU_HASH: 0x6ffffef5,
} as const;
type Tag = keyof typeof DT;

export interface Dynamic {
  readonly needed: readonly string[];
  readonly strings: StringTable;
  value(tag: Tag): bigint | undefined;
}

export function readDynamic(
  file: ImageFile,
  width: Width,
  headers: readonly ProgramHeader[],
  segments: readonly Segment[],
): Dynamic | undefined {
  const header = headers.find(({ type }) => type === PT.DYNAMIC);
  if (header === undefined) return undefined;
  const entries = readEntries(file, width, header);
  const value = (tag: Tag): bigint | undefined =>
    entries.find((entry) => entry.tag === BigInt(DT[tag]))?.value;
  const strings = dynamicStrings(file, segments, value('STRTAB'), value('STRSZ'));
  const needed = entries.filter(({ tag }) => tag === BigInt(DT.NEEDED));
  return { strings, value, needed: needed.map((entry) => strings.name(entry.value)) };
}

function readEntries(
  file: ImageFile,
  width: Width,
  header: ProgramHeader,
): { tag: bigint; value: bigint }[] {
  const what = 'the dynamic section';
  const size = width / 4;
  const view = file.part(what, header.offset, header.fileSize);
  const entries: { tag: bigint; value: bigint }[] = [];
  for (let at = 0; at + size <= view.byteLength; at += size) {
    const tag = word(view, at, width);
    if (tag === BigInt(DT.NULL)) return entries;
    entries.push({ tag, value: word(view, at + size / 2, width) });
  }
  return file.fail(
    `truncated: ${what} at ${hex(header.offset)} has no DT_NULL within its ${hex(header.fileSize)} bytes`,
  );
}

function dynamicStrings(
  file: ImageFile,
  segments: readonly Segment[],
  address: bigint | undefined,
  size: bigint | undefined,
): StringTable {
  const what = 'the dynamic string table';
  if (address === undefined || size === undefined)
    file.fail(`its dynamic section lacks ${address === undefined ? 'DT_STRTAB' : 'DT_STRSZ'}`);
  return stringTable(file, partAt(file, segments, what, address, size), what);
}

/** The table of a tag that needs its size beside it; `entry` is what the ABI says an entry takes. */
export function dynamicTable(
  file: ImageFile,
  segments: readonly Segment[],
  dynamic: Dynamic,
  tags: { readonly table: Tag; readonly size: Tag; readonly entry: number },
): DataView | undefined {
  const address = dynamic.value(tags.table);
  if (address === undefined) return undefined;
  const size = dynamic.value(tags.size);
  if (size === undefined)
    file.fail(`its dynamic section has DT_${tags.table} without DT_${tags.size}`);
  if (size === 0n) return undefined;
  if (size % BigInt(tags.entry) !== 0n)
    file.fail(`truncated: DT_${tags.size} is ${hex(size)}; an entry takes ${tags.entry} bytes`);
  return partAt(file, segments, `the table of DT_${tags.table}`, address, size);
}

/** .dynsym; no tag tells its size, so the hash tables and the highest symbol that a relocation names do. */
export function dynamicSymbols(
  file: ImageFile,
  width: Width,
  segments: readonly Segment[],
  dynamic: Dynamic,
  highestUsed: number,
): ElfSymbol[] {
  const address = dynamic.value('SYMTAB');
  if (address === undefined) {
    if (highestUsed > 0) file.fail('its dynamic section has relocations, but lacks DT_SYMTAB');
    return [];
  }
  const entry = dynamic.value('SYMENT') ?? BigInt(symbolSize(width));
  if (entry !== BigInt(symbolSize(width)))
    file.fail(`DT_SYMENT is ${entry}; an ELF${width} symbol takes ${symbolSize(width)} bytes`);
  const count = Math.max(hashedSymbols(file, width, segments, dynamic), highestUsed + 1);
  const what = 'the dynamic symbol table';
  const view = partAt(file, segments, what, address, count * symbolSize(width));
  return readSymbols(file, width, what, view, dynamic.strings);
}

function hashedSymbols(
  file: ImageFile,
  width: Width,
  segments: readonly Segment[],
  dynamic: Dynamic,
): number {
  const hash = dynamic.value('HASH');
  if (hash !== undefined)
    return partAt(file, segments, 'the table of DT_HASH', hash, 8).getUint32(4, true);
  const gnuHash = dynamic.value('GNU_HASH');
  return gnuHash === undefined ? 0 : gnuHashedSymbols(file, width, segments, gnuHash);
}

/** One more than the last symbol of the longest chain: chains end with a set bit 0. */
function gnuHashedSymbols(
  file: ImageFile,
  width: Width,
  segments: readonly Segment[],
  address: bigint,
): number {
  const what = 'the table of DT_GNU_HASH';
  const head = partAt(file, segments, what, address, 16);
  const [bucketCount, firstSymbol] = [head.getUint32(0, true), head.getUint32(4, true)];
  const bloomSize = BigInt(head.getUint32(8, true)) * BigInt(width / 8);
  const buckets = address + 16n + bloomSize;
  const view = partAt(file, segments, what, buckets, BigInt(bucketCount) * 4n);
  let last = 0;
  for (let at = 0; at < view.byteLength; at += 4) last = Math.max(last, view.getUint32(at, true));
  if (last < firstSymbol) return firstSymbol;

  const links = restAt(file, segments, what, buckets + BigInt(view.byteLength));
  for (let at = (last - firstSymbol) * 4; at + 4 <= links.byteLength; at += 4, last++)
    if ((links.getUint32(at, true) & 1) !== 0) return last + 1;
  return file.fail(`truncated: ${what} has a chain that does not end`);
}

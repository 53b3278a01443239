/**
 * An ELF image (System V ABI, chapters 4 and 5), read and checked. elfinfo reads the header and the program headers;
 * its reading of sections decodes every string and takes 45 ms for an image of 760 KB, so that is done here, with all
 * that it lacks: the dynamic section, notes, and the checks that a hostile file calls for.
 */
import { readElf } from 'elfinfo/dist/src/parser.js';
import { type Dynamic, dynamicSymbols, readDynamic } from './dynamic.ts';
import { type Header, readHeader } from './header.ts';
import { hex, ImageFile, type Width } from './image-file.ts';
import { readNotes, type XenNote } from './notes.ts';
import {
  type ImportedSymbol,
  importedSymbols,
  nameRelocations,
  type Relocation,
  readRelocations,
} from './relocations.ts';
import { readSections, type Section, SHT, sectionPart, sectionStrings } from './sections.ts';
import {
  loadSegments,
  PF,
  type ProgramHeader,
  PT,
  type Segment,
  segmentAt,
  type ThreadVariables,
  threadVariables,
} from './segments.ts';
import {
  type ElfSymbol,
  noSymbols,
  readSymbols,
  type SymbolTable,
  symbolTable,
} from './symbols.ts';

export type { Width } from './image-file.ts';
export type { XenNote } from './notes.ts';
export type { ImportedSymbol, Relocation } from './relocations.ts';
export type { Segment, ThreadVariables } from './segments.ts';
export type { NamedFunction, SymbolTable } from './symbols.ts';

export interface ElfImage {
  readonly name: string;
  readonly width: Width;
  readonly kind: 'application' | 'domain';
  /** The note ENTRY where there is one, else e_entry. */
  readonly entry: bigint;
  /** PT_LOAD, sorted by address. */
  readonly segments: readonly Segment[];
  /** Of an application. */
  readonly threadVariables: ThreadVariables | undefined;
  /** PT_GNU_STACK asks for a stack that can be executed. */
  readonly executableStack: boolean;
  /** DT_NEEDED. */
  readonly needed: readonly string[];
  readonly imports: readonly ImportedSymbol[];
  readonly relocations: readonly Relocation[];
  readonly notes: readonly XenNote[];
  /** They come from a `__xen_guest` section. */
  readonly hasLegacyNotes: boolean;
  /** .symtab, or .dynsym where it was stripped. */
  readonly symbols: SymbolTable;
}

/** The library whose symbols make an image an application. */
export const MINIOS_LIBRARY = 'libminios.so';

/** Reads an image; anything that keeps it from being loaded is a UserError of one line. */
export async function parseImage(bytes: Uint8Array, name: string): Promise<ElfImage> {
  const file = new ImageFile(name, bytes);
  const header = readHeader(file);
  const headers = await readProgramHeaders(file, header.width);
  const segments = loadSegments(file, header.width, headers);
  const sections = readSections(file, header.width, header.sections);
  const dynamic = readDynamic(file, header.width, headers, segments);
  const { notes, isLegacy: hasLegacyNotes } = readNotes(
    file,
    header.width,
    headers,
    sections,
    header.sections.names,
  );
  const kind = kindOf(file, headers, dynamic?.needed ?? [], notes);
  const entry = entryOf(file, header, segments, notes);
  const linked = linkage(file, header.width, segments, dynamic);
  const symbols = readSymbolTable(file, header.width, segments, sections) ?? linked.symbols;
  const needed = dynamic?.needed ?? [];
  const { width } = header;
  const executableStack = headers.some(
    ({ type, flags }) => type === PT.GNU_STACK && (flags & PF.X) !== 0,
  );
  return {
    ...{
      ...linked,
      name,
      width,
      kind,
      entry,
      segments,
      threadVariables: kind === 'application' ? threadVariables(file, headers) : undefined,
      executableStack,
      needed,
      notes,
      hasLegacyNotes,
      symbols,
    },
  };
}

async function readProgramHeaders(file: ImageFile, width: Width): Promise<ProgramHeader[]> {
  const { elf, errors } = await readElf(withoutSections(file, width), { readSymbolData: false });
  if (elf === undefined) file.fail(`not an ELF image: ${errors.join(' ')}`);
  return elf.segments.map(({ index, type, flags, offset, vaddr, paddr, filesz, memsz, align }) => ({
    index,
    type,
    flags,
    offset: BigInt(offset),
    address: BigInt(vaddr),
    physical: BigInt(paddr),
    fileSize: BigInt(filesz),
    memorySize: BigInt(memsz),
    alignment: BigInt(align),
  }));
}

/** The file as elfinfo reads it: the header first, in order, with e_shoff and e_shnum 0; then any part. */
function withoutSections(file: ImageFile, width: Width): Parameters<typeof readElf>[0] {
  // A copy even of a Node Buffer, whose slice() is a view.
  const head = Uint8Array.from(file.bytes.subarray(0, 64));
  const [shoff, shnum] = width === 64 ? [0x28, 0x3c] : [0x20, 0x30];
  head.fill(0, shoff, shoff + width / 8).fill(0, shnum, shnum + 2);
  let next = 0;
  const view = (length: number, position?: number): DataView => {
    if (position !== undefined) return file.part('the program headers', position, length);
    next += length;
    return new DataView(head.buffer, next - length, length);
  };
  return {
    size: () => file.size,
    open: () => Promise.resolve(),
    close: () => Promise.resolve(),
    view: (length, position) => Promise.resolve(view(length, position)),
    read: () => Promise.reject(new Error('elfinfo reads no sections')),
  };
}

function kindOf(
  file: ImageFile,
  headers: readonly ProgramHeader[],
  needed: readonly string[],
  notes: readonly XenNote[],
): ElfImage['kind'] {
  if (needed.includes(MINIOS_LIBRARY)) return 'application';
  if (notes.length > 0) return 'domain';
  const isHosted = needed.length > 0 || headers.some(({ type }) => type === PT.INTERP);
  return file.fail(
    `neither a Mini-OS application (it does not need ${MINIOS_LIBRARY}) nor a Xen domain (it has no Xen notes)${
      isHosted ? '; it is a program of the host’s own system' : ''
    }; build it with \`stubdom build\``,
  );
}

function entryOf(
  file: ImageFile,
  header: Header,
  segments: readonly Segment[],
  notes: readonly XenNote[],
): bigint {
  const noted = notes.find(({ name }) => name === 'ENTRY')?.value;
  const entry = typeof noted === 'bigint' ? noted : header.entry;
  if (segmentAt(segments, entry)?.executable !== true)
    file.fail(`its entry point ${hex(entry)} lies in no executable segment`);
  return entry;
}

/** What the dynamic section says: imports, relocations, and the symbols a stripped image still has. */
function linkage(
  file: ImageFile,
  width: Width,
  segments: readonly Segment[],
  dynamic: Dynamic | undefined,
): Pick<ElfImage, 'imports' | 'relocations' | 'symbols'> {
  if (dynamic === undefined) return { imports: [], relocations: [], symbols: noSymbols };
  const raw = readRelocations(file, width, segments, dynamic);
  const highest = raw.reduce((most, { symbol }) => Math.max(most, symbol), 0);
  const symbols = dynamicSymbols(file, width, segments, dynamic, highest);
  const nameOf = (symbol: ElfSymbol): string => dynamic.strings.name(symbol.nameOffset);
  const relocations = nameRelocations(file, width, segments, raw, symbols, nameOf);
  return {
    relocations,
    imports: importedSymbols(symbols, relocations, nameOf),
    symbols: symbolTable(segments, symbols, dynamic.strings),
  };
}

function readSymbolTable(
  file: ImageFile,
  width: Width,
  segments: readonly Segment[],
  sections: readonly Section[],
): SymbolTable | undefined {
  const section = sections.find(({ type }) => type === SHT.SYMTAB);
  if (section === undefined) return undefined;
  const what = 'the symbol table';
  const strings = sectionStrings(file, sections, section.link, 'the string table of its symbols');
  if (strings === undefined) return undefined;
  const view = sectionPart(file, section, what);
  return symbolTable(segments, readSymbols(file, width, what, view, strings), strings);
}

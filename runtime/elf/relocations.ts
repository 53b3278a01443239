/**
 * Dynamic relocations: the x86-64 psABI, table 4.9 (RELA, explicit addends), and the i386 psABI, table 4.4 (REL, the
 * addend lies at the place itself). An image is ET_EXEC, so its base address B is 0.
 */
import { UserError } from '../errors.ts';
import { type Dynamic, dynamicTable } from './dynamic.ts';
import { hex, type ImageFile, printable, type Width, word } from './image-file.ts';
import { type Segment, segmentAt } from './segments.ts';
import { type ElfSymbol, SHN_UNDEF, STB, STT } from './symbols.ts';

export interface Relocation {
  /** The place, P. */
  readonly address: bigint;
  /** As the psABI names it. */
  readonly type: string;
  readonly symbol?: string;
  /** The symbol's address where the image itself defines it. */
  readonly value?: bigint;
  /** A symbol that nobody needs to have; its address is then 0. */
  readonly weak: boolean;
  readonly addend: bigint;
  /** Bytes that change at the place; 0 for none. */
  readonly size: number;
}

export interface ImportedSymbol {
  readonly name: string;
  readonly kind: 'function' | 'data';
  readonly size: number;
  readonly weak: boolean;
}

// biome-ignore format: the manual's numbers
const typeNames: Readonly<Record<Width, Readonly<Record<number, string>>>> = {
  64: {
    0: 'R_X86_64_NONE', 1: 'R_X86_64_64', 2: 'R_X86_64_PC32', 5: 'R_X86_64_COPY', 6: 'R_X86_64_GLOB_DAT',
    7: 'R_X86_64_JUMP_SLOT', 8: 'R_X86_64_RELATIVE', 10: 'R_X86_64_32', 11: 'R_X86_64_32S', 16: 'R_X86_64_DTPMOD64',
    17: 'R_X86_64_DTPOFF64', 18: 'R_X86_64_TPOFF64', 24: 'R_X86_64_PC64', 36: 'R_X86_64_TLSDESC',
    37: 'R_X86_64_IRELATIVE',
  },
  32: {
    0: 'R_386_NONE', 1: 'R_386_32', 2: 'R_386_PC32', 5: 'R_386_COPY', 6: 'R_386_GLOB_DAT', 7: 'R_386_JMP_SLOT',
    8: 'R_386_RELATIVE', 14: 'R_386_TLS_TPOFF', 35: 'R_386_TLS_DTPMOD32', 36: 'R_386_TLS_DTPOFF32',
    41: 'R_386_TLS_DESC', 42: 'R_386_IRELATIVE',
  },
};

/** S, A and P of the psABI's formulas; `addend` says whether A counts. */
interface Rule {
  readonly addend: boolean;
  readonly symbol: boolean;
  readonly value: (s: bigint, a: bigint, p: bigint) => bigint;
}

const plain: Rule = { addend: true, symbol: true, value: (s, a) => s + a };
const slot: Rule = { addend: false, symbol: true, value: (s) => s };
const relative: Rule = { addend: true, symbol: false, value: (_, a) => a };

/** What the loader computes; COPY and NONE write no word. */
const rules: Readonly<Record<string, Rule>> = {
  R_X86_64_64: plain,
  R_X86_64_GLOB_DAT: slot,
  R_X86_64_JUMP_SLOT: slot,
  R_X86_64_RELATIVE: relative,
  R_386_32: plain,
  R_386_PC32: { addend: true, symbol: true, value: (s, a, p) => s + a - p },
  R_386_GLOB_DAT: slot,
  R_386_JMP_SLOT: slot,
  R_386_RELATIVE: relative,
};

const isCopy = (type: string): boolean => type === 'R_X86_64_COPY' || type === 'R_386_COPY';
const isNone = (type: string): boolean => type === 'R_X86_64_NONE' || type === 'R_386_NONE';

/** An entry as the file has it; a REL entry has no addend. */
export interface RawRelocation {
  readonly address: bigint;
  readonly type: number;
  readonly symbol: number;
  readonly addend: bigint | undefined;
}

export function readRelocations(
  file: ImageFile,
  width: Width,
  segments: readonly Segment[],
  dynamic: Dynamic,
): RawRelocation[] {
  if (dynamic.value('RELR') !== undefined)
    file.fail(
      'it has packed relative relocations (DT_RELR); link it without them, as -no-pie does',
    );
  const rel = width / 4;
  const rela = rel + width / 8;
  const pltIsRela = dynamic.value('PLTREL') === 7n;
  const tables = [
    { table: 'RELA', size: 'RELASZ', entry: rela, explicit: true },
    { table: 'REL', size: 'RELSZ', entry: rel, explicit: false },
    { table: 'JMPREL', size: 'PLTRELSZ', entry: pltIsRela ? rela : rel, explicit: pltIsRela },
  ] as const;
  return tables.flatMap((tags) => {
    const view = dynamicTable(file, segments, dynamic, tags);
    if (view === undefined) return [];
    return Array.from({ length: view.byteLength / tags.entry }, (_, index) =>
      readRelocation(view, index * tags.entry, width, tags.explicit),
    );
  });
}

function readRelocation(
  view: DataView,
  at: number,
  width: Width,
  explicit: boolean,
): RawRelocation {
  const pointer = width / 8;
  const info = word(view, at + pointer, width);
  const symbolShift = width === 64 ? 32n : 8n;
  return {
    address: word(view, at, width),
    type: Number(BigInt.asUintN(Number(symbolShift), info)),
    symbol: Number(info >> symbolShift),
    addend: explicit ? BigInt.asIntN(width, word(view, at + 2 * pointer, width)) : undefined,
  };
}

/** Names for numbers, and the addends that REL keeps in place; every place lies in a segment. */
export function nameRelocations(
  file: ImageFile,
  width: Width,
  segments: readonly Segment[],
  raw: readonly RawRelocation[],
  symbols: readonly ElfSymbol[],
  nameOf: (symbol: ElfSymbol) => string,
): Relocation[] {
  return raw.map(({ address, type: number, symbol: index, addend }) => {
    const type = typeNames[width][number] ?? `type ${number}`;
    // Symbol 0 is STN_UNDEF: no symbol, whose address is 0.
    const symbol = index === 0 ? undefined : symbols[index];
    const size = relocationSize(file, width, type, symbol);
    const segment = segmentAt(segments, address, BigInt(Math.max(size, 1)));
    if (segment === undefined && !isNone(type))
      file.fail(
        `a relocation (${type}) changes ${size} bytes at ${hex(address)}, which lie in no segment`,
      );
    const implicit = (): bigint =>
      segment !== undefined && rules[type]?.addend ? wordAt(segment, address, width) : 0n;
    return {
      address,
      type,
      weak: symbol?.binding === STB.WEAK,
      addend: addend ?? implicit(),
      size,
      ...(symbol === undefined ? {} : { symbol: nameOf(symbol) }),
      ...(symbol === undefined || symbol.section === SHN_UNDEF ? {} : { value: symbol.value }),
    };
  });
}

function relocationSize(
  file: ImageFile,
  width: Width,
  type: string,
  symbol: ElfSymbol | undefined,
): number {
  if (isNone(type)) return 0;
  if (!isCopy(type)) return width / 8;
  if (symbol === undefined) file.fail(`a relocation (${type}) names no symbol`);
  // Any size that a segment cannot hold is refused with the place; only the number must stay exact.
  return Number(symbol.size < 1n << 40n ? symbol.size : 1n << 40n);
}

/** What memory will hold there before relocation: the file's bytes, then zeros. */
function wordAt(segment: Segment, address: bigint, width: Width): bigint {
  const start = Number(address - segment.address);
  const bytes = new Uint8Array(8);
  bytes.set(segment.bytes.subarray(start, start + width / 8));
  return BigInt.asIntN(width, word(new DataView(bytes.buffer), 0, width));
}

/** Functions and data that others must supply; data that is copied in is one of them. */
export function importedSymbols(
  symbols: readonly ElfSymbol[],
  relocations: readonly Relocation[],
  nameOf: (symbol: ElfSymbol) => string,
): ImportedSymbol[] {
  const undefinedOnes = symbols
    .filter(({ section }, index) => index > 0 && section === SHN_UNDEF)
    .map(
      (symbol): ImportedSymbol => ({
        name: nameOf(symbol),
        kind: symbol.type === STT.OBJECT ? 'data' : 'function',
        size: Number(symbol.size),
        weak: symbol.binding === STB.WEAK,
      }),
    );
  const copied = relocations.flatMap(({ type, symbol, size }): ImportedSymbol[] =>
    isCopy(type) && symbol !== undefined ? [{ name: symbol, kind: 'data', size, weak: false }] : [],
  );
  return [...undefinedOnes, ...copied];
}

/** What relocating needs to know of an image. */
export interface Relocatable {
  readonly name: string;
  readonly width: Width;
  readonly relocations: readonly Relocation[];
}

/** Applies every relocation, or throws before the first write is made. */
export function applyRelocations(
  image: Relocatable,
  resolve: (name: string) => { readonly address: bigint } | undefined,
  write: (address: bigint, size: 4 | 8, value: bigint) => void,
  copy: (to: bigint, symbol: string, size: number) => void,
): void {
  const relocations = image.relocations.filter(({ type }) => !isNone(type));
  for (const relocation of relocations) refuse(image, relocation, resolve);

  const size = image.width === 64 ? 8 : 4;
  for (const { type, address, symbol, value, addend, size: length } of relocations) {
    const rule = rules[type];
    if (rule === undefined) {
      copy(address, symbol ?? '', length);
      continue;
    }
    const s = value ?? (symbol === undefined ? 0n : (resolve(symbol)?.address ?? 0n));
    write(address, size, BigInt.asUintN(image.width, rule.value(s, addend, address)));
  }
}

function refuse(
  image: Relocatable,
  { type, address, symbol, value, weak }: Relocation,
  resolve: (name: string) => unknown,
): void {
  const rule = rules[type];
  const at = `${image.name}: relocation ${type} at ${hex(address)}`;
  if (rule === undefined && !isCopy(type))
    throw new UserError(printable(`${at} is unknown here${advice(type)}`));
  if (rule?.symbol === false || symbol === undefined || (weak && !isCopy(type))) return;
  const fromOthers = value === undefined || isCopy(type);
  if (fromOthers && resolve(symbol) === undefined)
    throw new UserError(
      printable(`${image.name}: it imports ${symbol}, which Mini-OS does not have`),
    );
}

function advice(type: string): string {
  if (type.endsWith('IRELATIVE'))
    return ': an indirect function (ifunc); build without target_clones and ifunc attributes';
  if (/TLS|TPOFF|DTP/.test(type))
    return ': thread-local storage of a shared library; link the image statically';
  return '; link with -no-pie and -z now';
}

/** Symbols (System V ABI, chapter 4): entries of .symtab and .dynsym, and the way from an address to a name. */
import { hex, type ImageFile, type Width, word } from './image-file.ts';
import { type Segment, segmentAt } from './segments.ts';
import type { StringTable } from './strings.ts';

export interface ElfSymbol {
  readonly nameOffset: number;
  readonly value: bigint;
  readonly size: bigint;
  readonly type: number;
  readonly binding: number;
  readonly section: number;
}

export interface NamedFunction {
  readonly name: string;
  readonly address: bigint;
  readonly size: bigint;
}

export interface SymbolTable {
  /** The symbol that covers the address, else the label before it in the same segment. */
  find(address: bigint): { readonly name: string; readonly offset: bigint } | undefined;
  /** Functions that lie in executable segments, by address, one an address. */
  functions(): NamedFunction[];
}

export const STT = { NOTYPE: 0, OBJECT: 1, FUNC: 2 } as const;
export const STB = { LOCAL: 0, GLOBAL: 1, WEAK: 2 } as const;
export const SHN_UNDEF = 0;
const SHN_ABS = 0xfff1;

export const symbolSize = (width: Width): number => (width === 64 ? 24 : 16);

/** Every entry of a symbol table; every name offset lies in its string table. */
export function readSymbols(
  file: ImageFile,
  width: Width,
  what: string,
  view: DataView,
  strings: StringTable,
): ElfSymbol[] {
  const size = symbolSize(width);
  if (view.byteLength % size !== 0)
    file.fail(`truncated: ${what} has ${hex(view.byteLength)} bytes; a symbol takes ${size}`);
  return Array.from({ length: view.byteLength / size }, (_, index) => {
    const symbol = readSymbol(view, index * size, width);
    // An empty table may stand beside symbols that have no names.
    if (symbol.nameOffset !== 0 && symbol.nameOffset >= strings.size)
      file.fail(
        `truncated: symbol ${index} of ${what} is named at ${hex(symbol.nameOffset)}, beyond its strings (${hex(strings.size)} bytes)`,
      );
    return symbol;
  });
}

function readSymbol(view: DataView, at: number, width: Width): ElfSymbol {
  const wide = width === 64;
  const info = view.getUint8(at + (wide ? 4 : 12));
  return {
    nameOffset: view.getUint32(at, true),
    value: word(view, at + (wide ? 8 : 4), width),
    size: word(view, at + (wide ? 16 : 8), width),
    type: info & 0xf,
    binding: info >> 4,
    section: view.getUint16(at + (wide ? 6 : 14), true),
  };
}

/** Names stay in the file until somebody asks. */
export function symbolTable(
  segments: readonly Segment[],
  symbols: readonly ElfSymbol[],
  strings: StringTable,
): SymbolTable {
  const placed = symbols
    .filter((symbol) => isPlace(symbol) && segmentAt(segments, symbol.value) !== undefined)
    .sort(byAddressAndRank);
  const covering = placed.filter((symbol) => symbol.size > 0n);

  const find: SymbolTable['find'] = (address) => {
    const segment = segmentAt(segments, address);
    if (segment === undefined) return undefined;
    const cover = lastAtOrBelow(covering, address);
    const label = lastAtOrBelow(placed, address);
    const covers = cover !== undefined && address < cover.value + cover.size;
    const found = covers ? cover : label;
    if (found === undefined || found.value < segment.address) return undefined;
    // Behind the end of a sized symbol is padding, or code that has no name.
    if (!covers && found.size > 0n) return undefined;
    return { name: strings.label(found.nameOffset), offset: address - found.value };
  };

  const functions = (): NamedFunction[] =>
    placed
      .filter(({ type, value }) => type === STT.FUNC && segmentAt(segments, value)?.executable)
      .filter((symbol, index, all) => all[index + 1]?.value !== symbol.value)
      .map(({ nameOffset, value, size }) => ({
        name: strings.label(nameOffset),
        address: value,
        size,
      }));

  return { find, functions };
}

/** An image without symbols. */
export const noSymbols: SymbolTable = { find: () => undefined, functions: () => [] };

const isPlace = ({ type, section, nameOffset }: ElfSymbol): boolean =>
  section !== SHN_UNDEF && section !== SHN_ABS && type <= STT.FUNC && nameOffset !== 0;

/** Of several symbols at one address the last is the one to name: a function, then sized, then global. */
function byAddressAndRank(a: ElfSymbol, b: ElfSymbol): number {
  if (a.value !== b.value) return a.value < b.value ? -1 : 1;
  return rank(a) - rank(b);
}

const rank = ({ type, size, binding }: ElfSymbol): number =>
  (type === STT.FUNC ? 8 : 0) +
  (size > 0n ? 4 : 0) +
  (binding === STB.GLOBAL ? 2 : binding === STB.WEAK ? 1 : 0);

function lastAtOrBelow(sorted: readonly ElfSymbol[], address: bigint): ElfSymbol | undefined {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const symbol = sorted[middle];
    if (symbol !== undefined && symbol.value <= address) low = middle + 1;
    else high = middle;
  }
  return sorted[low - 1];
}

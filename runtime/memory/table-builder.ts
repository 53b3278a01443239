/** Page tables as a kernel writes them for itself: tables are made where they are missing, and never go. */
import { type MachineMemory, pageSize } from './machine-memory.ts';
import { type MachineFrames, pageBits } from './page-tables.ts';

const indexBits = 9n;
const pageBitCount = 12n;
const entryBytes = 8;
/** What every level above the last allows: all. */
const pointerBits = BigInt(
  pageBits.present | pageBits.writable | pageBits.user | pageBits.accessed,
);

/** Machine frame numbers, both ways. */
export interface NumberedPlaces extends MachineFrames {
  frameOf(host: number): number;
}

export class TableBuilder {
  readonly levels: 3 | 4;
  readonly memory: MachineMemory;
  readonly frames: NumberedPlaces;
  readonly root: number;
  /** Host offset of each table, by level and the addresses that it maps. */
  readonly #tables = new Map<string, number>();

  constructor(memory: MachineMemory, levels: 3 | 4, frames: NumberedPlaces) {
    this.levels = levels;
    this.memory = memory;
    this.frames = frames;
    this.root = frames.frameOf(this.#table(levels, 0n));
  }

  /** Maps one page to a place of the machine; `level` 2 and 3 are large pages. */
  map(address: bigint, host: number, bits: bigint, level = 1): void {
    const frame = BigInt(this.frames.frameOf(host)) << pageBitCount;
    this.setEntry(address, frame | bits, level);
  }

  /** Writes an entry as it is, and the tables above it. */
  setEntry(address: bigint, entry: bigint, level = 1): void {
    const at = this.entryAt(address, level);
    this.memory.view().setBigUint64(at, entry, true);
  }

  entry(address: bigint, level = 1): bigint {
    const at = this.entryAt(address, level);
    return this.memory.view().getBigUint64(at, true);
  }

  /** Host offset of the entry of an address in the table of a level, which is made where it is missing. */
  entryAt(address: bigint, level: number): number {
    const shift = pageBitCount + indexBits * BigInt(level - 1);
    const index = (address >> shift) & 511n;
    return this.#table(level, address) + Number(index) * entryBytes;
  }

  #table(level: number, address: bigint): number {
    const masked = BigInt.asUintN(48, address);
    const key = `${level} ${masked >> (pageBitCount + indexBits * BigInt(level))}`;
    const known = this.#tables.get(key);
    if (known !== undefined) return known;
    const host = this.memory.allocate(pageSize);
    this.#tables.set(key, host);
    if (level === this.levels) return host;
    const frame = BigInt(this.frames.frameOf(host)) << pageBitCount;
    const isTopOfPae = this.levels === 3 && level === 2;
    const bits = isTopOfPae ? BigInt(pageBits.present) : pointerBits;
    this.setEntry(address, frame | bits, level + 1);
    return host;
  }
}

/**
 * Blocks of a file system on a disk. What describes the file system stays here until it is committed; what files hold goes to the
 * disk at once. A commit has two steps, a flush behind each: all that is new (and what files hold), then what refers to it. So
 * nothing on the disk ever leads to what is not there yet. The disk is one that is done when it returns.
 */
import { XenError } from '../../errors.ts';
import { type Disk, sectorSize } from '../block/disk.ts';

interface Span {
  readonly sector: number;
  /** Bytes in front. */
  readonly skipped: number;
  readonly whole: Uint8Array;
  readonly isWhole: boolean;
}

interface Block {
  readonly bytes: Uint8Array;
  isDirty: boolean;
  /** Nothing on the disk refers to it yet. */
  isNew: boolean;
}

interface Copy {
  readonly number: number;
  readonly bytes: Uint8Array;
  readonly isNew: boolean;
}

/** Blocks that are as the disk has them are kept up to here. */
const mostKept = 4096;

export class BlockStore {
  readonly blockSize: number;
  readonly #disk: Disk;
  readonly #blocks = new Map<number, Block>();
  #underWay = 0;
  /** One commit at a time. */
  #last: Promise<void> = Promise.resolve();
  /** A commit that has failed: nothing that follows can be safe. */
  #failed: { readonly error: unknown } | undefined;

  constructor(disk: Disk, blockSize: number) {
    this.#disk = disk;
    this.blockSize = blockSize;
  }

  get isReadOnly(): boolean {
    return this.#disk.isReadOnly;
  }

  /** To look at only. */
  get(number: number): Uint8Array {
    return this.#block(number).bytes;
  }

  /** To change. */
  change(number: number): Uint8Array {
    const block = this.#block(number);
    block.isDirty = true;
    return block.bytes;
  }

  /** What it held is nobody's; zeros, to change. */
  make(number: number): Uint8Array {
    const bytes = new Uint8Array(this.blockSize);
    this.#blocks.set(number, { bytes, isDirty: true, isNew: true });
    return bytes;
  }

  /** Nothing of it need be written any more. */
  forget(number: number): void {
    this.#blocks.delete(number);
  }

  /** To refer to nothing else, it may be written in the first step. */
  changeFirst(number: number): Uint8Array {
    const bytes = this.change(number);
    this.#block(number).isNew = true;
    return bytes;
  }

  /** What a file holds, from one block on through those behind it. */
  readData(number: number, offset: number, into: Uint8Array): void {
    const { sector, skipped, whole, isWhole } = this.#span(number, offset, into);
    void this.#disk.read(sector, [whole]);
    if (!isWhole) into.set(whole.subarray(skipped, skipped + into.length));
  }

  writeData(number: number, offset: number, bytes: Uint8Array): void {
    const { sector, skipped, whole, isWhole } = this.#span(number, offset, bytes);
    if (!isWhole) {
      void this.#disk.read(sector, [whole]);
      whole.set(bytes, skipped);
    }
    void this.#disk.write(sector, [whole]);
  }

  /** All that was changed when it was called is safe when it is done; then `done`. */
  commit(done: () => void): Promise<void> {
    const taken = [...this.#blocks].filter(([, { isDirty }]) => isDirty);
    const copies = taken.map(([number, block]) => {
      const copy = { number, bytes: block.bytes.slice(), isNew: block.isNew };
      block.isDirty = false;
      block.isNew = false;
      return copy;
    });
    this.#underWay++;
    const committed = this.#last
      .then(() => this.#commit(copies))
      .then(done)
      .finally(() => this.#underWay--);
    this.#last = committed.catch(() => {});
    return committed;
  }

  async #commit(copies: readonly Copy[]): Promise<void> {
    if (this.#failed !== undefined) throw this.#failed.error;
    try {
      this.#writeAll(copies.filter(({ isNew }) => isNew));
      await this.#disk.flush();
      this.#writeAll(copies.filter(({ isNew }) => !isNew));
      await this.#disk.flush();
    } catch (error) {
      this.#failed = { error };
      throw error;
    }
  }

  #writeAll(copies: readonly Copy[]): void {
    for (const { number, bytes } of copies) void this.#disk.write(this.#sector(number), [bytes]);
  }

  #block(number: number): Block {
    const found = this.#blocks.get(number);
    if (found !== undefined) return found;
    if (this.#blocks.size >= mostKept) this.#shrink();
    const bytes = new Uint8Array(this.blockSize);
    void this.#disk.read(this.#sector(number), [bytes]);
    const block = { bytes, isDirty: false, isNew: false };
    this.#blocks.set(number, block);
    return block;
  }

  /** The older half of what the disk has, too: not what a commit under way has yet to write. */
  #shrink(): void {
    if (this.#underWay > 0) return;
    let left = mostKept / 2;
    for (const [number, { isDirty }] of this.#blocks) {
      if (left-- <= 0) return;
      if (!isDirty) this.#blocks.delete(number);
    }
  }

  /** The sectors that bytes lie in: the bytes themselves where they are whole sectors. */
  #span(number: number, offset: number, bytes: Uint8Array): Span {
    const at = this.#sector(number) * sectorSize + offset;
    const skipped = at % sectorSize;
    const isWhole = skipped === 0 && bytes.length % sectorSize === 0;
    const sectors = Math.ceil((skipped + bytes.length) / sectorSize);
    const whole = isWhole ? bytes : new Uint8Array(sectors * sectorSize);
    return { sector: Math.floor(at / sectorSize), skipped, whole, isWhole };
  }

  #sector(number: number): number {
    if (!Number.isSafeInteger(number) || number < 0) throw new XenError('EIO', `block ${number}`);
    return (number * this.blockSize) / sectorSize;
  }
}

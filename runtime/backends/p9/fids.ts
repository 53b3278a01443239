/** What a client of 9P has names for: places in a folder, and what it has opened there. */
import { XenError } from '../../errors.ts';
import { type FolderFile, type FolderPath, isWithin } from '../folder/folder.ts';

export interface Fid {
  path: FolderPath;
  /** A regular file that is open, or the entries of a directory as they were when reading began. */
  file?: FolderFile | undefined;
  entries?: readonly Uint8Array[] | undefined;
  isOpen: boolean;
}

/** Enough for any kernel's caches. */
const mostFids = 65_536;

export class Fids {
  readonly #fids = new Map<number, Fid>();

  get(number: number): Fid {
    const fid = this.#fids.get(number);
    if (fid === undefined) throw new XenError('EBADF', `no fid ${number}`);
    return fid;
  }

  has(number: number): boolean {
    return this.#fids.has(number);
  }

  set(number: number, path: FolderPath): void {
    if (this.#fids.size >= mostFids) throw new XenError('ENFILE', `more than ${mostFids} fids`);
    this.#fids.set(number, { path, isOpen: false });
  }

  clunk(number: number): Fid {
    const fid = this.get(number);
    this.#fids.delete(number);
    fid.file?.close();
    return fid;
  }

  /** What was below one name is below another now. */
  renamed(from: FolderPath, to: FolderPath): void {
    for (const fid of this.#fids.values())
      if (isWithin(fid.path, from)) fid.path = [...to, ...fid.path.slice(from.length)];
  }

  clear(): void {
    for (const { file } of this.#fids.values()) file?.close();
    this.#fids.clear();
  }
}

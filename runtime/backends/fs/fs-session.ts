/** What a front-end of fsif's has open of a folder: descriptors of its own, each a file or a directory. */
import { XenError } from '../../errors.ts';
import {
  type FileStatus,
  type Flushed,
  type Folder,
  type FolderFile,
  type FolderPath,
  isDirectory,
} from '../folder/folder.ts';
import type { GuestPages } from './guest-pages.ts';

const mostOpen = 256;

export interface FsSessionParts {
  readonly folder: Folder;
  readonly isReadOnly: boolean;
  readonly pages: GuestPages;
}

/** A directory is known by its name. */
export type FsOpen = { readonly file: FolderFile } | { readonly directory: FolderPath };

export class FsSession {
  readonly folder: Folder;
  readonly isReadOnly: boolean;
  readonly pages: GuestPages;
  readonly #open: (FsOpen | undefined)[] = [];

  constructor({ folder, isReadOnly, pages }: FsSessionParts) {
    this.folder = folder;
    this.isReadOnly = isReadOnly;
    this.pages = pages;
  }

  /** The lowest number that is free. */
  add(open: () => FsOpen): number {
    const free = this.#open.indexOf(undefined);
    const fd = free < 0 ? this.#open.length : free;
    if (fd >= mostOpen) throw new XenError('EMFILE', `${mostOpen} files are open`);
    this.#open[fd] = open();
    return fd;
  }

  find(fd: number): FsOpen {
    const open = this.#open[fd];
    if (open === undefined) throw new XenError('EBADF', `descriptor ${fd}`);
    return open;
  }

  file(fd: number): FolderFile {
    const open = this.find(fd);
    if ('file' in open) return open.file;
    throw new XenError('EISDIR', `descriptor ${fd} is a directory`);
  }

  /** For writing, where that is allowed. */
  open(path: FolderPath): FsOpen {
    if (isDirectory(this.folder.status(path))) return { directory: path };
    if (this.isReadOnly) return { file: this.folder.open(path, { writing: false }) };
    try {
      return { file: this.folder.open(path, { writing: true }) };
    } catch (error) {
      const refused = error instanceof XenError && ['EACCES', 'EROFS'].includes(error.errno);
      if (!refused) throw error;
      return { file: this.folder.open(path, { writing: false }) };
    }
  }

  status(fd: number): FileStatus {
    const open = this.find(fd);
    return 'file' in open ? open.file.status() : this.folder.status(open.directory);
  }

  setPermissions(fd: number, permissions: number): void {
    const open = this.find(fd);
    if ('file' in open) open.file.setPermissions(permissions);
    else this.folder.setPermissions(open.directory, permissions);
  }

  flush(fd: number): Flushed {
    const open = this.find(fd);
    return 'file' in open ? open.file.flush('all') : this.folder.flush(open.directory);
  }

  closeOne(fd: number): void {
    const open = this.find(fd);
    this.#open[fd] = undefined;
    if ('file' in open) open.file.close();
  }

  close(): void {
    this.pages.close();
    for (const open of this.#open.splice(0))
      if (open !== undefined && 'file' in open) open.file.close();
  }
}

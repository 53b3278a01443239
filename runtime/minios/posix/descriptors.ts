/** The table of open files, by number; the lowest free number is given out (POSIX XSH 2.14). */
import { failure } from '../errno.ts';
import type { OpenFile } from './open-file.ts';

export const mostDescriptors = 1024;

export class Descriptors {
  readonly #files: (OpenFile | undefined)[] = [];
  readonly #closed: (file: OpenFile) => void;

  /** `closed` is called when the last descriptor of a file goes. */
  constructor(closed: (file: OpenFile) => void) {
    this.#closed = closed;
  }

  get(fd: number): OpenFile {
    const file = this.#files[fd];
    if (file === undefined) throw failure('EBADF', `descriptor ${fd} is not open`);
    return file;
  }

  /** EMFILE before anything is opened. */
  lowestFree(from = 0): number {
    for (let fd = from; fd < mostDescriptors; fd++) if (this.#files[fd] === undefined) return fd;
    throw failure('EMFILE', `all ${mostDescriptors} descriptors are open`);
  }

  open(file: OpenFile, from = 0): number {
    const fd = this.lowestFree(from);
    this.#files[fd] = file;
    return fd;
  }

  close(fd: number): void {
    const file = this.get(fd);
    this.#files[fd] = undefined;
    if (!this.#files.includes(file)) this.#closed(file);
  }

  duplicate(fd: number, from: number): number {
    const file = this.get(fd);
    if (from < 0 || from >= mostDescriptors) throw failure('EINVAL', `descriptor ${from}`);
    return this.open(file, from);
  }

  duplicateTo(from: number, to: number): number {
    const file = this.get(from);
    if (to < 0 || to >= mostDescriptors) throw failure('EBADF', `descriptor ${to}`);
    if (from === to) return to;
    const replaced = this.#files[to];
    this.#files[to] = file;
    if (replaced !== undefined && !this.#files.includes(replaced)) this.#closed(replaced);
    return to;
  }
}

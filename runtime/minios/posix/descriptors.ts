/** The table of open files, by number; the lowest free number is given out (POSIX XSH 2.14). */
import { failure } from '../errno.ts';
import type { OpenFile } from './open-file.ts';

export const mostDescriptors = 1024;

interface Descriptor {
  readonly file: OpenFile;
  /** FD_CLOEXEC, which duplicates do not share; no program is ever executed here. */
  flags: number;
}

export class Descriptors {
  readonly #open: (Descriptor | undefined)[] = [];

  get(fd: number): OpenFile {
    return this.#descriptor(fd).file;
  }

  flags(fd: number): number {
    return this.#descriptor(fd).flags;
  }

  setFlags(fd: number, flags: number): void {
    this.#descriptor(fd).flags = flags;
  }

  /** EMFILE before anything is opened. */
  lowestFree(from = 0): number {
    for (let fd = from; fd < mostDescriptors; fd++) if (this.#open[fd] === undefined) return fd;
    throw failure('EMFILE', `all ${mostDescriptors} descriptors are open`);
  }

  open(file: OpenFile, flags = 0, from = 0): number {
    const fd = this.lowestFree(from);
    this.#open[fd] = { file, flags };
    return fd;
  }

  /** The file that no descriptor has any more, if it was its last. */
  close(fd: number): OpenFile | undefined {
    const { file } = this.#descriptor(fd);
    this.#open[fd] = undefined;
    return this.#left(file) ? file : undefined;
  }

  closeAll(): void {
    for (const fd of this.#open.keys()) if (this.#open[fd] !== undefined) this.close(fd);
  }

  duplicate(fd: number, from: number, flags: number): number {
    const file = this.get(fd);
    if (from < 0 || from >= mostDescriptors) throw failure('EINVAL', `descriptor ${from}`);
    return this.open(file, flags, from);
  }

  duplicateTo(from: number, to: number, flags: number): number {
    const file = this.get(from);
    if (to < 0 || to >= mostDescriptors) throw failure('EBADF', `descriptor ${to}`);
    if (from === to) return to;
    const replaced = this.#open[to];
    this.#open[to] = { file, flags };
    if (replaced !== undefined) this.#left(replaced.file);
    return to;
  }

  #descriptor(fd: number): Descriptor {
    const descriptor = this.#open[fd];
    if (descriptor === undefined) throw failure('EBADF', `descriptor ${fd} is not open`);
    return descriptor;
  }

  #left(file: OpenFile): boolean {
    const isLast = !this.#open.some((other) => other?.file === file);
    if (isLast) file.close();
    return isLast;
  }
}

/**
 * A folder in memory that loses at a crash what nobody has flushed: of a file its bytes and length, of a directory its names.
 * Everything that happens is written down, so that one run has a crash at each of its moments.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type {
  FileStatus,
  Flushed,
  Folder,
  FolderEntry,
  FolderFile,
  FolderPath,
  FolderSpace,
  OpenWish,
} from '../../runtime/backends/folder/folder.ts';
import { MemoryFolder } from '../../runtime/index.ts';
import type { Random } from './random.ts';

/** What a change is kept or lost with: a file's own number, or its directory's. */
interface Change {
  readonly of: bigint;
  readonly apply: (state: CrashedState, r: Random | undefined) => void;
}

type Step =
  | { readonly kind: 'change'; readonly change: Change }
  /** All changes of one number before the step `from` are safe. */
  | { readonly kind: 'flushed'; readonly of: bigint; readonly from: number }
  | { readonly kind: 'mark'; readonly text: string };

/** Files and directories by number. */
class CrashedState {
  readonly files = new Map<bigint, Uint8Array>();
  readonly directories = new Map<bigint, Map<string, bigint>>();

  bytes(ino: bigint): Uint8Array {
    return this.files.get(ino) ?? new Uint8Array();
  }

  names(ino: bigint): Map<string, bigint> {
    const names = this.directories.get(ino) ?? new Map<string, bigint>();
    this.directories.set(ino, names);
    return names;
  }

  resize(ino: bigint, length: number): void {
    const now = new Uint8Array(length);
    now.set(this.bytes(ino).subarray(0, length));
    this.files.set(ino, now);
  }
}

const sector = 512;

export class VolatileFolder implements Folder {
  readonly steps: Step[] = [];
  readonly #now = new MemoryFolder(() => 1n);
  /** Directories, which files are not written as. */
  readonly #directories = new Set<bigint>([this.#now.status([]).ino]);

  /** Something that a crash behind it must know. */
  mark(text: string): void {
    this.steps.push({ kind: 'mark', text });
  }

  status(path: FolderPath): FileStatus {
    return this.#now.status(path);
  }
  list(path: FolderPath): FolderEntry[] {
    return this.#now.list(path);
  }
  readLink(path: FolderPath): string {
    return this.#now.readLink(path);
  }
  space(): FolderSpace {
    return this.#now.space();
  }
  setPermissions(path: FolderPath, permissions: number): void {
    this.#now.setPermissions(path, permissions);
  }
  setTimes(): void {}
  makeSocket(): never {
    throw new Error('a volatile folder has no sockets');
  }
  makeLink(): never {
    throw new Error('a volatile folder has no symbolic links');
  }
  close(): void {}

  open(path: FolderPath, wish: OpenWish): FolderFile {
    const before = new Set(this.#now.list(path.slice(0, -1)).map(({ name }) => name));
    const file = this.#now.open(path, wish);
    const { ino } = file.status();
    if (!before.has(path.at(-1) ?? '')) this.#named(path, ino);
    else if (wish.truncate) this.#cut(ino, 0);
    return this.#file(file, ino);
  }

  makeDirectory(path: FolderPath, permissions: number): void {
    this.#now.makeDirectory(path, permissions);
    const { ino } = this.#now.status(path);
    this.#directories.add(ino);
    this.#named(path, ino);
  }

  link(from: FolderPath, to: FolderPath): void {
    this.#now.link(from, to);
    this.#named(to, this.#now.status(to).ino);
  }

  /** One change within a directory, two from one to another. */
  rename(from: FolderPath, to: FolderPath): void {
    this.#now.rename(from, to);
    const { ino } = this.#now.status(to);
    const [source, target] = [from, to].map((path) => this.#now.status(path.slice(0, -1)).ino);
    if (source !== target) {
      this.#named(from, undefined);
      this.#named(to, ino);
      return;
    }
    const [old = '', name = ''] = [from.at(-1), to.at(-1)];
    this.#change(source ?? 0n, (state) => {
      state.names(source ?? 0n).delete(old);
      state.names(source ?? 0n).set(name, ino);
    });
  }

  unlink(path: FolderPath): void {
    this.#now.unlink(path);
    this.#named(path, undefined);
  }

  removeDirectory(path: FolderPath): void {
    this.#now.removeDirectory(path);
    this.#named(path, undefined);
  }

  flush(path: FolderPath): Flushed {
    return this.#flush(this.#now.status(path).ino);
  }

  /**
   * Writes what a crash at a step leaves into a directory of the host; the marks before it. Of what was not flushed, each change
   * is there or not, and of what was written some sectors.
   */
  crash(at: number, r: Random, directory: string): string[] {
    const state = new CrashedState();
    const of = 1 + r.below(4);
    const before = this.steps.slice(0, at);
    const safe = new Map<bigint, number>();
    for (const step of before) if (step.kind === 'flushed') safe.set(step.of, step.from);
    for (const [index, step] of before.entries()) {
      if (step.kind !== 'change') continue;
      const isSafe = index < (safe.get(step.change.of) ?? 0);
      if (isSafe || r.below(of) > 0) step.change.apply(state, isSafe ? undefined : r);
    }
    this.#write(state, this.#now.status([]).ino, directory);
    return before.flatMap((step) => (step.kind === 'mark' ? [step.text] : []));
  }

  #write(state: CrashedState, ino: bigint, directory: string): void {
    for (const [name, inner] of state.names(ino)) {
      const path = join(directory, name);
      if (this.#directories.has(inner)) {
        mkdirSync(path);
        this.#write(state, inner, path);
      } else writeFileSync(path, state.bytes(inner));
    }
  }

  #file(file: FolderFile, ino: bigint): FolderFile {
    return {
      read: (position, into) => file.read(position, into),
      write: (position, bytes) => {
        const written = file.write(position, bytes);
        this.#written(ino, position, bytes.slice(0, written));
        return written;
      },
      status: () => file.status(),
      setLength: (length) => {
        file.setLength(length);
        this.#cut(ino, length);
      },
      setPermissions: (permissions) => file.setPermissions(permissions),
      setTimes: (times) => file.setTimes(times),
      flush: () => this.#flush(ino),
      close: () => file.close(),
    };
  }

  #written(ino: bigint, position: number, bytes: Uint8Array): void {
    this.#change(ino, (state, r) => {
      const length = Math.max(state.bytes(ino).length, position + bytes.length);
      if (length > state.bytes(ino).length) state.resize(ino, length);
      const isTorn = r !== undefined && r.below(3) === 0;
      for (let at = 0; at < bytes.length; at += sector)
        if (!isTorn || r.below(2) === 0)
          state.bytes(ino).set(bytes.subarray(at, at + sector), position + at);
    });
  }

  #cut(ino: bigint, length: number): void {
    this.#change(ino, (state) => state.resize(ino, length));
  }

  #named(path: FolderPath, ino: bigint | undefined): void {
    const directory = this.#now.status(path.slice(0, -1)).ino;
    const name = path.at(-1) ?? '';
    this.#change(directory, (state) => {
      if (ino === undefined) state.names(directory).delete(name);
      else state.names(directory).set(name, ino);
    });
  }

  #change(of: bigint, apply: Change['apply']): void {
    this.steps.push({ kind: 'change', change: { of, apply } });
  }

  /** What was there when it was called is safe when it is done, not before. */
  async #flush(of: bigint): Promise<void> {
    const from = this.steps.length;
    for (let turns = 0; turns < 2; turns++) await new Promise((resolve) => setImmediate(resolve));
    this.steps.push({ kind: 'flushed', of, from });
  }
}

/** Descriptors 0, 1 and 2: the console, through a line discipline where a person types. */
import type { Console } from '../../backends/console/console.ts';
import {
  type FileTimes,
  type Flushed,
  type FolderSpace,
  S_IF,
} from '../../backends/folder/folder.ts';
import { MINIOS_FD, O, POLL } from '../abi/posix.ts';
import { failure } from '../errno.ts';
import { ttyDevice } from './devices.ts';
import { LineDiscipline, type TerminalSettings } from './line-discipline.ts';
import {
  type DescriptorStatus,
  notFlushable,
  notMeasurable,
  notSeekable,
  notTruncatable,
  type OpenFile,
} from './open-file.ts';

export class ConsoleFile implements OpenFile {
  readonly kind = MINIOS_FD.CONSOLE;
  readonly what = 'the console';
  readonly isTerminal: boolean;
  flags: number = O.RDWR;
  readonly #console: Console;
  readonly #lines: LineDiscipline | undefined;
  readonly #began: bigint;
  #permissions = 0o620;

  /** Typed characters of the terminal raise signals. */
  constructor(console: Console, raise: (signal: number) => void, began: bigint) {
    this.#console = console;
    this.#began = began;
    this.isTerminal = console.isTerminal;
    this.#lines = console.isTerminal ? new LineDiscipline(console, raise) : undefined;
  }

  /** ENOTTY where no person types. */
  get lines(): LineDiscipline {
    if (this.#lines === undefined) throw failure('ENOTTY', 'the console is no terminal');
    return this.#lines;
  }

  setSettings(settings: TerminalSettings, discard: boolean): void {
    if (discard) this.lines.discardInput();
    this.lines.setSettings(settings);
  }

  read(count: number, at?: number): Uint8Array | undefined {
    if (at !== undefined) notSeekable(this.what);
    if (this.#lines !== undefined) return this.#lines.read(count);
    const bytes = this.#console.read(count);
    if (bytes === undefined) return new Uint8Array();
    return bytes.length === 0 ? undefined : bytes;
  }

  write(bytes: Uint8Array, at?: number): number | undefined {
    if (at !== undefined) notSeekable(this.what);
    const answer = this.#console.write(bytes);
    if (answer === 'taken') return bytes.length;
    if (answer === 'full') return undefined;
    throw failure('EPIPE', 'nobody reads the console');
  }

  seek(): bigint {
    return notSeekable(this.what);
  }

  truncate(): never {
    return notTruncatable(this.what);
  }

  status(): DescriptorStatus {
    const mode = S_IF.CHR | this.#permissions;
    const times = { atime: this.#began, mtime: this.#began, ctime: this.#began };
    return { ...times, mode, size: 0n, ino: 0n, nlink: 1, rdev: ttyDevice, blocks: 0n, dev: 0 };
  }

  setPermissions(permissions: number): void {
    this.#permissions = permissions;
  }

  setTimes(_times: FileTimes): void {}

  flush(): Flushed {
    return notFlushable(this.what);
  }

  space(): FolderSpace {
    return notMeasurable(this.what);
  }

  ready(): number {
    const input = this.#lines === undefined ? this.#console.input : this.#lines.input;
    const output = this.#console.output;
    return (
      (input === 'waiting' ? 0 : POLL.IN) |
      (output === 'open' ? POLL.OUT : 0) |
      (output === 'closed' ? POLL.ERR : 0)
    );
  }

  waiting(): number {
    return this.lines.waiting;
  }

  isHopeful(access: 'read' | 'write'): boolean {
    return access === 'write' || this.#console.input !== 'ended';
  }

  close(): void {}
}

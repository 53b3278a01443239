/** Descriptors 0, 1 and 2: the console, through a line discipline where a person types. */
import type { Console } from '../../backends/console/console.ts';
import { MINIOS_FD, O, POLL, S_IF } from '../abi/posix.ts';
import { failure } from '../errno.ts';
import { LineDiscipline } from './line-discipline.ts';
import { type FileStatus, notSeekable, type OpenFile } from './open-file.ts';

export class ConsoleFile implements OpenFile {
  readonly kind = MINIOS_FD.CONSOLE;
  readonly what = 'the console';
  readonly isTerminal: boolean;
  flags: number = O.RDWR;
  readonly #console: Console;
  readonly #lines: LineDiscipline | undefined;
  readonly #broken: () => void;
  readonly #began: bigint;
  #permissions = 0o620;
  #wasToldOfClosing = false;

  /** `broken` is called when the guest goes on writing after it was told that nobody reads. */
  constructor(console: Console, broken: () => void, began: bigint) {
    this.#console = console;
    this.#broken = broken;
    this.#began = began;
    this.isTerminal = console.isTerminal;
    this.#lines = console.isTerminal ? new LineDiscipline(console) : undefined;
  }

  read(count: number): Uint8Array | undefined {
    if (this.#lines !== undefined) return this.#lines.read(count);
    const bytes = this.#console.read(count);
    if (bytes === undefined) return new Uint8Array();
    return bytes.length === 0 ? undefined : bytes;
  }

  write(bytes: Uint8Array): number | undefined {
    const answer = this.#console.write(bytes);
    if (answer === 'taken') return bytes.length;
    if (answer === 'full') return undefined;
    if (this.#wasToldOfClosing) this.#broken();
    this.#wasToldOfClosing = true;
    throw failure('EPIPE', 'nobody reads the console');
  }

  seek(): bigint {
    return notSeekable(this.what);
  }

  truncate(): void {
    throw failure('EINVAL', 'the console has no length');
  }

  status(): FileStatus {
    const mode = S_IF.CHR | this.#permissions;
    return { size: 0n, mtime: this.#began, ino: 0n, mode, nlink: 1 };
  }

  setPermissions(permissions: number): void {
    this.#permissions = permissions;
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

  isHopeful(access: 'read' | 'write'): boolean {
    return access === 'write' || this.#console.input !== 'ended';
  }
}

/**
 * An open file of the image's own: a socket of lwip, a front-end. The kernel keeps its descriptors and reads two words of struct
 * minios_object (mini-os/posix.h): what is ready, and the flags; the calls are C's, which asks for the object first.
 */
import {
  type FileTimes,
  type Flushed,
  type FolderSpace,
  S_IF,
} from '../../backends/folder/folder.ts';
import type { XenError } from '../../errors.ts';
import type { GuestMemory } from '../../memory/guest-memory.ts';
import { MINIOS_FD, minios_object, POLL } from '../abi/posix.ts';
import { failure } from '../errno.ts';
import {
  type DescriptorStatus,
  notFlushable,
  notMeasurable,
  notSeekable,
  notTruncatable,
  type OpenFile,
} from './open-file.ts';

const { ready, flags } = minios_object.layout(64).offsets;
const allBits = POLL.IN | POLL.PRI | POLL.OUT | POLL.ERR | POLL.HUP;

const modes: Readonly<Record<number, number>> = {
  [MINIOS_FD.SOCKET]: S_IF.SOCK | 0o777,
  [MINIOS_FD.SAVEFILE]: S_IF.REG | 0o600,
};

export interface ObjectParts {
  readonly memory: GuestMemory;
  readonly kind: number;
  readonly address: bigint;
  readonly ino: bigint;
  /** When it was opened. */
  readonly began: bigint;
}

export class ObjectFile implements OpenFile {
  readonly kind: number;
  readonly what: string;
  readonly isTerminal = false;
  readonly address: bigint;
  readonly #parts: ObjectParts;

  constructor(parts: ObjectParts) {
    this.#parts = parts;
    this.kind = parts.kind;
    this.address = parts.address;
    this.what = parts.kind === MINIOS_FD.SOCKET ? 'a socket' : `an object of kind ${parts.kind}`;
  }

  get flags(): number {
    return this.#parts.memory.readU32(this.address + BigInt(flags));
  }

  set flags(value: number) {
    this.#parts.memory.writeU32(this.address + BigInt(flags), value);
  }

  read(_count: number, at?: number): never {
    if (at !== undefined) notSeekable(this.what);
    throw this.#notOurs();
  }

  write(_bytes: Uint8Array, at?: number): never {
    if (at !== undefined) notSeekable(this.what);
    throw this.#notOurs();
  }

  seek(): bigint {
    return notSeekable(this.what);
  }

  truncate(): never {
    return notTruncatable(this.what);
  }

  status(): DescriptorStatus {
    const { began, ino, kind } = this.#parts;
    const times = { atime: began, mtime: began, ctime: began };
    const mode = modes[kind] ?? S_IF.CHR | 0o666;
    return { ...times, mode, size: 0n, ino, nlink: 1, rdev: 0, blocks: 0n, dev: 0 };
  }

  setPermissions(): void {}

  setTimes(_times: FileTimes): void {}

  flush(): Flushed {
    return notFlushable(this.what);
  }

  space(): FolderSpace {
    return notMeasurable(this.what);
  }

  ready(): number {
    return this.#parts.memory.readU32(this.address + BigInt(ready)) & allBits;
  }

  waiting(): never {
    throw this.#notOurs();
  }

  isHopeful(): boolean {
    return true;
  }

  close(): void {}

  #notOurs(): XenError {
    return failure('EINVAL', `${this.what} is the image's own`);
  }
}

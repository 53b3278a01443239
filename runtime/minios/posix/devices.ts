/** /dev of an application (Linux, devices.txt: character devices of major 1), and what reading and writing them does. */
import {
  type FileTimes,
  type Flushed,
  type FolderSpace,
  isDirectory,
} from '../../backends/folder/folder.ts';
import type { MemoryFolder } from '../../backends/folder/memory-folder.ts';
import { MINIOS_FD, POLL } from '../abi/posix.ts';
import { failure } from '../errno.ts';
import {
  type DescriptorStatus,
  notFlushable,
  notMeasurable,
  notTruncatable,
  type OpenFile,
} from './open-file.ts';

interface Device {
  readonly name: string;
  readonly rdev: number;
  readonly read: (into: Uint8Array) => number;
  readonly write: (bytes: Uint8Array) => number;
}

/** Fills it with bytes that nobody can foretell. */
export type Randomness = (into: Uint8Array) => void;

const rdev = (minor: number): number => 0x100 | minor;
const all = (bytes: Uint8Array): number => bytes.length;

// biome-ignore format: a table
const devices = (randomness: Randomness): readonly Device[] => {
  const random = (into: Uint8Array): number => { randomness(into); return into.length; };
  const full = (): never => { throw failure('ENOSPC', '/dev/full is full'); };
  const zeros = (into: Uint8Array): number => into.fill(0).length;
  return [
    { name: 'null',    rdev: rdev(3), read: () => 0, write: all },
    { name: 'zero',    rdev: rdev(5), read: zeros,   write: all },
    { name: 'full',    rdev: rdev(7), read: zeros,   write: full },
    { name: 'random',  rdev: rdev(8), read: random,  write: all },
    { name: 'urandom', rdev: rdev(9), read: random,  write: all },
  ];
};

/** Linux's /dev/tty; opening it is opening the console again. */
export const ttyDevice = 0x500;

export class Devices {
  readonly #devices: readonly Device[];

  constructor(randomness: Randomness) {
    this.#devices = devices(randomness);
  }

  /** Makes /dev in the folder. */
  makeIn(folder: MemoryFolder): void {
    folder.makeDirectory(['dev'], 0o755);
    for (const device of this.#devices) folder.makeDevice(['dev', device.name], 0o666, device.rdev);
    folder.makeDevice(['dev', 'tty'], 0o666, ttyDevice);
    folder.makeDevice(['dev', 'console'], 0o600, ttyDevice);
  }

  open(status: DescriptorStatus, flags: number, path: string): OpenFile {
    if (isDirectory(status)) throw failure('EISDIR', `${path} is a directory`);
    const device = this.#devices.find((one) => one.rdev === status.rdev);
    if (device === undefined) throw failure('ENXIO', `no device behind ${path}`);
    return new OpenDevice(device, status, flags, path);
  }
}

class OpenDevice implements OpenFile {
  readonly kind = MINIOS_FD.DEVICE;
  readonly what: string;
  readonly isTerminal = false;
  flags: number;
  readonly #device: Device;
  readonly #status: DescriptorStatus;

  constructor(device: Device, status: DescriptorStatus, flags: number, path: string) {
    this.#device = device;
    this.#status = status;
    this.flags = flags;
    this.what = path;
  }

  read(count: number): Uint8Array {
    const bytes = new Uint8Array(count);
    return bytes.subarray(0, this.#device.read(bytes));
  }

  write(bytes: Uint8Array): number {
    return bytes.length === 0 ? 0 : this.#device.write(bytes);
  }

  seek(): bigint {
    return 0n;
  }

  truncate(): never {
    return notTruncatable(this.what);
  }

  status(): DescriptorStatus {
    return this.#status;
  }

  setPermissions(): never {
    throw failure('EPERM', `${this.what} is open: its permissions are changed by name`);
  }

  setTimes(_times: FileTimes): void {}

  flush(): Flushed {
    return notFlushable(this.what);
  }

  space(): FolderSpace {
    return notMeasurable(this.what);
  }

  ready(): number {
    return POLL.IN | POLL.OUT;
  }

  waiting(): never {
    throw failure('ENOTTY', `${this.what} knows no FIONREAD`);
  }

  isHopeful(): boolean {
    return true;
  }

  close(): void {}
}

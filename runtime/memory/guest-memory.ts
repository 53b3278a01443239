/** A kernel's way to what guests point at: always a copy, checked as the guest's own access would be; EFAULT if bad. */
import { XenError } from '../errors.ts';
import type { Access, AddressSpace } from './address-space.ts';
import type { MachineMemory } from './machine-memory.ts';
import { pageSize } from './machine-memory.ts';

export class GuestMemory {
  readonly memory: MachineMemory;
  readonly addressSpace: AddressSpace;

  constructor(memory: MachineMemory, addressSpace: AddressSpace) {
    this.memory = memory;
    this.addressSpace = addressSpace;
  }

  readBytes(address: bigint, length: number): Uint8Array {
    // A guest may name any length: nothing is made before all of it is known to be there.
    if (length > pageSize) this.#pieces(address, length, 'read', () => {});
    const copy = new Uint8Array(length);
    this.#pieces(address, length, 'read', (host, at, size) =>
      copy.set(this.memory.bytes().subarray(host, host + size), at),
    );
    return copy;
  }

  /** All or nothing: no byte is written where one cannot be. */
  writeBytes(address: bigint, bytes: Uint8Array): void {
    this.checkWritable(address, bytes.length);
    this.#pieces(address, bytes.length, 'write', (host, at, size) => {
      this.memory.willWrite(host, size);
      this.memory.bytes().set(bytes.subarray(at, at + size), host);
    });
  }

  fill(address: bigint, length: number, value: number): void {
    this.checkWritable(address, length);
    this.#pieces(address, length, 'write', (host, _, size) => {
      this.memory.willWrite(host, size);
      this.memory.bytes().fill(value, host, host + size);
    });
  }

  checkWritable(address: bigint, length: number): void {
    this.#pieces(address, length, 'write', () => {});
  }

  /** The bytes before a NUL; ENAMETOOLONG where there is none within `most` bytes. */
  readCString(address: bigint, most: number): Uint8Array {
    const parts: number[] = [];
    for (let at = address; parts.length < most; ) {
      const room = pageSize - Number(at & BigInt(pageSize - 1));
      const piece = this.readBytes(at, Math.min(room, most - parts.length));
      const end = piece.indexOf(0);
      parts.push(...(end < 0 ? piece : piece.subarray(0, end)));
      if (end >= 0) return Uint8Array.from(parts);
      at += BigInt(piece.length);
    }
    throw new XenError('ENAMETOOLONG', `a string at ${hex(address)} is longer than ${most} bytes`);
  }

  /** A NUL-ended UTF-8 string; what is no UTF-8 reads as U+FFFD. */
  readString(address: bigint, most: number): string {
    return new TextDecoder().decode(this.readCString(address, most));
  }

  readU32(address: bigint): number {
    return this.#view(address, 4).getUint32(0, true);
  }

  readU64(address: bigint): bigint {
    return this.#view(address, 8).getBigUint64(0, true);
  }

  /** A pointer or long of the guest's width. */
  readWord(address: bigint, width: 64 | 32): bigint {
    return width === 64 ? this.readU64(address) : BigInt(this.readU32(address));
  }

  writeU32(address: bigint, value: number): void {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, value, true);
    this.writeBytes(address, bytes);
  }

  writeU64(address: bigint, value: bigint): void {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, value, true);
    this.writeBytes(address, bytes);
  }

  writeWord(address: bigint, value: bigint, width: 64 | 32): void {
    if (width === 64) this.writeU64(address, value);
    else this.writeU32(address, Number(BigInt.asUintN(32, value)));
  }

  #view(address: bigint, length: number): DataView {
    return new DataView(this.readBytes(address, length).buffer);
  }

  /** Calls for each part that lies in one page; throws at the first that is not there. */
  #pieces(
    address: bigint,
    length: number,
    access: Access,
    use: (host: number, at: number, size: number) => void,
  ): void {
    for (let at = 0; at < length; ) {
      const virtual = address + BigInt(at);
      const host = this.addressSpace.translate(virtual, access);
      if (typeof host !== 'number')
        throw new XenError('EFAULT', `a bad pointer: no ${access} at ${hex(virtual)}`);
      const size = Math.min(length - at, pageSize - Number(virtual & BigInt(pageSize - 1)));
      use(host, at, size);
      at += size;
    }
  }
}

const hex = (value: bigint): string => `0x${value.toString(16)}`;

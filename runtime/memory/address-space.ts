/** Virtual address and access → host offset or fault (SDM vol. 3, 4.7), for guests whose memory is one linear run. */
import type { MachineMemory } from './machine-memory.ts';
import { pageFlags, pageSize } from './machine-memory.ts';

export type Access = 'read' | 'write' | 'execute';

/** Bits of a page fault's error code (SDM vol. 3, figure 4-12). */
export const pageFaultCode = { present: 1, write: 2, user: 4, reserved: 8, execute: 16 } as const;

export interface PageFault {
  readonly errorCode: number;
  /** CR2. */
  readonly address: bigint;
  /** Bits 63 to 47 differ: no page fault but #GP(0), or #SS(0) where the instruction goes through SS (SDM vol. 1, 3.3.7.1). */
  readonly isCanonical?: false;
}

/** Whether bits 63 to 47 of a 64-bit address are alike. */
export const isCanonical = (address: bigint): boolean => {
  const top = BigInt.asUintN(64, address) >> 47n;
  return top === 0n || top === 0x1_ffffn;
};

export interface AddressSpace {
  /** Where one byte lies; the bytes after it are contiguous up to the end of its page at least. */
  translate(address: bigint, access: Access): number | PageFault;
}

/** An address space whose owner says what may be done where. */
export interface ProtectedSpace extends AddressSpace {
  /** Whole pages: those that the range touches. */
  protect(address: bigint, length: bigint | number, writable: boolean): void;
  /** Makes stores to whole pages fault as on a page that is not there; loads may. */
  unmap(address: bigint, length: bigint | number): void;
  /** Code may be fetched from here; from nowhere else. */
  allowExecution(address: bigint, length: bigint | number): void;
}

/** Virtual lo to lo + length ↔ host to host + length. */
export interface LinearRun {
  readonly lo: bigint;
  readonly length: bigint;
  readonly host: number;
}

interface Range {
  readonly from: bigint;
  readonly to: bigint;
}

export class LinearAddressSpace implements ProtectedSpace {
  readonly run: LinearRun;
  readonly #memory: MachineMemory;
  #code: readonly Range[] = [];

  constructor(memory: MachineMemory, run: LinearRun) {
    this.#memory = memory;
    this.run = run;
  }

  translate(address: bigint, access: Access): number | PageFault {
    const offset = address - this.run.lo;
    if (offset < 0n || offset >= this.run.length)
      return isCanonical(address)
        ? fault(address, access, 0)
        : { errorCode: 0, address, isCanonical: false };
    const host = this.run.host + Number(offset);
    if (access === 'read') return host;
    const flags = this.#memory.flagsAt(host);
    const present = (flags & pageFlags.absent) === 0 ? pageFaultCode.present : 0;
    if (access === 'write')
      return (flags & (pageFlags.readOnly | pageFlags.absent)) === 0
        ? host
        : fault(address, access, present);
    const isCode = this.#code.some(({ from, to }) => address >= from && address < to);
    return isCode ? host : fault(address, access, present);
  }

  protect(address: bigint, length: bigint | number, writable: boolean): void {
    this.#setFlags(address, BigInt(length), writable ? 0 : pageFlags.readOnly);
  }

  unmap(address: bigint, length: bigint | number): void {
    this.#setFlags(address, BigInt(length), pageFlags.absent);
  }

  allowExecution(address: bigint, length: bigint | number): void {
    this.#code = [...this.#code, { from: address, to: address + BigInt(length) }];
  }

  #setFlags(address: bigint, length: bigint, flags: number): void {
    if (length <= 0n) return;
    const page = BigInt(pageSize);
    const from = ((address - this.run.lo) / page) * page;
    const to = ((address - this.run.lo + length + page - 1n) / page) * page;
    if (from < 0n || to > this.run.length)
      throw new RangeError(`0x${address.toString(16)} lies outside of the address space`);
    this.#memory.setFlags(this.run.host + Number(from), Number(to - from), flags);
  }
}

const fault = (address: bigint, access: Access, present: number): PageFault => ({
  errorCode:
    present |
    (access === 'write' ? pageFaultCode.write : 0) |
    (access === 'execute' ? pageFaultCode.execute : 0),
  address,
});

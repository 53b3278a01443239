/**
 * Where a PV guest's code may be: anywhere, and all of it may change. What is mapped is read through its page tables, up to
 * where nothing is mapped that it may execute.
 */
import type { AddressSpace } from '../memory/address-space.ts';
import type { Width } from '../memory/layout.ts';
import { type MachineMemory, pageSize } from '../memory/machine-memory.ts';
import type { ChangingCode } from '../recompiler/store/code-region.ts';

/** Canonical addresses below and above the hole of 64-bit ones. */
const ranges = {
  64: [
    [0n, 2 ** 47],
    [0xffff_8000_0000_0000n, 2 ** 47],
  ],
  32: [[0n, 2 ** 32]],
} as const;

export function guestCode(
  memory: MachineMemory,
  space: AddressSpace,
  width: Width,
): readonly ChangingCode[] {
  const now = (from: bigint, length: number): Uint8Array => {
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; ) {
      const address = from + BigInt(at);
      const host = space.translate(address, 'execute');
      if (typeof host !== 'number') return bytes.subarray(0, at);
      const size = Math.min(length - at, pageSize - (host % pageSize));
      bytes.set(memory.bytes().subarray(host, host + size), at);
      at += size;
    }
    return bytes;
  };
  return ranges[width].map(([address, length]) => ({ address, length, now }));
}

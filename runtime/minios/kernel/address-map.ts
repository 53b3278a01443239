/**
 * Where things lie in an application's memory, upward: main stack, image segments, trampolines, kernel data, heap, free
 * space, thread stacks. Addresses are virtual.
 */

export interface AddressMap {
  readonly width: 64 | 32;
  readonly mainStack: { readonly low: bigint; readonly high: bigint };
  /** Page i * 16: host call i. */
  readonly trampolines: bigint;
  /** The kernel's own words that the guest may read and write. */
  readonly kernelData: bigint;
  /** One past the kernel's words: the heap, where it is not elsewhere. */
  readonly kernelEnd: bigint;
  readonly heap: bigint;
  /** One past the last byte of the heap and what follows it. */
  readonly end: bigint;
}

/** Bytes of one trampoline: `vmcall; ret`, then int3. */
export const trampolineSize = 16;
export const trampolineCode = Uint8Array.of(0x0f, 0x01, 0xc1, 0xc3);

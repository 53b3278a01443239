/** Why recompiled code came back to its caller: the number in the state block's `leaveReason`, and what the host reads from it. */

// biome-ignore format: a table
export const leaveReasons = {
  /** A return, jump or call to an address that no translated function begins at. */ jump: 0,
  /** The polls ran out. */ poll: 1,
  /** A kernel function is asked for: `leaveAddress` is the address of the host-call instruction; rip is the one after it. */ hostCall: 3,
  /** One that has been answered, but not so that the guest could go on at once. */ answered: 7,
  /** `leaveOperand` is the vector; rip is the faulting instruction (of traps the next one); `leaveAddress` is CR2 of a page fault. */ exception: 4,
  /** syscall or int 0x82. */ hypercall: 5,
  /** The instruction at rip is the host's: it asks for descriptors, privilege or ports. */ privileged: 6,
  /** The instruction at rip is the evaluator's: an access that the fast path does not serve, an exception, a float whose exceptions or rounding somebody may see. */ evaluate: 8,
  /** RDTSC, or RDTSCP where `leaveOperand` is 1; rip is behind it. */ timestamp: 9,
} as const;

/** The leave reason while nothing has left: a pc of all ones then is the guest's own, not `left` (layout.ts). */
export const noReason = -1;

/** DR0 to DR7 (SDM vol. 3, 18.2): up to four addresses that are watched, and what #DB says of itself. */

/** Reserved bits of DR6 and DR7 that read as 1. */
const fixedStatus = 0xffff_0ff0n;
const fixedControl = 0x400n;
/** DR6.BS. */
export const singleStep = 1n << 14n;

/** DR7's R/W fields. */
const kinds = { instruction: 0, write: 1, io: 2, access: 3 } as const;
/** DR7's LEN fields. */
const lengths = [1n, 2n, 8n, 4n] as const;

interface Breakpoint {
  /** Its bit in DR6. */
  readonly bit: bigint;
  readonly kind: number;
  readonly first: bigint;
  /** Behind it. */
  readonly end: bigint;
}

export class DebugRegisters {
  readonly #values: bigint[] = [0n, 0n, 0n, 0n, 0n, 0n, fixedStatus, fixedControl];
  #breakpoints: readonly Breakpoint[] = [];

  /** 0 to 3, 6 and 7. */
  get(n: number): bigint {
    return this.#values[n] ?? 0n;
  }

  set(n: number, value: bigint): void {
    this.#values[n] = value;
    const control = this.get(7);
    this.#breakpoints = [0, 1, 2, 3].flatMap((i) => {
      const isEnabled = ((control >> BigInt(2 * i)) & 3n) !== 0n;
      const fields = Number((control >> BigInt(16 + 4 * i)) & 15n);
      const kind = fields & 3;
      const length = kind === kinds.instruction ? 1n : (lengths[fields >> 2] ?? 1n);
      const first = this.get(i) & ~(length - 1n);
      return isEnabled ? [{ bit: 1n << BigInt(i), kind, first, end: first + length }] : [];
    });
  }

  get all(): readonly bigint[] {
    return this.#values;
  }

  /** Whether anything is watched. */
  get isArmed(): boolean {
    return this.#breakpoints.length > 0;
  }

  /** What of DR6 an instruction at an address asks for before it is executed. */
  atInstruction(address: bigint): bigint {
    return this.#sum(({ kind, first }) => kind === kinds.instruction && first === address);
  }

  /** What of DR6 an access to memory asks for. */
  atAccess(address: bigint, bytes: number, writes: boolean): bigint {
    return this.#sum(
      ({ kind, first, end }) =>
        (kind === kinds.access || (kind === kinds.write && writes)) &&
        address < end &&
        address + BigInt(bytes) > first,
    );
  }

  /** #DB is taken for these reasons; those of before stay until somebody clears them. */
  tell(reasons: bigint): void {
    this.#values[6] = this.get(6) | reasons;
  }

  #sum(matches: (breakpoint: Breakpoint) => boolean): bigint {
    return this.#breakpoints.reduce((sum, point) => (matches(point) ? sum | point.bit : sum), 0n);
  }
}

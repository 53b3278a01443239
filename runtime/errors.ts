/** The four kinds of failure, by who must hear of it (see STYLE: errors). Anything else thrown is a bug. */

/** The guest hears: a hypercall or device answers with a negative errno. */
export class XenError extends Error {
  override readonly name = 'XenError';
  readonly errno: string;

  constructor(errno: string, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.errno = errno;
  }
}

/** The guest hears through its IDT, or, where it has no handler, it stops with a fault report. */
export class CpuException extends Error {
  override readonly name = 'CpuException';
  /** SDM vol. 3, table 6-1. */
  readonly vector: number;
  readonly errorCode: number | undefined;
  /** CR2 of a page fault. */
  readonly address: bigint | undefined;

  constructor(vector: number, message: string, errorCode?: number, address?: bigint) {
    // Guests fault by the million, and a stack costs 20 µs that nobody looks at.
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    super(message);
    Error.stackTraceLimit = limit;
    this.vector = vector;
    this.errorCode = errorCode;
    this.address = address;
  }
}

/** We hear: something is not there yet; the domain stops and the message names what is missing. */
export class UnsupportedError extends Error {
  override readonly name = 'UnsupportedError';
}

/** The person hears: one line that begins `stubdom:`; exit status 125, or 2 for wrong usage. */
export class UserError extends Error {
  override readonly name = 'UserError';
  readonly status: number;

  constructor(message: string, options?: { status?: number; cause?: unknown }) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.status = options?.status ?? 125;
  }
}

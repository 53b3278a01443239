/** How a row of the Mini-OS API is written; api.ts joins them. */
import type { Kernel } from './kernel/kernel.ts';
import type { Park } from './kernel/park.ts';
import type { Argument, ArgumentsOf, ResultOf } from './marshal.ts';

export interface ApiFunction {
  /** As a C header would declare it. */
  readonly prototype: string;
  /** A Park lets other threads run until it has the result. */
  readonly run: (
    kernel: Kernel,
    ...values: readonly Argument[]
  ) => Argument | undefined | Park<Argument | undefined>;
  /** Whether a XenError is its result, as a negative errno; else it stops the guest. */
  readonly answersErrno: boolean;
}

export interface ApiData {
  /** As a C header would declare it, `extern` included; images reach it by a copy relocation. */
  readonly data: string;
  /** Bytes on x86-64 and x86-32. */
  readonly size: Readonly<Record<64 | 32, number>>;
}

export type ApiRow = ApiFunction | ApiData;

type Implementation<P extends string> = (
  kernel: Kernel,
  ...values: ArgumentsOf<P>
) => ResultOf<P> | Park<ResultOf<P>>;

/**
 * A row; the implementation takes and gives what the prototype says, or it does not compile. Errors of `minios_*` rows that
 * have a result are negative errnos.
 */
export function row<const P extends string>(prototype: P, run: Implementation<P>): ApiFunction {
  const answersErrno = /^(?!void \w)[^(]*\bminios_\w+\(/.test(prototype);
  return { prototype, run: run as unknown as ApiFunction['run'], answersErrno };
}

/** A row of one of Mini-OS's own functions that answer with a negative errno. */
export function errnoRow<const P extends string>(
  prototype: P,
  run: Implementation<P>,
): ApiFunction {
  return { prototype, run: run as unknown as ApiFunction['run'], answersErrno: true };
}

/** Leaves that are exceptions, and what they say of instructions that do not exist. */
import type { Outcome } from '../ir/evaluate.ts';
import type { Decoder } from '../x86/decode.ts';
import type { Leave } from './leave.ts';

export const exception = (
  vector: number,
  errorCode?: number,
  address?: bigint,
  detail?: string,
): Leave => ({ reason: 'exception', vector, errorCode, address, detail });

/** As recompiled code writes it: an exception's error code stands above its vector. */
export const operandOf = ({ reason, operand }: Extract<Outcome, { kind: 'leave' }>): number =>
  reason === 'exception' ? operand | (-1 << 8) : operand;

/** The instruction that raised #UD, and whether it was made for that. */
export function undefinedText(decoder: Decoder | undefined, rip: bigint): string | undefined {
  if (decoder === undefined) return undefined;
  const { length, mnemonic } = decoder.decode(rip);
  const bytes = [...decoder.bytesAt(rip, Math.max(length, 1))].map((byte) =>
    byte.toString(16).padStart(2, '0'),
  );
  const isNamed = /^UD[012]$/.test(mnemonic);
  return isNamed
    ? `${decoder.text(rip)} (${bytes.join(' ')})`
    : `x86: no semantics for ${decoder.text(rip)} (${bytes.join(' ')})`;
}

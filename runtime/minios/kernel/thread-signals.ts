/** What a thread has of signals: its mask, what is pending for it alone, its alternate stack (POSIX XSH 2.4). */
import { MINSIGSTKSZ, SS } from '../abi/signal.ts';
import { failure } from '../errno.ts';
import { PendingSignals } from './pending-signals.ts';
import type { FaultRegisters } from './signal-frame.ts';

/** As stack_t has it. */
export interface AlternateStack {
  readonly ss_sp: bigint;
  readonly ss_flags: number;
  readonly ss_size: bigint;
}

const noAlternateStack: AlternateStack = { ss_sp: 0n, ss_flags: 0, ss_size: 0n };

export interface ThreadSignals {
  mask: bigint;
  /** The mask that sigsuspend has replaced, for the handler that ends it. */
  suspended: bigint | undefined;
  /** What sigwait and its kin wait for. */
  waitsFor: bigint;
  alternate: AlternateStack;
  fault: FaultRegisters;
  readonly pending: PendingSignals;
}

/** A new thread has its maker's mask and nothing else. */
export const threadSignals = (maker?: ThreadSignals): ThreadSignals => ({
  mask: maker?.mask ?? 0n,
  suspended: undefined,
  waitsFor: 0n,
  alternate: noAlternateStack,
  fault: { trapno: 0, err: 0, cr2: 0n },
  pending: new PendingSignals(),
});

/** As stack_t shows it: whether it is in use, the stack pointer tells. */
export function alternateAt({ alternate }: ThreadSignals, sp: bigint): AlternateStack {
  const { ss_sp, ss_size } = alternate;
  if (ss_size === 0n) return { ...noAlternateStack, ss_flags: SS.DISABLE };
  const isOn = sp > ss_sp && sp - ss_sp <= ss_size;
  return { ss_sp, ss_size, ss_flags: isOn ? SS.ONSTACK : 0 };
}

export function changeAlternate(signals: ThreadSignals, sp: bigint, wanted: AlternateStack): void {
  if (alternateAt(signals, sp).ss_flags === SS.ONSTACK)
    throw failure('EPERM', 'the alternate stack is in use');
  const { ss_sp, ss_size, ss_flags } = wanted;
  if (ss_flags !== 0 && ss_flags !== SS.DISABLE && ss_flags !== SS.ONSTACK)
    throw failure('EINVAL', `ss_flags ${ss_flags}`);
  const isOff = ss_flags === SS.DISABLE;
  if (!isOff && ss_size < MINSIGSTKSZ) throw failure('ENOMEM', `ss_size ${ss_size}`);
  signals.alternate = isOff ? noAlternateStack : { ss_sp, ss_size, ss_flags: 0 };
}

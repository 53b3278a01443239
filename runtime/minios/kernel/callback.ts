/** What the kernel has a guest's own functions do: handlers of events, completions, signals (see callbacks.ts). */
import type { Pending, StackRange } from './threads.ts';

/** How a function is called, once it is certain that it is. */
export interface Entry {
  readonly function: bigint;
  /** Integers and pointers alone: six at most on x86-64. */
  readonly arguments: readonly bigint[];
  /** Its frame goes below; what is given in memory lies above. */
  readonly top: bigint;
  /** Where another stack than the thread's own is used: the whole of it. */
  readonly stack?: StackRange;
}

export interface Callback {
  /** For a report: `the handler of port 3`. */
  readonly what: string;
  /** Held back while the guest has local_irq_save'd, and while another such callback runs. */
  readonly isMaskable: boolean;
  /** Held back by local_irq_save alone. */
  readonly waitsForMask?: boolean;
  /**
   * Asked at the safe point, where the vCPU has the registers of the thread that is interrupted; `top` is where its stack is free.
   * It may write below that. Undefined: there is nothing to call any more. `endCall` ends the call that the thread waits in with
   * EINTR, if that is one which ends so; where `restarts`, only one that is never restarted. Else it is waited in afterwards.
   */
  enter(top: bigint, endCall: (restarts: boolean) => void): Entry | undefined;
  /**
   * The function has returned, and the vCPU has the interrupted registers again: they may be changed. True where the thread goes on
   * elsewhere than where it was interrupted, so that it waits for nothing any more.
   */
  returned?(): boolean;
}

/** A callback under way: what it interrupted. */
export interface Frame {
  readonly callback: Callback;
  /** The stack pointer when its function has returned. */
  readonly at: bigint;
  readonly stack: StackRange;
  readonly context: Uint8Array;
  /** The call that the thread waits in. */
  readonly pending: Pending | undefined;
  /** Whether the thread had given way. */
  readonly hadGivenWay: boolean;
  /** Of a thread that was blocked: its wakeup_time. */
  readonly asleepUntil: bigint | undefined;
  /** Woken meanwhile. */
  isWoken: boolean;
}

/** What may make a thread run without any call of another's. */
export interface WakeSource {
  /** Of the domain's monotonic clock; undefined where time alone brings nothing. */
  deadline(): bigint | undefined;
  /** Whether anything outside of the domain could still bring something. */
  isHopeful(): boolean;
  /** Brings about what is due. */
  look(now: bigint): void;
}

/**
 * What is answered while frames of the guest stand: host calls, hypercalls, the time, spent polls, misses of the TLB, and calls of
 * functions that are not translated yet. That saves unwinding them, and the forms of functions that they would be entered by again.
 */
import { leaveReasons, noReason } from '../recompiler/leave-reasons.ts';
import type { HostFunctions } from '../recompiler/store/code-store.ts';
import { cpuState } from '../x86/state.ts';
import type { Answer } from './leave.ts';
import type { Paging } from './paging.ts';
import type { StateBlock } from './state-block.ts';
import type { Translations } from './translations.ts';

/** Refills, of some 20 µs each, between two times that polls are given. */
const mostRefills = 256;

export class StandingCalls implements HostFunctions {
  readonly #state: StateBlock;
  readonly #translations: () => Translations;
  /** Who answers, while the vCPU runs. */
  by: Answer | undefined;
  readonly #readTimestamp: (operand: number) => void;
  readonly #paging: Paging | undefined;
  readonly #mustStep: () => boolean;
  #refills = 0;
  #called = 0n;

  constructor(
    state: StateBlock,
    translations: () => Translations,
    /** What RDTSC does. */
    timestamp: (operand: number) => void,
    paging: Paging | undefined,
    /** Whether recompiled code may not go on. */
    mustStep: () => boolean,
  ) {
    this.#state = state;
    this.#translations = translations;
    this.#readTimestamp = timestamp;
    this.#paging = paging;
    this.#mustStep = mustStep;
  }

  /** Polls have been given. */
  begin(): void {
    this.#refills = 0;
  }

  readonly flags = (): number => {
    this.#translations().missFlags();
    return this.#state.evaluatedFlags();
  };

  readonly answer = (): number => {
    if (this.by === undefined) return 0;
    const reason = this.#state.word32(cpuState.leaveReason);
    const operand = this.#state.word32(cpuState.leaveOperand);
    if (reason === leaveReasons.timestamp) {
      this.#readTimestamp(operand);
      this.#state.setWord32(cpuState.leaveReason, noReason);
      return 1;
    }
    const rip = this.#state.word64(cpuState.rip);
    const { removed } = this.#translations();
    const address = this.#state.word64(cpuState.leaveAddress);
    const goesOn = this.by(
      reason === leaveReasons.hypercall
        ? { reason: 'hypercall', operand }
        : { reason: 'hostCall', address },
    );
    // Another thread goes on elsewhere, and a frame may be that of a function which is no more.
    const isThere = this.#state.word64(cpuState.rip) === rip;
    const isWhole = this.#translations().removed === removed && !this.#mustStep();
    const stands = goesOn && isThere && isWhole;
    this.#state.setWord32(cpuState.leaveReason, stands ? noReason : leaveReasons.answered);
    return stands ? 1 : 0;
  };

  readonly more = (): number => (this.by?.({ reason: 'poll' }) === true ? 1 : 0);

  /** Where there were many, it is left to an exit, which ends the slice. */
  readonly refill = (signed: bigint, bytes: number, writes: number): number => {
    if (this.#refills === mostRefills) return 0;
    this.#refills++;
    return this.#paging?.refill(BigInt.asUintN(64, signed), bytes, writes !== 0) === true ? 1 : 0;
  };

  readonly find = (signed: bigint, isCall: number, sp: bigint): number => {
    const address = BigInt.asUintN(64, signed);
    if (this.#translations().find(address, isCall !== 0, BigInt.asUintN(64, sp))) return 1;
    if (!this.#translations().canTranslateNow(address, isCall !== 0)) return 0;
    this.#called = address;
    return this.by?.({ reason: 'translate' }) === true ? 1 : 0;
  };

  /** What `find` asks for; false where frames must be unwound first. */
  translate(): boolean {
    return this.#translations().translateNow(this.#called);
  }
}

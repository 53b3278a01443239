/** What a guest's own kernel is given for it by ours: CR0.TS, debug registers, and stores to pages that only ours may write. */
import { CpuException } from '../errors.ts';
import { cpuState } from '../x86/state.ts';
import type { DebugRegisters } from './debug-registers.ts';
import type { StoreThrough } from './evaluate-instruction.ts';
import type { Evaluator } from './evaluator.ts';
import type { Paging } from './paging.ts';
import type { StateBlock } from './state-block.ts';
import type { Translations } from './translations.ts';

/** The vCPU that it belongs to. */
interface Owner {
  rip: bigint;
  readonly paging: Paging | undefined;
}

export class Supervisor {
  readonly debug: DebugRegisters;
  readonly #owner: Owner;
  readonly #state: StateBlock;
  readonly #evaluator: Evaluator;
  readonly #translations: Translations;

  constructor(
    owner: Owner,
    debug: DebugRegisters,
    state: StateBlock,
    evaluator: Evaluator,
    translations: Translations,
  ) {
    this.debug = debug;
    this.#owner = owner;
    this.#state = state;
    this.#evaluator = evaluator;
    this.#translations = translations;
  }

  /** CR0.TS: while it is set, x87, MMX and SSE instructions raise #NM. */
  set isTaskSwitched(isSet: boolean) {
    if (isSet) this.#translations.check({ taskSwitched: true });
    this.#state.write(cpuState.taskSwitched, Uint8Array.of(isSet ? 1 : 0));
  }

  /**
   * Executes the instruction at rip, whose stores to a page that it may read are done by somebody else; false where it faults all
   * the same or the other refuses, and nothing has changed then.
   */
  storeThrough(other: StoreThrough): boolean {
    const owner = this.#owner;
    owner.paging?.begin(owner.rip);
    try {
      const outcome = this.#evaluator.storeThrough(owner.rip, other);
      if (outcome.kind !== 'jump') return false;
      owner.rip = outcome.target;
      return true;
    } catch (error) {
      if (error instanceof CpuException) return false;
      throw error;
    }
  }
}

/** What a vCPU's translations are made from, and how. */
import type { AddressSpace } from '../memory/address-space.ts';
import type { MachineMemory } from '../memory/machine-memory.ts';
import type { HostFunctions } from '../recompiler/store/code-store.ts';
import type { TranslatorOptions } from '../recompiler/translator.ts';

/** Which forms functions get: one of them alone, as tests want it, or what suits. */
export type Tier = 'resumable' | 'fast' | 'adaptive';

export interface TranslationsOptions extends TranslatorOptions {
  readonly memory: MachineMemory;
  readonly addressSpace: AddressSpace;
  /** 'adaptive' if not given. */
  readonly tier?: Tier | undefined;
  readonly host: HostFunctions;
  /** Code of which nobody knows what will run, and how it will have changed by then: nothing is made before it is called. */
  readonly madeWhenCalled?: boolean;
  /** Modules beyond which those with the least left become one; some hundreds if not given. */
  readonly mostModules?: number | undefined;
}

export interface TranslationSize {
  readonly functions: number;
  /** Of Wasm. */
  readonly bytes: number;
}

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
  readonly tier?: Tier;
  readonly host: HostFunctions;
}

export interface TranslationSize {
  readonly functions: number;
  /** Of Wasm. */
  readonly bytes: number;
}

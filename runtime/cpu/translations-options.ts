/** What a vCPU's translations are made from, and how. */
import type { AddressSpace } from '../memory/address-space.ts';
import type { MachineMemory } from '../memory/machine-memory.ts';
import type { OnProgress } from '../recompiler/module.ts';
import type { HostFunctions } from '../recompiler/store/code-store.ts';
import type { TranslatorOptions } from '../recompiler/translator.ts';
import type { KeptCodeOptions } from './kept-code.ts';

/** Which forms functions get: one of them alone, as tests want it, or what suits. */
export type Tier = 'resumable' | 'fast' | 'adaptive';

export interface TranslationsOptions extends TranslatorOptions, Omit<KeptCodeOptions, 'now'> {
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

/** What is translated together. */
export interface Gathering {
  readonly most?: number;
  /** What is not translated again. */
  readonly has?: (address: bigint) => boolean;
  /** It is made from the image, before the guest has run. */
  readonly isImage?: boolean;
  readonly onProgress?: OnProgress | undefined;
  readonly framesStand?: boolean;
  /** What it is made for: the others are for its calls alone where they stand in a larger module already. */
  readonly root?: bigint;
}

/** What a vCPU is made of: memory, where its code is, and its world. */
import type { AddressSpace } from '../memory/address-space.ts';
import type { MachineMemory } from '../memory/machine-memory.ts';
import type { PageTables } from '../memory/page-tables.ts';
import type { CodeRegion } from '../recompiler/store/code-region.ts';
import type { Mode } from '../x86/registers.ts';
import type { Environment } from './environment.ts';
import type { TranslationsOptions } from './translations-options.ts';
import type { VcpuTables } from './vcpu-tables.ts';

export interface VcpuOptions
  extends Pick<TranslationsOptions, 'tier' | 'mostModules' | 'madeWhenCalled'> {
  readonly mode: Mode;
  readonly memory: MachineMemory;
  readonly addressSpace: AddressSpace;
  /** The linear run that translated loads and stores go through; empty where there are page tables. */
  readonly run: { readonly lo: bigint; readonly length: bigint; readonly host: number };
  /** The guest's, where `addressSpace` goes through them. */
  readonly pageTables?: PageTables;
  /** Executable memory. */
  readonly code: readonly CodeRegion[];
  /** Where functions are known to begin; they are translated together. */
  readonly entries: readonly bigint[];
  /** So many bits of memory that never changes: an entry of a jump table. */
  readonly readConstant: (address: bigint, width: Mode) => bigint | undefined;
  /** Offset of the table of page flags (machine-memory.ts). */
  readonly pageFlags: number;
  /** Descriptor tables, time, and what level 3 may not do. */
  readonly environment: Environment;
  /** Allocated at once if not given. */
  readonly tables?: VcpuTables;
}

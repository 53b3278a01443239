/** A vCPU's own part of the machine's memory. */
import type { MachineMemory } from '../memory/machine-memory.ts';
import { codeMapBytes } from '../recompiler/layout.ts';
import { cpuStateSize } from '../x86/state.ts';

/** Host offsets. */
export interface VcpuTables {
  readonly state: number;
  readonly codeMap: number;
}

/** To be allocated before the guest's memory, so that kept translations do not depend on its size. */
export const allocateTables = (memory: MachineMemory): VcpuTables => ({
  state: memory.allocateState(cpuStateSize),
  codeMap: memory.allocate(codeMapBytes),
});

/** A vCPU's state block before it has run anything. */
import { cpuState } from '../x86/state.ts';
import type { Environment } from './environment.ts';
import type { StateBlock } from './state-block.ts';

/** MXCSR and x87 control word at reset (SDM vol. 1, 10.2.3 and 8.1.5, as FNINIT leaves it). */
const initialMxcsr = 0x1f80;
const initialFpuControl = 0x37f;
/** Bit 1 of EFLAGS is always 1; IF. */
const initialFlags = 0x202;

/** Checks of accesses subtract their span from the run's length, and spans are at most 256 bytes. */
const shortestRun = 4096n;

export function reset(
  state: StateBlock,
  options: {
    readonly run: { readonly length: bigint };
    readonly pageTables?: unknown;
    readonly environment: Environment;
  },
): void {
  const { run, pageTables, environment } = options;
  if (pageTables === undefined && run.length < shortestRun)
    throw new RangeError(`a linear run has ${run.length} bytes; ${shortestRun} is the least`);
  for (let i = 0; i <= 4; i++)
    state.setWord64(cpuState.runLimits + 8 * i, run.length - BigInt(2 ** i));
  for (let i = 0; i < 32; i++)
    state.setWord64(cpuState.runSpans + 8 * i, run.length - BigInt(8 * (i + 1)));
  state.setWord32(cpuState.mxcsr, initialMxcsr);
  state.setWord32(cpuState.fpuControl, initialFpuControl);
  state.setWord32(cpuState.otherFlags, initialFlags);
  for (const [i, selector] of environment.selectors.entries())
    state.write(cpuState.selectors + 2 * i, Uint8Array.of(selector & 0xff, selector >> 8));
}

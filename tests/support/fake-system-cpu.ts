/** A vCPU's registers, selectors and bases, which nothing runs. */
import { DebugRegisters } from '../../runtime/cpu/debug-registers.ts';
import type { Leave } from '../../runtime/cpu/leave.ts';
import { cpuStateSize } from '../../runtime/x86/state.ts';
import type { SystemCpu } from '../../runtime/xen/pv-cpu.ts';

export class FakeSystemCpu implements SystemCpu {
  readonly mode: 64 | 32;
  rip = 0n;
  eflags = 0x202n;
  /** Nothing is executed. */
  readonly supervisor = {
    isTaskSwitched: false,
    debug: new DebugRegisters(),
    storeThrough: (): boolean => false,
  };
  readonly #registers: bigint[] = new Array(32).fill(0n);
  readonly #state = new Uint8Array(cpuStateSize);

  constructor(mode: 64 | 32) {
    this.mode = mode;
  }

  register(n: number): bigint {
    return this.#registers[n] ?? 0n;
  }

  setRegister(n: number, value: bigint): void {
    this.#registers[n] = BigInt.asUintN(this.mode, value);
  }

  readState(offset: number, bytes: number): Uint8Array {
    return this.#state.slice(offset, offset + bytes);
  }

  writeState(offset: number, bytes: Uint8Array): void {
    this.#state.set(bytes, offset);
  }

  saveContext(): Uint8Array {
    return this.#state.slice();
  }

  guardFloats(): void {}

  restoreContext(context: Uint8Array): void {
    this.#state.set(context);
  }

  run(): Leave {
    return { reason: 'poll' };
  }

  translate(): Promise<void> {
    return Promise.resolve();
  }

  translateNow(): boolean {
    return false;
  }

  setPolls(): void {}
}

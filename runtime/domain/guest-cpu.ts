/** What a domain and its kernel ask of a vCPU. */
import type { Answer, Leave } from '../cpu/leave.ts';

export interface GuestCpu {
  readonly mode: 64 | 32;
  /** By the numbers of x86/registers.ts. */
  register(n: number): bigint;
  setRegister(n: number, value: bigint): void;
  get rip(): bigint;
  set rip(address: bigint);
  get eflags(): bigint;
  set eflags(value: bigint);
  /** A part of the state block (x86/state.ts). */
  readState(offset: number, bytes: number): Uint8Array;
  writeState(offset: number, bytes: Uint8Array): void;
  /** All that a thread switch must keep, x87 and SSE included. */
  saveContext(): Uint8Array;
  restoreContext(context: Uint8Array): void;
  /** MXCSR may be another than at reset from now on, though no code of the guest's has set it. */
  guardFloats(): void;
  /** Runs guest code until it leaves; 'poll' when the polls are spent. Host calls may be answered on the way. */
  run(answer?: Answer): Leave;
  /** Makes the code at rip runnable; asked for by leaving with 'translate'. */
  translate(): Promise<void>;
  /** The same at once: what answers `run` is asked for it by 'translate'; false where that cannot be. */
  translateNow(): boolean;
  setPolls(count: number): void;
}

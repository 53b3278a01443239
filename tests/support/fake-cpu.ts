/** A vCPU whose code is TypeScript: a program is a list of steps, one address each, that call Mini-OS as C would. */
import type { Leave } from '../../runtime/cpu/leave.ts';
import type { GuestCpu } from '../../runtime/domain/guest-cpu.ts';
import type { GuestMemory } from '../../runtime/memory/guest-memory.ts';
import { RAX, RCX, RDI, RDX, RSI, RSP } from '../../runtime/x86/registers.ts';
import { cpuStateSize } from '../../runtime/x86/state.ts';

export type Step = (cpu: FakeCpu) => Leave | undefined;

const integerRegisters = [RDI, RSI, RDX, RCX, 8, 9];

export class FakeCpu implements GuestCpu {
  readonly mode: 64 | 32;
  rip = 0n;
  eflags = 0x202n;
  polls = 0;
  readonly #registers: bigint[] = new Array(32).fill(0n);
  /** The rest of the state block. */
  readonly #state = new Uint8Array(cpuStateSize);
  readonly #memory: GuestMemory;
  readonly #steps = new Map<bigint, Step>();
  readonly #trampolineOf: (name: string) => bigint;

  constructor(mode: 64 | 32, memory: GuestMemory, trampolineOf: (name: string) => bigint) {
    this.mode = mode;
    this.#memory = memory;
    this.#trampolineOf = trampolineOf;
  }

  /** Puts a program at an address. */
  load(address: bigint, steps: readonly Step[]): void {
    for (const [i, step] of steps.entries()) this.#steps.set(address + BigInt(i), step);
  }

  register(n: number): bigint {
    return this.#registers[n] ?? 0n;
  }

  setRegister(n: number, value: bigint): void {
    this.#registers[n] = BigInt.asUintN(this.mode, value);
  }

  /** Of the call before, as a C int. */
  get result(): number {
    return Number(BigInt.asIntN(32, this.register(RAX)));
  }

  readState(offset: number, bytes: number): Uint8Array {
    return this.#state.slice(offset, offset + bytes);
  }

  writeState(offset: number, bytes: Uint8Array): void {
    this.#state.set(bytes, offset);
  }

  saveContext(): Uint8Array {
    const words = [...this.#registers.map((r) => BigInt.asUintN(64, r)), this.rip];
    const registers = new Uint8Array(BigUint64Array.from(words).buffer);
    return Uint8Array.from([...registers, ...this.#state]);
  }

  guardFloats(): void {}

  restoreContext(context: Uint8Array): void {
    const words = new BigUint64Array(context.slice(0, 33 * 8).buffer);
    this.#state.set(context.subarray(33 * 8));
    for (let n = 0; n < 32; n++) this.#registers[n] = words[n] ?? 0n;
    this.rip = words[32] ?? 0n;
  }

  translate(): Promise<void> {
    return Promise.resolve();
  }

  translateNow(): boolean {
    return false;
  }

  setPolls(count: number): void {
    this.polls = count;
  }

  run(): Leave {
    for (;;) {
      const step = this.#steps.get(this.rip);
      if (step === undefined) {
        this.#return();
        continue;
      }
      this.rip += 1n;
      if (this.polls-- <= 0) {
        this.rip -= 1n;
        return { reason: 'poll' };
      }
      const leave = step(this);
      if (leave !== undefined) return leave;
    }
  }

  /** Calls a function of the API; on x86-32 a bigint argument takes two words. */
  call(name: string, ...values: readonly (number | bigint)[]): Leave {
    if (this.mode === 64) {
      for (const value of values.slice(6).reverse()) this.#push(BigInt(value));
      for (const [i, value] of values.slice(0, 6).entries())
        this.setRegister(integerRegisters[i] ?? 0, BigInt(value));
    } else {
      for (const value of values.toReversed()) {
        const wide = BigInt.asUintN(64, BigInt(value));
        if (typeof value === 'bigint') this.#push(wide >> 32n);
        this.#push(wide & 0xffff_ffffn);
      }
    }
    this.#push(this.rip);
    const address = this.#trampolineOf(name);
    this.rip = address + 3n;
    return { reason: 'hostCall', address };
  }

  /** As `ret` does; what the caller pushed stays, as in both conventions. */
  #return(): void {
    const stack = this.register(RSP);
    this.rip = this.#memory.readWord(stack, this.mode);
    this.setRegister(RSP, stack + BigInt(this.mode / 8));
    for (const name of ['exit_thread', 'minios_callback_return']) {
      const trampoline = this.#trampolineOf(name);
      if (this.rip === trampoline) this.#steps.set(trampoline, (cpu) => cpu.#enter(trampoline));
    }
  }

  #enter(address: bigint): Leave {
    this.rip = address + 3n;
    return { reason: 'hostCall', address };
  }

  #push(value: bigint): void {
    const stack = this.register(RSP) - BigInt(this.mode / 8);
    this.setRegister(RSP, stack);
    this.#memory.writeWord(stack, value, this.mode);
  }
}

/**
 * What a thread has of its own above its stack: thread-local variables, the word that fs or gs leads to behind them ("ELF Handling For
 * Thread-Local Storage", 3.4.2 and 3.4.6: variant II, static), and struct thread.
 */
import type { GuestCpu } from '../../domain/guest-cpu.ts';
import type { ThreadVariables } from '../../elf/image.ts';
import type { GuestMemory } from '../../memory/guest-memory.ts';
import { cpuState } from '../../x86/state.ts';
import { threadSize } from '../abi/sched.ts';

export interface ThreadPlace {
  /** What fs (x86-64) or gs (x86-32) begins at; undefined where the image has no thread-local variables. */
  readonly pointer: bigint | undefined;
  /** struct thread. */
  readonly thread: bigint;
  /** Bytes from the base on. */
  readonly size: number;
}

/** What an image may look for behind its own pointer: in other systems a stack guard and the like, here zeros. */
const behindPointer = 64n;

const roundUp = (value: bigint, step: bigint): bigint => (value + step - 1n) & -step;

/** `base`: a page's. */
export function threadPlace(
  base: bigint,
  width: 64 | 32,
  variables: ThreadVariables | undefined,
): ThreadPlace {
  const sized = (thread: bigint): number => Number(thread - base) + threadSize[width];
  if (variables === undefined) return { pointer: undefined, thread: base, size: sized(base) };
  const alignment = BigInt(Math.max(variables.alignment, 16));
  const pointer = roundUp(base + BigInt(variables.size), alignment);
  const thread = pointer + behindPointer;
  return { pointer, thread, size: sized(thread) };
}

/** Writes the variables as the image has them, and the pointer to the pointer. */
export function writeVariables(
  memory: GuestMemory,
  { pointer }: ThreadPlace,
  width: 64 | 32,
  variables: ThreadVariables | undefined,
): void {
  if (pointer === undefined || variables === undefined) return;
  const { bytes, size, alignment } = variables;
  const start = pointer - roundUp(BigInt(size), BigInt(alignment));
  memory.fill(start, Number(pointer + behindPointer - start), 0);
  memory.writeBytes(start, bytes);
  memory.writeWord(pointer, pointer, width);
}

const bytesOf = (value: bigint): Uint8Array => {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, value, true);
  return bytes;
};

const baseOffset = (width: 64 | 32): number => (width === 64 ? cpuState.fsBase : cpuState.gsBase);

export function setThreadPointer(cpu: GuestCpu, pointer: bigint | undefined): void {
  if (pointer !== undefined) cpu.writeState(baseOffset(cpu.mode), bytesOf(pointer));
}

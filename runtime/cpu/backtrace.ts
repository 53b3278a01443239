/**
 * Who called: by the chain of frame pointers where there is one, else by what looks like a return address on the stack,
 * one whose preceding bytes are a call. Guests are optimised code without unwind tables, so the second may name stale frames.
 */
import type { Segment } from '../elf/segments.ts';
import { XenError } from '../errors.ts';
import type { GuestMemory } from '../memory/guest-memory.ts';
import { pageSize } from '../memory/machine-memory.ts';

export interface StackToWalk {
  readonly memory: GuestMemory;
  readonly width: 64 | 32;
  readonly segments: readonly Segment[];
  readonly stack: { readonly low: bigint; readonly high: bigint };
  readonly stackPointer: bigint;
  readonly framePointer: bigint;
  /** The frame pointer is that of the function that runs; else some on the stack's top have no frame. */
  readonly hasFrame: boolean;
}

export interface Frame {
  readonly address: bigint;
  /** Found by looking through the stack. */
  readonly isGuess: boolean;
  /** The same frame, this many times in a row: recursion. */
  readonly count: number;
}

/** Beyond these nobody looks: they only keep a report from taking long. */
const mostFrames = 200_000;
const mostScanned = 16 * 2 ** 20;

/** The nearest caller first; recursion is one frame. */
export function backtrace(walk: StackToWalk): Frame[] {
  const frames = new Frames(walk);
  if (!byFramePointers(walk, frames)) scan(walk, walk.stack.high, frames);
  return frames.list;
}

/** Collects frames whose address follows a call. */
class Frames {
  readonly list: { address: bigint; isGuess: boolean; count: number }[] = [];
  readonly #walk: StackToWalk;
  readonly #known = new Map<bigint, boolean>();

  constructor(walk: StackToWalk) {
    this.#walk = walk;
  }

  /** False where it is no return address, and nothing was added. */
  add(address: bigint, isGuess: boolean): boolean {
    const isReturn = this.#known.get(address) ?? followsCall(this.#walk, address);
    this.#known.set(address, isReturn);
    const last = this.list.at(-1);
    if (!isReturn) return false;
    if (last?.address === address && last.isGuess === isGuess) last.count++;
    else this.list.push({ address, isGuess, count: 1 });
    return true;
  }

  clear(): void {
    this.list.length = 0;
  }
}

/** False where there is no chain of at least two frames, and no frame is left. */
function byFramePointers(walk: StackToWalk, frames: Frames): boolean {
  const { memory, width, hasFrame, framePointer } = walk;
  const size = BigInt(width / 8);
  if (!hasFrame && isOnStack(walk, framePointer, size)) scan(walk, framePointer, frames);
  let frame = framePointer;
  let found = 0;
  while (found < mostFrames && isOnStack(walk, frame, 2n * size)) {
    const pair = readQuietly(memory, frame, 2 * Number(size));
    if (pair.length === 0) break;
    const [next, caller] = words(pair, width);
    if (!frames.add(caller, false)) break;
    found++;
    if (next <= frame) break;
    frame = next;
  }
  if (found < 2) frames.clear();
  return found >= 2;
}

/** All that looks like a return address from the stack pointer up to `end`. */
function scan(walk: StackToWalk, end: bigint, frames: Frames): void {
  const size = walk.width / 8;
  const { low } = walk.stack;
  const pointer = BigInt.asIntN(walk.width, walk.stackPointer);
  const start = pointer < low ? low : pointer;
  if (start >= end) return;
  const aligned = start - (start % BigInt(size));
  const bytes = readWhatIsThere(walk.memory, aligned, Math.min(Number(end - aligned), mostScanned));
  const { length } = bytes;
  const view = new DataView(bytes.buffer);
  const [first, last] = codeRange(walk);
  for (let at = 0; at + size <= length; at += size) {
    const high = size === 8 ? view.getUint32(at + 4, true) : 0;
    const word = view.getUint32(at, true) + high * 2 ** 32;
    if (word > first && word <= last) frames.add(BigInt(word), true);
  }
}

/** Addresses below 2^53, so that most words of a stack are passed over quickly. */
function codeRange({ segments }: StackToWalk): readonly [number, number] {
  const code = segments.filter(({ executable }) => executable);
  return [
    Math.min(...code.map(({ address }) => Number(address))),
    Math.max(...code.map(({ address, memorySize }) => Number(address + memorySize))),
  ];
}

const isOnStack = ({ stack, width }: StackToWalk, address: bigint, length: bigint): boolean =>
  address >= stack.low && address + length <= stack.high && address % BigInt(width / 8) === 0n;

/** Of two. */
function words(pair: Uint8Array, width: StackToWalk['width']): readonly [bigint, bigint] {
  const view = new DataView(pair.buffer, pair.byteOffset);
  return width === 64
    ? [view.getBigUint64(0, true), view.getBigUint64(8, true)]
    : [BigInt(view.getUint32(0, true)), BigInt(view.getUint32(4, true))];
}

/** Up to the first page that is not there: a guest says itself where the stacks of its threads are. */
function readWhatIsThere(
  memory: StackToWalk['memory'],
  address: bigint,
  length: number,
): Uint8Array {
  const whole = readQuietly(memory, address, length);
  if (whole.length === length) return whole;
  let known = pageSize - Number(BigInt.asUintN(12, address));
  while (known < length && readQuietly(memory, address + BigInt(known), 1).length > 0)
    known += pageSize;
  return readQuietly(memory, address, Math.min(known, length));
}

/** Nothing where it cannot be read: a guest may have unmapped its own code. */
function readQuietly(memory: StackToWalk['memory'], address: bigint, length: number): Uint8Array {
  try {
    return memory.readBytes(address, length);
  } catch (error) {
    if (error instanceof XenError) return new Uint8Array();
    throw error;
  }
}

/** CALL rel32 is e8 and four bytes; CALL r/m is ff /2 with 2 to 7 bytes, REX included. */
function followsCall({ memory, segments }: StackToWalk, address: bigint): boolean {
  const segment = segments.find(
    (s) => s.executable && address > s.address && address < s.address + s.memorySize,
  );
  if (segment === undefined) return false;
  const before = Math.min(Number(address - segment.address), 7);
  const bytes = readQuietly(memory, address - BigInt(before), before);
  if (bytes[before - 5] === 0xe8) return true;
  for (let length = 2; length <= before; length++) {
    const modrm = bytes[before - length + 1] ?? 0;
    if (bytes[before - length] === 0xff && (modrm & 0x38) === 0x10)
      if (length === 1 + modrmLength(modrm, bytes[before - length + 2] ?? 0)) return true;
  }
  return false;
}

/** Bytes of ModR/M, SIB and displacement (SDM vol. 2, 2.1.5). */
function modrmLength(modrm: number, sib: number): number {
  const [mod, rm] = [modrm >> 6, modrm & 7];
  if (mod === 3) return 1;
  const hasSib = rm === 4;
  const isAbsolute = mod === 0 && (rm === 5 || (hasSib && (sib & 7) === 5));
  return 1 + Number(hasSib) + (mod === 1 ? 1 : mod === 2 || isAbsolute ? 4 : 0);
}

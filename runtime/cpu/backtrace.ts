/**
 * Who called: by the chain of frame pointers where there is one, else by what looks like a return address on the stack,
 * one whose preceding bytes are a call. Guests are optimised code without unwind tables, so the second may name stale frames.
 */
import type { Segment } from '../elf/segments.ts';
import type { GuestMemory } from '../memory/guest-memory.ts';

export interface StackToWalk {
  readonly memory: GuestMemory;
  readonly width: 64 | 32;
  readonly segments: readonly Segment[];
  readonly stack: { readonly low: bigint; readonly high: bigint };
  readonly stackPointer: bigint;
  readonly framePointer: bigint;
}

export interface Frame {
  readonly address: bigint;
  /** Found by looking through the stack. */
  readonly isGuess: boolean;
}

const mostFrames = 64;
const mostScanned = 64 * 1024;

export function backtrace(walk: StackToWalk): Frame[] {
  const chain = byFramePointers(walk);
  return chain.length > 1 ? chain : byScanning(walk);
}

function byFramePointers(walk: StackToWalk): Frame[] {
  const size = BigInt(walk.width / 8);
  const frames: Frame[] = [];
  let frame = walk.framePointer;
  while (frames.length < mostFrames && isOnStack(walk, frame, 2n * size)) {
    const address = walk.memory.readWord(frame + size, walk.width);
    if (!followsCall(walk, address)) break;
    frames.push({ address, isGuess: false });
    const next = walk.memory.readWord(frame, walk.width);
    if (next <= frame) break;
    frame = next;
  }
  return frames;
}

function byScanning(walk: StackToWalk): Frame[] {
  const size = walk.width / 8;
  const { low, high } = walk.stack;
  let start = walk.stackPointer;
  if (start < low) start = low;
  if (start > high) return [];
  const aligned = start - (start % BigInt(size));
  const length = Math.min(Number(high - aligned), mostScanned);
  const bytes = walk.memory.readBytes(aligned, length);
  const view = new DataView(bytes.buffer);
  const frames: Frame[] = [];
  for (let at = 0; at + size <= length && frames.length < mostFrames; at += size) {
    const address = size === 8 ? view.getBigUint64(at, true) : BigInt(view.getUint32(at, true));
    if (followsCall(walk, address)) frames.push({ address, isGuess: true });
  }
  return frames;
}

const isOnStack = ({ stack, width }: StackToWalk, address: bigint, length: bigint): boolean =>
  address >= stack.low && address + length <= stack.high && address % BigInt(width / 8) === 0n;

/** CALL rel32 is e8 and four bytes; CALL r/m is ff /2 with 2 to 7 bytes, REX included. */
function followsCall({ memory, segments }: StackToWalk, address: bigint): boolean {
  const segment = segments.find(
    (s) => s.executable && address > s.address && address < s.address + s.memorySize,
  );
  if (segment === undefined) return false;
  const before = Math.min(Number(address - segment.address), 7);
  const bytes = memory.readBytes(address - BigInt(before), before);
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

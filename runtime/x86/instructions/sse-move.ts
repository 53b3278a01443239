/** Moves of SSE, SSE2 and SSE3 vectors and scalars (SDM vol. 1, 5.5.1.1, 5.6.1.1, 5.6.3, 5.6.4, 5.7). */
import * as v from '../../ir/build.ts';
import type { InstructionTable, Semantics } from '../semantics.ts';
import { enterMmx, readMmx, writeMmx } from './mmx-registers.ts';
import {
  alignedAddress,
  type FloatWidth,
  lowPart,
  nothing,
  setLowPart,
  shuffleLanes,
  vector,
} from './simd.ts';

const moveAligned: Semantics = (b, [destination, source]) => {
  if (destination.kind === 'memory') b.store(alignedAddress(b, destination), b.read(source));
  else b.write(destination, vector(b, source));
};

const moveUnaligned: Semantics = (b, [destination, source]) => b.write(destination, b.read(source));

/** From memory the upper part becomes 0, between registers it stays. */
const moveScalar =
  (width: FloatWidth): Semantics =>
  (b, [destination, source]) => {
    const low = lowPart(b, source, width);
    if (destination.kind === 'memory') b.write(destination, low);
    else if (source.kind === 'memory') b.write(destination, v.resize(low, 128));
    else setLowPart(b, destination, low);
  };

/** One half of a vector, the other stays. */
const moveHalf =
  (offset: 0 | 64): Semantics =>
  (b, [destination, source]) => {
    if (destination.kind === 'memory') b.write(destination, v.slice(b.read(source), offset, 64));
    else b.write(destination, v.insert(b.read(destination), offset, b.read(source)));
  };

const moveAcross =
  (to: 0 | 64, from: 0 | 64): Semantics =>
  (b, [destination, source]) =>
    b.write(destination, v.insert(b.read(destination), to, v.slice(b.read(source), from, 64)));

/** MOVD and MOVQ between vectors, general registers and memory: what is wider gets zeros. */
const moveLow =
  (width: 32 | 64): Semantics =>
  (b, [destination, source]) => {
    const narrow = source.kind === 'memory' || source.width < 128 ? source : undefined;
    const low =
      source.kind === 'special'
        ? v.resize(readMmx(b, source), width)
        : narrow === undefined
          ? v.slice(b.read(source), 0, width)
          : b.read(narrow);
    if (destination.kind === 'special') writeMmx(b, destination, v.resize(low, 64));
    else b.write(destination, destination.width === 128 ? v.resize(low, 128) : low);
    if (source.kind === 'special') enterMmx(b);
  };

const moveMask =
  (width: FloatWidth): Semantics =>
  (b, [destination, source]) =>
    b.write(destination, v.resize(v.lane('laneBits', width)(b.read(source)), destination.width));

/** MOVSHDUP, MOVSLDUP. */
const duplicate =
  (indices: readonly number[]): Semantics =>
  (b, [destination, source]) => {
    const x = vector(b, source);
    b.write(destination, shuffleLanes(32, x, x, indices));
  };

const movddup: Semantics = (b, [destination, source]) => {
  const low = lowPart(b, source, 64);
  b.write(destination, v.pack(low, low));
};

export const sseMoves = {
  MOVAPS: moveAligned,
  MOVUPS: moveUnaligned,
  MOVSS: moveScalar(32),
  MOVLPS: moveHalf(0),
  MOVHPS: moveHalf(64),
  MOVHLPS: moveAcross(0, 64),
  MOVLHPS: moveAcross(64, 0),
  MOVMSKPS: moveMask(32),
  MOVNTPS: moveAligned,
  PREFETCHNTA: nothing,
  PREFETCHT0: nothing,
  PREFETCHT1: nothing,
  PREFETCHT2: nothing,
  SFENCE: nothing,
} as const satisfies InstructionTable;

export const sse2Moves = {
  MOVAPD: moveAligned,
  MOVUPD: moveUnaligned,
  MOVSD: moveScalar(64),
  MOVLPD: moveHalf(0),
  MOVHPD: moveHalf(64),
  MOVMSKPD: moveMask(64),
  MOVDQA: moveAligned,
  MOVDQU: moveUnaligned,
  MOVD: moveLow(32),
  MOVQ: moveLow(64),
  MOVNTPD: moveAligned,
  MOVNTDQ: moveAligned,
  MOVNTI: (b, [destination, source]) => b.write(destination, b.read(source)),
  LFENCE: nothing,
  MFENCE: nothing,
  PAUSE: nothing,
  /** Faults as a load would. */
  CLFLUSH: (b, [place]) => {
    if (place.kind === 'memory') b.load(b.address(place), 8);
  },
} as const satisfies InstructionTable;

export const sse3Moves = {
  LDDQU: moveUnaligned,
  MOVDDUP: movddup,
  MOVSHDUP: duplicate([1, 1, 3, 3]),
  MOVSLDUP: duplicate([0, 0, 2, 2]),
} as const satisfies InstructionTable;

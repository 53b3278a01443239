/**
 * MMX (SDM vol. 1, 5.4): what only MMX registers have. The rows of sse2-integer.ts and ssse3.ts mean MMX operands, too.
 */
import * as v from '../../ir/build.ts';
import type { Builder } from '../../ir/builder.ts';
import type { Operand } from '../../ir/operand.ts';
import type { Value } from '../../ir/value.ts';
import type { InstructionTable, Semantics } from '../semantics.ts';
import { cpuState } from '../state.ts';
import { enterMmx } from './mmx-registers.ts';
import {
  type FloatWidth,
  laneOf,
  lowPart,
  setVector,
  type Unary,
  vector,
  vectorOf,
} from './simd.ts';
import { fromSigned, toSigned } from './sse-convert.ts';
import { maskedStore } from './sse2-integer.ts';

/** Empties the x87's registers; like every MMX instruction it clears TOP (SDM vol. 3, table 12-1). */
const emms: Semantics = (b) => {
  b.storeCpu(cpuState.fpuTop, v.constant(32, 0));
  b.storeCpu(cpuState.fpuTags, v.constant(32, 0));
};

const movq2dq: Semantics = (b, [destination, source]) => {
  b.write(destination, vector(b, source));
  enterMmx(b);
};

const movdq2q: Semantics = (b, [destination, source]) => setVector(b, destination, b.read(source));

const movntq: Semantics = (b, [destination, source]) => {
  b.write(destination, v.slice(vector(b, source), 0, 64));
  enterMmx(b);
};

const maskmovq: Semantics = (b, [place, source, mask]) => {
  maskedStore(b, place, vector(b, source), vector(b, mask), 64);
  enterMmx(b);
};

/** Two integers of 32 bits → floats. From memory no MMX register is touched, and the x87 stays as it is. */
const integersToFloats =
  (width: FloatWidth): Semantics =>
  (b, [destination, source]) => {
    const pair = source.kind === 'memory' ? v.resize(b.read(source), 128) : vector(b, source);
    const results = [0, 1].map((i) => fromSigned(width)(laneOf(pair, i, 32)));
    const whole = vectorOf(results);
    b.write(destination, width === 64 ? whole : v.insert(b.read(destination), 0, lower(whole)));
    if (source.kind === 'special') enterMmx(b);
  };

const lower = (a: Value): Value => v.slice(a, 0, 64);

/** Two floats → integers of 32 bits. The x87 becomes MMX even where the conversion raises #XM. */
const floatsToIntegers =
  (width: FloatWidth, convert: Unary): Semantics =>
  (b, [destination, source]) => {
    const pair = floats(b, source, width);
    enterMmx(b);
    const results = [0, 1].map((i) => convert(laneOf(pair, i, width)));
    setVector(b, destination, vectorOf(results));
  };

const floats = (b: Builder, source: Operand, width: FloatWidth): Value =>
  width === 64 ? vector(b, source) : v.resize(lowPart(b, source, 64), 128);

export const mmx = {
  EMMS: emms,
  MOVQ2DQ: movq2dq,
  MOVDQ2Q: movdq2q,
  MOVNTQ: movntq,
  MASKMOVQ: maskmovq,
  CVTPI2PS: integersToFloats(32),
  CVTPI2PD: integersToFloats(64),
  CVTPS2PI: floatsToIntegers(32, toSigned(32, 'floatToSigned')),
  CVTTPS2PI: floatsToIntegers(32, toSigned(32, 'floatTruncate')),
  CVTPD2PI: floatsToIntegers(64, toSigned(32, 'floatToSigned')),
  CVTTPD2PI: floatsToIntegers(64, toSigned(32, 'floatTruncate')),
} as const satisfies InstructionTable;

/** Groups of vectors whose results the manual does not fix to the last bit, and how near an outcome must come. */
import type { Tolerance } from './replay.ts';

/** SDM vol. 2, RCPPS and RSQRTPS: a relative error of 1.5 × 2^-12 at most, for the recorded CPU and for us. */
const approximateError = 2 * 1.5 * 2 ** -12;

function singles(vector: bigint): number[] {
  const view = new DataView(new ArrayBuffer(16));
  view.setBigUint64(0, BigInt.asUintN(64, vector), true);
  view.setBigUint64(8, vector >> 64n, true);
  return [0, 4, 8, 12].map((at) => view.getFloat32(at, true));
}

const near = (expected: number, actual: number): boolean =>
  expected !== 0 &&
  Number.isFinite(expected) &&
  Math.abs(expected - actual) <= Math.abs(expected) * approximateError;

const approximate: Tolerance = (place, expected, actual) => {
  if (expected === actual) return true;
  if (!place.startsWith('xmm')) return false;
  const found = singles(actual);
  return singles(expected).every((value, i) => {
    const shift = BigInt(32 * i);
    const same = BigInt.asUintN(32, expected >> shift) === BigInt.asUintN(32, actual >> shift);
    return same || near(value, found[i] ?? Number.NaN);
  });
};

/** Each within one unit in the last place of the truth (SDM vol. 1, 8.3.10), so two between them; C1 tells of the rounding. */
const transcendental: Tolerance = (place, expected, actual) => {
  if (place === 'fsw') return (expected | 0x200n) === (actual | 0x200n);
  if (!/^R\d$/.test(place)) return expected === actual;
  const apart = expected - actual;
  return -2n <= apart && apart <= 2n;
};

export const tolerances: Readonly<Record<string, Tolerance>> = {
  'sse-approximate': approximate,
  'fpu-transcendental': transcendental,
};

/** How many vectors are recorded of each row of the instruction tables, in each width. */
import { rowName } from '../../runtime/x86/translate.ts';
import type { CpuWidth } from './cpu-oracle.ts';
import { type VectorCount, vectorCounts } from './vectors.ts';

export type VectorCounts = Readonly<Record<CpuWidth, ReadonlyMap<string, number>>>;

const countsOf = (all: readonly VectorCount[], wanted: CpuWidth): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>();
  for (const { width, mnemonic, code, cases } of all) {
    const row = rowName({ mnemonic: mnemonic.toUpperCase(), code });
    if (width === wanted) counts.set(row, (counts.get(row) ?? 0) + cases);
  }
  return counts;
};

export const countVectors = (): VectorCounts => {
  const all = vectorCounts();
  return { 64: countsOf(all, 64), 32: countsOf(all, 32) };
};

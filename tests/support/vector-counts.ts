/** How many vectors are recorded of each row of the instruction tables, in each width. */
import { rowName } from '../../runtime/x86/translate.ts';
import type { CpuWidth } from './cpu-oracle.ts';
import { forms } from './vectors.ts';

export type VectorCounts = Readonly<Record<CpuWidth, ReadonlyMap<string, number>>>;

const countsOf = (width: CpuWidth): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>();
  for (const form of forms(width)) {
    const row = rowName({ mnemonic: form.mnemonic.toUpperCase(), code: form.code });
    counts.set(row, (counts.get(row) ?? 0) + form.cases().length);
  }
  return counts;
};

export const countVectors = (): VectorCounts => ({ 64: countsOf(64), 32: countsOf(32) });

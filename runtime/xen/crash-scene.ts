/** What a report of a PV guest's crash needs beside registers: what its page tables say of an address, and where its stack may end. */
import type { PageWalkStep, StackRange } from '../cpu/fault-report.ts';
import { XenError } from '../errors.ts';
import type { GuestMemory } from '../memory/guest-memory.ts';
import { pageSize } from '../memory/machine-memory.ts';
import { pageBits } from '../memory/page-tables.ts';
import { frameOf, isPresent } from './mmu/entry.ts';
import type { Mmu } from './mmu/mmu.ts';

const indexBits = 9;

/** From the root down to the entry that is not there, or that maps the page. */
export function pageWalk({ tables, types }: Mmu, address: bigint): readonly PageWalkStep[] {
  const steps: PageWalkStep[] = [];
  let table = tables.root;
  for (let level: number = tables.levels; level > 0; level--) {
    const shift = BigInt(12 + indexBits * (level - 1));
    const index = Number((address >> shift) & 511n);
    const { low, high } = types.read(table, index);
    steps.push({ level, table, index, entry: (BigInt(high) << 32n) | BigInt(low) });
    if (!isPresent({ low, high }) || (low & pageBits.large) !== 0) break;
    table = frameOf({ low, high });
  }
  return steps;
}

/** Kernels' stacks are a few pages; what is behind them is mostly not mapped, or no return address. */
const mostPages = 4;

export function likelyStack(guest: GuestMemory, stackPointer: bigint): StackRange {
  const page = BigInt(pageSize);
  let high = stackPointer - (stackPointer % page);
  for (let n = 0; n < mostPages && isReadable(guest, high); n++) high += page;
  return { low: stackPointer, high: high > stackPointer ? high : stackPointer, isGuess: true };
}

function isReadable(guest: GuestMemory, address: bigint): boolean {
  try {
    guest.readBytes(address, 1);
    return true;
  } catch (error) {
    if (error instanceof XenError) return false;
    throw error;
  }
}

/** Frames of a domain whose page tables the test writes itself: what the rules of Xen's MMU are tried on. */
import { MachineMemory } from '../../runtime/memory/machine-memory.ts';
import { PageTables } from '../../runtime/memory/page-tables.ts';
import { FrameTable } from '../../runtime/xen/frames.ts';
import { Mmu } from '../../runtime/xen/mmu/mmu.ts';
import { PageTypes } from '../../runtime/xen/mmu/page-types.ts';
import { XenMappings } from '../../runtime/xen/mmu/xen-mappings.ts';
import { PvCpu } from '../../runtime/xen/pv-cpu.ts';
import { FakeSystemCpu } from './fake-system-cpu.ts';

export const P = 1n;
export const W = 2n;
export const U = 4n;
const domid = 1;

export function pvFrames(width: 64 | 32) {
  const frames = new FrameTable(new MachineMemory(64 * 2 ** 20));
  frames.m2p(width);
  const types = new PageTypes({ frames, domain: domid, width, xen: new XenMappings(frames) });
  const tables = new PageTables({
    ...{ memory: frames.memory, frames, root: 0, isInLongMode: true },
    levels: width === 64 ? 4 : 3,
  });
  tables.isUser = width === 64;
  const pv = new PvCpu(new FakeSystemCpu(width));
  const mmu = new Mmu({ types, tables, pv });
  const at = (frame: number, index: number): number => (frames.hostOf(frame) ?? 0) + 8 * index;
  return {
    ...{ frames, types, tables, pv, mmu, domid },
    page: (owner = domid): number => frames.allocate(owner, 1),
    /** Writes an entry behind Xen's back, as a guest does to what is not a table yet. */
    poke: (frame: number, index: number, value: bigint): void =>
      frames.memory.view().setBigUint64(at(frame, index), value, true),
    peek: (frame: number, index: number): bigint =>
      frames.memory.view().getBigUint64(at(frame, index), true),
  };
}

export const entry = (frame: number, flags: bigint): bigint => (BigInt(frame) << 12n) | flags;

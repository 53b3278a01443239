/** Segment descriptors of PV guests: what Xen lets stand in their tables, and what stands there of its own. */
import { FIRST_RESERVED_GDT_ENTRY, HYPERVISOR_VIRT_START } from '../../abi/xen.ts';
import { XenError } from '../../errors.ts';
import type { GuestMemory } from '../../memory/guest-memory.ts';
import { decodeDescriptor } from '../../x86/descriptor.ts';
import type { FrameTable } from '../frames.ts';
import type { PvCpu } from '../pv-cpu.ts';

const privilegeShift = 45n;

const wholeLimit = 0x000f_0000_0000_ffffn;

/** The least level that a guest's segments have: the one that its kernel runs at. */
const leastPrivilege = { 64: 3, 32: 1 } as const;

/** A descriptor as it may stand in a guest's table: code or data, never of Xen's own level; what no use finds is harmless. */
export function checkedDescriptor(word: bigint, width: 64 | 32): bigint {
  const descriptor = decodeDescriptor(word);
  if (!descriptor.present) return word;
  const { isMemory, type, long, base, limit } = descriptor;
  if (!isMemory && type !== 0)
    throw new XenError('EINVAL', `0x${word.toString(16)} describes neither code nor data`);
  if (width === 32 && isMemory && long)
    throw new XenError('EINVAL', `0x${word.toString(16)} describes code of another width`);
  // Linux ended its segments below a smaller Xen, whose table of frames lay where this one's does not.
  const isWide = width === 32 && isMemory && base === 0n && limit >= HYPERVISOR_VIRT_START[32];
  const privilege = Math.max(descriptor.privilege, leastPrivilege[width]);
  const others = word & ~(3n << privilegeShift);
  return others | (BigInt(privilege) << privilegeShift) | (isWide ? wholeLimit : 0n);
}

const xenCode = 0x00af_9b00_0000_ffffn;
const xenData = 0x00cf_9300_0000_ffffn;
const ring1Code = 0x00cf_bb00_0000_ffffn;
const ring1Data = 0x00cf_b300_0000_ffffn;
const ring3Code32 = 0x00cf_fb00_0000_ffffn;
const ring3Code64 = 0x00af_fb00_0000_ffffn;
const ring3Data = 0x00cf_f300_0000_ffffn;

/** From the first entry of a GDT that is Xen's on (arch-x86/xen-x86_64.h and xen-x86_32.h). */
const ownDescriptors = {
  64: [0n, xenCode, xenData, 0n, ring3Code32, ring3Data, ring3Code64],
  32: [0n, xenCode, xenData, ring1Code, ring1Data, ring3Code32, ring3Data],
} as const;

/** Undefined where no descriptor of Xen's stands. */
const ownDescriptor = (index: number, width: 64 | 32): bigint | undefined =>
  ownDescriptors[width][index - FIRST_RESERVED_GDT_ENTRY];

const localTable = 4;

/** What a selector names: of the guest's GDT, Xen's part of it, or the guest's LDT; undefined beyond them. */
export function descriptorOf(
  { width, gdt, ldt }: PvCpu,
  frames: FrameTable,
  guest: GuestMemory,
  selector: number,
): bigint | undefined {
  const index = selector >> 3;
  if ((selector & localTable) !== 0)
    return index < ldt.entries ? readQuietly(guest, ldt.base + BigInt(8 * index)) : undefined;
  if (index >= FIRST_RESERVED_GDT_ENTRY) return ownDescriptor(index, width);
  const frame = gdt.frames[index >> 9];
  if (frame === undefined || index >= gdt.entries) return undefined;
  const host = frames.hostOf(frame) ?? 0;
  return frames.memory.view().getBigUint64(host + 8 * (index & 511), true);
}

function readQuietly(guest: GuestMemory, address: bigint): bigint | undefined {
  try {
    return guest.readU64(address);
  } catch (error) {
    if (error instanceof XenError) return undefined;
    throw error;
  }
}

/** A selector that a guest names for its kernel's code or stack, at the level that it runs at. */
export function guestSelector(selector: number, width: 64 | 32): number {
  if (width === 64) return selector | 3;
  return (selector & 3) === 0 ? selector | 1 : selector;
}

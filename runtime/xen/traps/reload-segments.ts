/**
 * DS, ES, FS and GS as Xen loads them when a vCPU goes on after others have run (arch-x86/xen.h, set_callbacks): what a guest's table no
 * longer has becomes null, and its failsafe callback finds on the stack what should have been loaded.
 */
import { FIRST_RESERVED_GDT_ENTRY, FLAT_KERNEL } from '../../abi/xen.ts';
import { UnsupportedError } from '../../errors.ts';
import {
  type Descriptor,
  decodeDescriptor,
  isConforming,
  isNull,
  isReadable,
  requested,
} from '../../x86/descriptor.ts';
import type { FrameTable } from '../frames.ts';
import { descriptorOf } from '../mmu/descriptors.ts';
import type { PvCpu } from '../pv-cpu.ts';
import { type BounceParts, bounce } from './bounce.ts';

const loaded = ['ds', 'es', 'fs', 'gs'] as const;
const localTable = 4;

/** Xen's own descriptors stay as they are. */
const isOfGuest = (selector: number): boolean =>
  !isNull(selector) && ((selector & localTable) !== 0 || selector >> 3 < FIRST_RESERVED_GDT_ENTRY);

/** Throws GuestError where the callback's frame cannot be written. */
export function reloadSegments(parts: BounceParts, frames: FrameTable): void {
  const { pv } = parts;
  const selectors = loaded.map((name) => pv.selector(name));
  if (!selectors.some(isOfGuest)) return;
  const lost = loaded.filter((name, i) => !isLoaded(parts, frames, name, selectors[i] ?? 0));
  if (lost.length === 0) return;
  for (const name of lost) pv.setSelector(name, 0);
  const { cs, ss } = FLAT_KERNEL[pv.width];
  const { address = 0n, masksEvents = false } = pv.callbacks.failsafe ?? {};
  bounce(parts, { cs, address, masksEvents }, { data: selectors });
  pv.setSelector('ss', ss);
}

/** Whether it can be; by Xen, which may use every level's. A base in long mode comes from MSRs. */
function isLoaded(
  { pv, guest }: BounceParts,
  frames: FrameTable,
  name: (typeof loaded)[number],
  selector: number,
): boolean {
  if (!isOfGuest(selector)) return true;
  const word = descriptorOf(pv, frames, guest, selector);
  const descriptor = word === undefined ? undefined : decodeDescriptor(word);
  const isThere = descriptor !== undefined && isLoadable(descriptor, selector);
  if (pv.width === 32) setBase(pv, name, isThere ? descriptor.base : 0n);
  return isThere;
}

const isLoadable = (descriptor: Descriptor, selector: number): boolean =>
  descriptor.present &&
  isReadable(descriptor) &&
  (isConforming(descriptor) || requested(selector) <= descriptor.privilege);

function setBase(pv: PvCpu, name: (typeof loaded)[number], base: bigint): void {
  if (name === 'fs') pv.fsBase = base;
  else if (name === 'gs') pv.gsBase = base;
  else if (base !== 0n)
    throw new UnsupportedError(
      `xen: ${name} gets a base of 0x${base.toString(16)}; only FS and GS may have one`,
    );
}

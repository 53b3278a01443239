/** A small PV domain that was saved, for tests of what is made of it: its list of frames is where Xen's tools look for it. */
import { shared_info, start_info } from '../../runtime/abi/xen.ts';
import type { Width } from '../../runtime/memory/layout.ts';
import { RDX } from '../../runtime/x86/registers.ts';
import { XenMachine } from './xen-machine.ts';

/** Pages of the guest's own that its lists of lists are in. */
const [listPage, topPage] = [400, 401];

/** A machine whose attacker can be saved. */
export function savableMachine(width: Width): XenMachine {
  const machine = new XenMachine(width);
  const { frames, attacker } = machine;
  const { memory } = frames;
  const { built } = attacker;
  const frameOf = (pfn: number): number => built.frames[pfn] ?? 0;
  const word = (pfn: number, index: number, value: number): void => {
    const at = (frames.hostOf(frameOf(pfn)) ?? 0) + (index * width) / 8;
    if (width === 64) memory.view().setBigUint64(at, BigInt(value), true);
    else memory.view().setUint32(at, value, true);
  };
  for (let page = 0; page < built.plan.p2m.pages; page++)
    word(listPage, page, frameOf(built.plan.p2m.pfn + page));
  word(topPage, 0, frameOf(listPage));
  const host = frames.hostOf(built.sharedInfo) ?? 0;
  const { arch } = shared_info.layout(width).at(memory, host);
  arch.max_pfn = BigInt(built.frames.length);
  arch.pfn_to_mfn_frame_list_list = BigInt(frameOf(topPage));
  prepareStartInfo(machine);
  return machine;
}

/** As a guest leaves it: with its own numbers, and named by the call. */
function prepareStartInfo({ width, frames, attacker: { built, pv } }: XenMachine): void {
  const { plan } = built;
  const startInfo = built.frames[plan.startInfo] ?? 0;
  const at = frames.hostOf(startInfo) ?? 0;
  const info = start_info.layout(width).at(frames.memory, at);
  info.store_mfn = BigInt(plan.xenstore);
  info.console.mfn = BigInt(plan.console);
  pv.cpu.setRegister(RDX, BigInt(startInfo));
}

export function whole(pieces: Iterable<Uint8Array>): Uint8Array {
  const all = [...pieces];
  const bytes = new Uint8Array(all.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of all) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

/** Hypercalls that say where a guest's handlers, stacks and descriptors are (xen.h). */
import { FIRST_RESERVED_GDT_ENTRY, SEGBASE, trap_info, VMASST } from '../../abi/xen.ts';
import { XenError } from '../../errors.ts';
import { decodeDescriptor } from '../../x86/descriptor.ts';
import type { DomainContext } from '../domain-context.ts';
import { frameTypes } from '../frames.ts';
import { readStruct } from '../guest-array.ts';
import type { HypercallHandlers } from '../hypercalls/hypercall.ts';
import { checkedDescriptor, descriptorOf, guestSelector } from '../mmu/descriptors.ts';
import type { Mmu } from '../mmu/mmu.ts';
import type { PvCpu } from '../pv-cpu.ts';
import { callbackHandlers, checkCanonical } from './callbacks.ts';
import { type IretParts, iret } from './iret.ts';
import { debugRegister, setDebugRegister } from './set-debugreg.ts';

export interface TrapCallParts extends IretParts {
  readonly mmu: Mmu;
}

export function trapHandlers(parts: TrapCallParts): HypercallHandlers {
  const { pv, mmu } = parts;
  return {
    set_trap_table: { arguments: 1, call: (domain, [table = 0n]) => setTraps(pv, domain, table) },
    ...callbackHandlers(pv),
    stack_switch: {
      arguments: 2,
      call: (_, [ss = 0n, sp = 0n]) => {
        const selector = guestSelector(Number(ss & 0xffffn), pv.width);
        pv.kernelStack = { ss: selector, sp };
      },
    },
    fpu_taskswitch: {
      arguments: 1,
      call: (_, [set = 0n]) => {
        pv.isTaskSwitched = BigInt.asUintN(32, set) !== 0n;
      },
    },
    set_debugreg: {
      arguments: 2,
      call: (_, [n = 0n, value = 0n]) => setDebugRegister(pv, BigInt.asUintN(32, n), value),
    },
    get_debugreg: {
      arguments: 1,
      call: (_, [n = 0n]) => pv.debug.get(debugRegister(BigInt.asUintN(32, n))),
    },
    set_segment_base: {
      arguments: 2,
      call: (domain, [which = 0n, base = 0n]) => setBase(parts, domain, Number(which), base),
    },
    vm_assist: { arguments: 2, call: (_, [cmd = 0n, type = 0n]) => assist(pv, cmd, type) },
    set_gdt: {
      arguments: 2,
      call: (domain, [list = 0n, n = 0n]) => setGdt(pv, mmu, domain, list, n),
    },
    update_descriptor: { arguments: 4, call: (_, args) => updateDescriptor(mmu, args) },
    iret: { arguments: 0, call: (domain) => iret(parts, domain) },
  };
}

function setTraps(pv: PvCpu, { guest, width }: DomainContext, table: bigint): undefined {
  if (table === 0n) {
    pv.traps.fill(undefined);
    return;
  }
  for (let index = 0; ; index++) {
    const info = readStruct(guest, trap_info, width, table, index);
    if (info.address === 0n) return;
    checkCanonical(info.address, width);
    pv.traps[info.vector] = {
      cs: guestSelector(info.cs, width),
      address: info.address,
      privilege: info.flags & 3,
      masksEvents: (info.flags & 4) !== 0,
    };
  }
}

function setBase(
  { pv, mmu }: TrapCallParts,
  domain: DomainContext,
  which: number,
  base: bigint,
): undefined {
  if (pv.width === 32) throw new XenError('ENOSYS', 'set_segment_base is for 64-bit guests');
  if (which === SEGBASE.GS_USER_SEL) {
    const selector = Number(base & 0xffffn);
    const word =
      (selector & 0xfffc) === 0 ? undefined : descriptorOf(pv, mmu.frames, domain.guest, selector);
    pv.otherGsBase = word === undefined ? 0n : decodeDescriptor(word).base;
    return;
  }
  checkCanonical(base, 64);
  if (which === SEGBASE.FS) pv.fsBase = base;
  else if (which === SEGBASE.GS_USER) pv.otherGsBase = base;
  else if (which === SEGBASE.GS_KERNEL) pv.gsBase = base;
  else throw new XenError('EINVAL', `set_segment_base of ${which}`);
}

/** Types that a PV guest of a width may switch, whether they mean anything to it or not. */
const common = [
  VMASST.TYPE_4gb_segments,
  VMASST.TYPE_4gb_segments_notify,
  VMASST.TYPE_writable_pagetables,
  VMASST.TYPE_pae_extended_cr3,
  VMASST.TYPE_architectural_iopl,
  VMASST.TYPE_runstate_update_flag,
] as const;
const assists: Readonly<Record<64 | 32, readonly number[]>> = {
  64: [...common, VMASST.TYPE_m2p_strict],
  32: common,
};

function assist(pv: PvCpu, command: bigint, type: bigint): undefined {
  const allowed = assists[pv.width];
  const number = Number(BigInt.asUintN(32, type));
  if (!allowed.includes(number)) throw new XenError('EINVAL', `vm_assist of type ${type}`);
  if (command === BigInt(VMASST.CMD_enable)) pv.assists.add(number);
  else if (command === BigInt(VMASST.CMD_disable)) pv.assists.delete(number);
  else throw new XenError('ENOSYS', `vm_assist ${command}`);
}

function setGdt(
  pv: PvCpu,
  mmu: Mmu,
  { guest, width }: DomainContext,
  list: bigint,
  n: bigint,
): undefined {
  const entries = Number(BigInt.asUintN(32, n));
  if (entries > FIRST_RESERVED_GDT_ENTRY)
    throw new XenError('EINVAL', `a GDT of ${entries} descriptors`);
  const count = Math.ceil(entries / 512);
  const word = width / 8;
  const frames = Array.from({ length: count }, (_, i) =>
    Number(guest.readWord(list + BigInt(i * word), width) & 0xff_ffff_ffffn),
  );
  const taken: number[] = [];
  try {
    for (const frame of frames) {
      mmu.types.getType(frame, frameTypes.descriptors);
      taken.push(frame);
    }
  } catch (error) {
    for (const frame of taken) mmu.types.putType(frame);
    throw error;
  }
  for (const frame of pv.gdt.frames) mmu.types.putType(frame);
  pv.gdt = { frames, entries };
}

function updateDescriptor(mmu: Mmu, args: readonly bigint[]): undefined {
  const [a = 0n, b = 0n, c = 0n, d = 0n] = args;
  const { types } = mmu;
  const is64 = types.width === 64;
  const [address, word] = is64 ? [a, b] : [a | (b << 32n), c | (d << 32n)];
  const frame = Number(address >> 12n);
  if ((address & 7n) !== 0n) throw new XenError('EINVAL', 'a descriptor that is not aligned');
  const checked = checkedDescriptor(word, types.width);
  const isTable =
    mmu.frames.typeOf(frame) === frameTypes.descriptors && mmu.frames.typeCountOf(frame) > 0;
  types.getType(frame, isTable ? frameTypes.descriptors : frameTypes.writable);
  const low = Number(checked & 0xffff_ffffn);
  types.write(frame, Number((address >> 3n) & 511n), { low, high: Number(checked >> 32n) });
  types.putType(frame);
}

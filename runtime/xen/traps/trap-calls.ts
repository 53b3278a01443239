/** Hypercalls that say where a guest's handlers, stacks and descriptors are, and return from a handler (xen.h, callback.h). */
import { FIRST_RESERVED_GDT_ENTRY, SEGBASE, trap_info, VMASST } from '../../abi/xen.ts';
import { UnsupportedError, XenError } from '../../errors.ts';
import { isCanonical } from '../../memory/address-space.ts';
import { decodeDescriptor } from '../../x86/descriptor.ts';
import { R11, RCX, RSP } from '../../x86/registers.ts';
import type { DomainContext } from '../domain-context.ts';
import { frameTypes } from '../frames.ts';
import { readStruct } from '../guest-array.ts';
import type { HypercallHandlers } from '../hypercalls/hypercall.ts';
import { checkedDescriptor, descriptorOf, guestSelector } from '../mmu/descriptors.ts';
import type { Mmu } from '../mmu/mmu.ts';
import type { CallbackName, PvCpu } from '../pv-cpu.ts';
import { interruptFlag } from './bounce.ts';

const CALLBACKOP = { register: 0, unregister: 1 } as const;
const CALLBACKTYPE: Readonly<Record<number, CallbackName>> = {
  0: 'event',
  1: 'failsafe',
  2: 'syscall',
};
const CALLBACKF_mask_events = 1;
const taskSwitched = 8n;
/** Recompiled code does not look at TS. */
export const noTaskSwitch =
  'xen: the guest sets CR0.TS; #NM at its next x87 or SSE instruction is not there yet';
/** Page tables have no level 3 of their own there. */
export const noRing3 = 'xen: programs in ring 3 of a 32-bit guest are not there yet';
const ioPrivilegeFlags = 0x3000n;
const virtual8086 = 0x2_0000n;
/** VGCF_in_syscall: rcx and r11 are not given back. */
const inSyscall = 1n << 8n;

export interface TrapCallParts {
  readonly pv: PvCpu;
  readonly mmu: Mmu;
  readonly toggleMode: () => void;
  /** Ends the domain as Xen does for a guest that cannot go on. */
  readonly crash: (why: string) => void;
}

export function trapHandlers(parts: TrapCallParts): HypercallHandlers {
  const { pv, mmu } = parts;
  return {
    set_trap_table: { arguments: 1, call: (domain, [table = 0n]) => setTraps(pv, domain, table) },
    set_callbacks: { arguments: 4, call: (domain, args) => setCallbacks(pv, domain, args) },
    callback_op: {
      arguments: 2,
      call: (domain, [op = 0n, at = 0n]) => callback(pv, domain, op, at),
    },
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
        if (set !== 0n) throw new UnsupportedError(noTaskSwitch);
        pv.control0 &= ~taskSwitched;
      },
    },
    set_debugreg: { arguments: 2, call: (_, [n = 0n, value = 0n]) => setDebug(pv, n, value) },
    get_debugreg: {
      arguments: 1,
      call: (_, [n = 0n]) => pv.debug[debugRegister(n)] ?? 0n,
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
    iret: { arguments: 0, call: (domain) => (pv.width === 64 ? iret64 : iret32)(parts, domain) },
  };
}

const checkCanonical = (address: bigint, width: 64 | 32): void => {
  if (width === 64 && !isCanonical(address))
    throw new XenError('EINVAL', `0x${address.toString(16)} is not canonical`);
};

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

function setCallbacks(pv: PvCpu, { width }: DomainContext, args: readonly bigint[]): undefined {
  const [a = 0n, b = 0n, c = 0n, d = 0n] = args;
  const set = (name: CallbackName, cs: bigint, address: bigint, masksEvents: boolean): void => {
    pv.callbacks[name] = {
      cs: guestSelector(Number(cs & 0xffffn), width),
      address,
      masksEvents,
    };
  };
  if (width === 32) {
    set('event', a, b, true);
    set('failsafe', c, d, false);
    return;
  }
  // What cannot be an address is passed over, and nobody is told.
  if (isCanonical(a)) set('event', 0n, a, true);
  if (isCanonical(b)) set('failsafe', 0n, b, false);
  if (isCanonical(c)) set('syscall', 0n, c, false);
}

function callback(pv: PvCpu, { guest, width }: DomainContext, op: bigint, at: bigint): undefined {
  const word = width / 8;
  const type = guest.readU32(at) & 0xffff;
  const flags = guest.readU32(at) >>> 16;
  const name = CALLBACKTYPE[type];
  const isKnown = name !== undefined && (width === 64 || name !== 'syscall');
  if (op !== BigInt(CALLBACKOP.register)) {
    const isEvent = name === 'event' || name === 'failsafe' || name === 'syscall';
    throw new XenError(isEvent ? 'EINVAL' : 'ENOSYS', `callback_op ${op}`);
  }
  if (!isKnown) throw new XenError('ENOSYS', `callback type ${type}`);
  const first = guest.readWord(at + BigInt(word === 8 ? 8 : 4), width);
  const address = width === 64 ? first : BigInt(guest.readU32(at + 8n));
  checkCanonical(address, width);
  pv.callbacks[name] = {
    cs: guestSelector(width === 64 ? 0 : Number(first & 0xffffn), width),
    address,
    masksEvents: name === 'event' || (flags & CALLBACKF_mask_events) !== 0,
  };
}

/** DR4 and DR5 are others' names (SDM vol. 3, 17.2.2). */
function debugRegister(n: bigint): number {
  if (n > 7n) throw new XenError('ENODEV', `debug register ${n}`);
  return Number(n === 4n || n === 5n ? n + 2n : n);
}

/** Addresses of breakpoints are checked; nothing is ever watched for, since no trap is armed here. */
function setDebug(pv: PvCpu, n: bigint, value: bigint): undefined {
  const register = debugRegister(n);
  if (register < 4) checkCanonical(value, pv.width);
  pv.debug[register] =
    register === 6 ? (value & 0xe00fn) | 0xffff_0ff0n : value | (register === 7 ? 0x400n : 0n);
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

/** rax r11 rcx flags rip cs rflags rsp ss, from rsp up. */
function iret64(parts: TrapCallParts, { guest, cpu, vcpu }: DomainContext): bigint {
  const { pv, toggleMode, crash } = parts;
  const [
    rax = 0n,
    r11 = 0n,
    rcx = 0n,
    kind = 0n,
    rip = 0n,
    cs = 0n,
    flags = 0n,
    rsp = 0n,
    ss = 0n,
  ] = words(guest, cpu.register(RSP), 9, 64);
  if ((cs & 3n) === 3n) {
    if (pv.roots.user === 0) {
      crash('iret to user mode, for which it has set no page tables');
      return 0n;
    }
    toggleMode();
  }
  setIoPrivilege(pv, flags);
  cpu.rip = rip;
  pv.setSelector('cs', Number(cs & 0xffffn) | 3);
  pv.setSelector('ss', Number(ss & 0xffffn) | 3);
  pv.cpu.eflags = (flags & ~(ioPrivilegeFlags | virtual8086)) | interruptFlag;
  cpu.setRegister(RSP, rsp);
  if ((kind & inSyscall) === 0n) {
    cpu.setRegister(R11, r11);
    cpu.setRegister(RCX, rcx);
  }
  vcpu.isUpcallMasked = (flags & interruptFlag) === 0n;
  return rax;
}

/** eax eip cs eflags, and esp ss where the level changes. */
function iret32({ pv, crash }: TrapCallParts, { guest, cpu, vcpu }: DomainContext): bigint {
  const top = cpu.register(RSP);
  const [eax = 0n, eip = 0n, cs = 0n, flags = 0n] = words(guest, top, 4, 32);
  const level = Number(cs & 3n);
  if (level === 0 || (flags & virtual8086) !== 0n) {
    crash(`iret to selector 0x${cs.toString(16)} with flags 0x${flags.toString(16)}`);
    return 0n;
  }
  if (level === 3) throw new UnsupportedError(noRing3);
  setIoPrivilege(pv, flags);
  if (level === 1) cpu.setRegister(RSP, top + 16n);
  else {
    const [esp = 0n, ss = 0n] = words(guest, top + 16n, 2, 32);
    cpu.setRegister(RSP, esp);
    pv.setSelector('ss', Number(ss & 0xffffn));
  }
  cpu.rip = eip;
  pv.setSelector('cs', Number(cs & 0xffffn));
  pv.cpu.eflags = (flags & ~ioPrivilegeFlags) | interruptFlag;
  vcpu.isUpcallMasked = (flags & interruptFlag) === 0n;
  return eax;
}

function setIoPrivilege(pv: PvCpu, flags: bigint): void {
  if (pv.assists.has(VMASST.TYPE_architectural_iopl))
    pv.ioPrivilege = Number((flags & ioPrivilegeFlags) >> 12n);
}

const words = (
  guest: DomainContext['guest'],
  address: bigint,
  count: number,
  width: 64 | 32,
): bigint[] => {
  const bytes = guest.readBytes(address, (count * width) / 8);
  const view = new DataView(bytes.buffer);
  return Array.from({ length: count }, (_, i) =>
    width === 64 ? view.getBigUint64(8 * i, true) : BigInt(view.getUint32(4 * i, true)),
  );
};

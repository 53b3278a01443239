/**
 * HYPERVISOR_iret: a kernel's way back from a handler, or to a program (arch-x86/xen-x86_64.h, struct iret_context; a 32-bit
 * guest's frame is a processor's with eax on top). What it goes back to is checked by the processor that Xen returns by: what is
 * wrong there is an exception of the guest's at the place that it wanted to go to.
 */
import { VMASST } from '../../abi/xen.ts';
import { UnsupportedError, XenError } from '../../errors.ts';
import {
  type Descriptor,
  decodeDescriptor,
  errorCodeOf,
  isCode,
  isConforming,
  isNull,
  isWritable,
  requested,
} from '../../x86/descriptor.ts';
import { R11, RCX, RSP } from '../../x86/registers.ts';
import { vectors } from '../../x86/semantics.ts';
import type { DomainContext } from '../domain-context.ts';
import { descriptorOf } from '../mmu/descriptors.ts';
import type { PvCpu } from '../pv-cpu.ts';
import { interruptFlag } from './bounce.ts';

const ioPrivilegeFlags = 0x3000n;
const virtual8086 = 0x2_0000n;
/** VGCF_in_syscall: rcx and r11 are what SYSRET leaves in them. */
const inSyscall = 1n << 8n;

export interface IretParts {
  readonly pv: PvCpu;
  /** Between a kernel and its programs. */
  readonly toggleMode: () => void;
  /** Ends the domain as Xen does for a guest that cannot go on. */
  readonly crash: (why: string) => void;
  /** The guest is to find an exception where it stands. */
  readonly raise: (vector: number, errorCode: number) => void;
}

/** rax as it becomes. */
export function iret(parts: IretParts, domain: DomainContext): bigint {
  try {
    const rax = (domain.width === 64 ? iret64 : iret32)(parts, domain);
    parts.pv.nmi.isMasked = false;
    return rax;
  } catch (error) {
    if (!(error instanceof XenError)) throw error;
    parts.crash(`iret with a stack that cannot be read: ${error.message}`);
    return 0n;
  }
}

/** rax r11 rcx flags rip cs rflags rsp ss, from rsp up. */
function iret64(parts: IretParts, domain: DomainContext): bigint {
  const { pv, toggleMode, crash } = parts;
  const { guest, cpu, vcpu } = domain;
  const frame = words(guest, cpu.register(RSP), 9, 64);
  const [rax = 0n, r11 = 0n, rcx = 0n, kind = 0n, rip = 0n] = frame;
  const [cs = 0n, flags = 0n, rsp = 0n, ss = 0n] = frame.slice(5);
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
  const isSystemReturn = (kind & inSyscall) !== 0n;
  cpu.setRegister(R11, isSystemReturn ? pv.cpu.eflags : r11);
  cpu.setRegister(RCX, isSystemReturn ? rip : rcx);
  vcpu.isUpcallMasked = (flags & interruptFlag) === 0n;
  checkReturn(parts, domain);
  return rax;
}

/** eax eip cs eflags, and esp ss where the level changes. */
function iret32(parts: IretParts, domain: DomainContext): bigint {
  const { pv, crash, toggleMode } = parts;
  const { guest, cpu, vcpu } = domain;
  const top = cpu.register(RSP);
  const [eax = 0n, eip = 0n, cs = 0n, flags = 0n] = words(guest, top, 4, 32);
  const level = Number(cs & 3n);
  if (level === 0 || (flags & virtual8086) !== 0n) {
    crash(`iret to selector 0x${cs.toString(16)} with flags 0x${flags.toString(16)}`);
    return 0n;
  }
  const [esp = 0n, ss = 0n] = level === 1 ? [] : words(guest, top + 16n, 2, 32);
  setIoPrivilege(pv, flags);
  cpu.setRegister(RSP, level === 1 ? top + 16n : esp);
  if (level !== 1) pv.setSelector('ss', Number(ss & 0xffffn));
  cpu.rip = eip;
  pv.setSelector('cs', Number(cs & 0xffffn));
  if (level === 3) {
    toggleMode();
    closeSegments(parts, domain);
  }
  pv.cpu.eflags = (flags & ~ioPrivilegeFlags) | interruptFlag;
  vcpu.isUpcallMasked = (flags & interruptFlag) === 0n;
  checkReturn(parts, domain);
  return eax;
}

type Find = (selector: number) => Descriptor | undefined;

const finder =
  ({ pv }: IretParts, { guest, frames }: DomainContext): Find =>
  (selector) => {
    const word = isNull(selector) ? undefined : descriptorOf(pv, frames, guest, selector);
    return word === undefined ? undefined : decodeDescriptor(word);
  };

/** The kernel's segments are not a program's: they become null on the way (SDM vol. 2, RET). */
function closeSegments(parts: IretParts, domain: DomainContext): void {
  const find = finder(parts, domain);
  for (const name of ['es', 'ds', 'fs', 'gs'] as const) {
    const descriptor = find(parts.pv.selector(name));
    if (descriptor === undefined || isConforming(descriptor) || descriptor.privilege === 3)
      continue;
    parts.pv.setSelector(name, 0);
    if (name === 'fs') parts.pv.fsBase = 0n;
    if (name === 'gs') parts.pv.gsBase = 0n;
  }
}

/** What IRET checks of CS and SS (SDM vol. 2, IRET); an address that cannot be one faults when it is fetched from. */
function checkReturn(parts: IretParts, domain: DomainContext): void {
  const { pv, raise } = parts;
  const find = finder(parts, domain);
  const [cs, ss] = [pv.selector('cs'), pv.selector('ss')];
  const level = requested(cs);
  const code = find(cs);
  const isFitting =
    code !== undefined &&
    isCode(code) &&
    (isConforming(code) ? code.privilege <= level : code.privilege === level);
  if (!isFitting) {
    raise(vectors.GP, errorCodeOf(cs));
    return;
  }
  if (!code.present) {
    raise(vectors.NP, errorCodeOf(cs));
    return;
  }
  if (code.long !== (domain.width === 64))
    throw new UnsupportedError(
      `xen: programs of another width than their kernel's (selector 0x${cs.toString(16)}) are not there yet`,
    );
  const stack = find(ss);
  const isStack =
    stack !== undefined &&
    requested(ss) === level &&
    stack.privilege === level &&
    isWritable(stack);
  if (!isStack) raise(vectors.GP, errorCodeOf(ss));
  else if (!stack.present) raise(vectors.SS, errorCodeOf(ss));
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

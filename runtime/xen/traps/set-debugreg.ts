/** Debug registers as Xen lets a guest have them (set_debugreg of xen.h; SDM vol. 3, 18.2): nothing of Xen's own is watched. */
import { HYPERVISOR_VIRT_END } from '../../abi/xen.ts';
import { XenError } from '../../errors.ts';
import type { PvCpu } from '../pv-cpu.ts';

const lowerEnd = 1n << 47n;
/** Bits that read as 1, and those that may be 1 beside them. */
const fixedStatus = 0xffff_0ff0n;
const openStatus = 0xe00fn;
const fixedControl = 0x400n;
const openControl = 0xffff_03ffn;
/** DR7.GD: accesses to debug registers are Xen's own business. */
const generalDetect = 1n << 13n;
const enables = 0xffn;
/** R/W of I/O ports, which wants CR4.DE. */
const ioKind = 2n;
const resumeFlag = 0x1_0000n;

/** DR4 and DR5 are others' names (SDM vol. 3, 18.2.2). */
export function debugRegister(n: bigint): number {
  if (n > 7n) throw new XenError('ENODEV', `debug register ${n}`);
  return Number(n === 4n || n === 5n ? n + 2n : n);
}

export function setDebugRegister(pv: PvCpu, n: bigint, value: bigint): undefined {
  const register = debugRegister(n);
  pv.debug.set(register, checked(pv, register, value));
  // The instruction behind is no instruction that goes on.
  pv.cpu.eflags &= ~resumeFlag;
}

function checked({ width }: PvCpu, register: number, value: bigint): bigint {
  if (register < 4) {
    const isOpen = width === 32 || value < lowerEnd || value >= HYPERVISOR_VIRT_END[64];
    if (!isOpen) throw new XenError('EPERM', `0x${value.toString(16)} is no address of the guest`);
    return value;
  }
  if (value >> 32n !== 0n) throw new XenError('EINVAL', 'bits above the lower 32');
  if (register === 6) return (value & openStatus) | fixedStatus;
  if ((value & generalDetect) !== 0n) throw new XenError('EPERM', 'DR7.GD');
  const asksForIo = [16n, 20n, 24n, 28n].some((shift) => ((value >> shift) & 3n) === ioKind);
  if ((value & enables) !== 0n && asksForIo) throw new XenError('EPERM', 'breakpoints of I/O');
  return (value & openControl) | fixedControl;
}

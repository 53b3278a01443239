/** Xen's own CPUID leaves (arch-x86/cpuid.h), as a PV guest finds them. */
import type { Width } from '../../memory/layout.ts';

const base = 0x4000_0000;
/** XEN_CPUID_MAX_PV_NUM_LEAVES. */
const last = base + 5;
/** "XenVMMXenVMM". */
const signature = [0x566e_6558, 0x6558_4d4d, 0x4d4d_566e] as const;
const version = (4 << 16) | 17;
/** XEN_CPUID_FEAT1_MMU_PT_UPDATE_PRESERVE_AD. */
const preservesMarks = 1;
/** The machine has no frame beyond 40 bits of address. */
const frameBits = 40;

/** EAX EBX ECX EDX; undefined where a leaf is the processor's. */
export function xenLeaf(leaf: number, width: Width): readonly number[] | undefined {
  switch (leaf) {
    case base:
      return [last, ...signature];
    case base + 1:
      return [version, 0, 0, 0];
    case base + 2:
      return [1, base, preservesMarks, 0];
    case base + 3:
      return [1, 0, 0, 0];
    case base + 4:
      return [0, 0, 0, 0];
    case last:
      return [0, width === 64 ? frameBits : 0, 0, 0];
    default:
      return undefined;
  }
}

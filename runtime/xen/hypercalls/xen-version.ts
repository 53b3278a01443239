/** HYPERVISOR_xen_version: xen/include/public/version.h. Answers are Xen 4.17's; what it says of its build is ours. */
import {
  XENFEAT,
  XENVER,
  XENVER_SIZES,
  xen_feature_info,
  xen_platform_parameters,
} from '../../abi/version.ts';
import { HYPERVISOR_VIRT_START } from '../../abi/xen.ts';
import { XenError } from '../../errors.ts';
import { pageSize } from '../../memory/machine-memory.ts';
import type { DomainContext } from '../domain-context.ts';
import { type Hypercall, multiplexed, type Operation, operation } from './hypercall.ts';

/** 4.17: major and minor, 16 bits each. */
const version = (4 << 16) | 17;

/** Characters, and zeros behind them. */
const text = (number: number, parts: readonly (readonly [string, number])[]): Operation => ({
  number,
  call: ({ guest }, at) => {
    const bytes = new Uint8Array(parts.reduce((sum, [, size]) => sum + size, 0));
    let offset = 0;
    for (const [words, size] of parts) {
      bytes.set(new TextEncoder().encode(words), offset);
      offset += size;
    }
    guest.writeBytes(at, bytes);
    return 0;
  },
});

const sizes = XENVER_SIZES;

export const xenVersion: Hypercall = multiplexed('xen_version', {
  version: { number: XENVER.version, call: () => version },
  extraversion: text(XENVER.extraversion, [['.7', sizes.extraversion]]),
  compile_info: text(XENVER.compile_info, [
    ['TypeScript', sizes.compiler],
    ['stubdom', sizes.compile_by],
    ['stubdom', sizes.compile_domain],
    ['', sizes.compile_date],
  ]),
  capabilities: text(XENVER.capabilities, [
    ['xen-3.0-x86_64 xen-3.0-x86_32p ', sizes.capabilities],
  ]),
  changeset: text(XENVER.changeset, [['', sizes.changeset]]),
  platform_parameters: operation(
    XENVER.platform_parameters,
    xen_platform_parameters,
    ({ width }, parameters) => {
      parameters.virt_start = HYPERVISOR_VIRT_START[width];
      return 0;
    },
  ),
  get_features: operation(XENVER.get_features, xen_feature_info, ({ width }, info) => {
    if (info.submap_idx !== 0) throw new XenError('EINVAL', `no features ${info.submap_idx}`);
    info.submap = featuresOf(width);
    return 0;
  }),
  pagesize: {
    number: XENVER.pagesize,
    call: (_, at) => {
      if (at !== 0n) throw new XenError('EINVAL', 'pagesize takes no argument');
      return pageSize;
    },
  },
  guest_handle: text(XENVER.guest_handle, [['', sizes.guest_handle]]),
  // Without the zeros: what is behind the 9 bytes stays.
  commandline: text(XENVER.commandline, [['<denied>', '<denied>'.length + 1]]),
  build_id: {
    number: XENVER.build_id,
    call: ({ id }) => {
      throw new XenError('EPERM', `d${id} is not told the build's id`);
    },
  },
});

/** A 32-bit guest may have its page directory anywhere: those that could not said so 15 years ago. */
function featuresOf(width: DomainContext['width']): number {
  const features = [
    XENFEAT.mmu_pt_update_preserve_ad,
    XENFEAT.highmem_assist,
    XENFEAT.gnttab_map_avail_bits,
    XENFEAT.memory_op_vnode_supported,
    XENFEAT.direct_mapped,
    ...(width === 32 ? [XENFEAT.pae_pgdir_above_4gb] : []),
  ];
  return features.reduce((bits, feature) => bits | (1 << feature), 0);
}

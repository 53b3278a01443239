/** HYPERVISOR_physdev_op: xen/include/public/physdev.h, for a domain that has no hardware. */
import {
  PHYSDEVOP,
  physdev_get_free_pirq,
  physdev_irq_status_query,
  physdev_set_iobitmap,
  physdev_set_iopl,
  XENIRQSTAT_needs_eoi,
} from '../../abi/physdev.ts';
import { XenError } from '../../errors.ts';
import { type Hypercall, multiplexed, type Operation, operation } from './hypercall.ts';

/** Interrupts that the domain could be given, none of which it is. */
const physicalInterrupts = 56;
/** Kinds of interrupts: MSI, GSI, and several MSIs (physdev.h, MAP_PIRQ_TYPE). */
const freeTypes: ReadonlySet<number> = new Set([0, 1, 4]);

/** `setIopl`: the level from which the guest's kernel may touch interrupts and ports. */
export function physdevOp(setIopl: (level: number) => void): Hypercall {
  let nextFree = physicalInterrupts - 1;
  const failing = (errno: string, ...numbers: readonly number[]): [string, Operation][] =>
    numbers.map((number) => [
      `${number}`,
      {
        number,
        call: ({ guest }, at) => {
          guest.readBytes(at, 4);
          throw new XenError(errno, `physdev_op ${number} is of who has hardware`);
        },
      },
    ]);

  return multiplexed('physdev_op', {
    /** Of Xen 3.0; there was nothing to it. */
    irq_unmask_notify: { number: 4, call: () => 0 },
    irq_status_query: operation(
      PHYSDEVOP.irq_status_query,
      physdev_irq_status_query,
      (_, query) => {
        if (query.irq >= physicalInterrupts) throw new XenError('EINVAL', `no IRQ ${query.irq}`);
        query.flags = XENIRQSTAT_needs_eoi;
        return 0;
      },
    ),
    set_iopl: operation(PHYSDEVOP.set_iopl, physdev_set_iopl, (_, { iopl }) => {
      if (iopl > 3) throw new XenError('EINVAL', `there is no level ${iopl}`);
      setIopl(iopl);
      return 0;
    }),
    /** No port is the domain's, whatever its bitmap allows its programs. */
    set_iobitmap: operation(PHYSDEVOP.set_iobitmap, physdev_set_iobitmap, (_, { nr_ports }) => {
      if (nr_ports > 65536) throw new XenError('EINVAL', `there are no ${nr_ports} ports`);
      return 0;
    }),
    get_free_pirq: operation(PHYSDEVOP.get_free_pirq, physdev_get_free_pirq, (_, free) => {
      if (!freeTypes.has(free.type)) throw new XenError('EINVAL', `no interrupts ${free.type}`);
      if (nextFree < 0) throw new XenError('ENOSPC', 'all interrupts are given out');
      free.pirq = nextFree--;
      return 0;
    }),
    ...Object.fromEntries([
      ...failing('EINVAL', PHYSDEVOP.eoi, PHYSDEVOP.pirq_eoi_gmfn_v1, PHYSDEVOP.pirq_eoi_gmfn_v2),
      ...failing('EPERM', ...privileged),
    ]),
  });
}

// biome-ignore format: a table
const privileged: readonly number[] = [
  PHYSDEVOP.apic_read, PHYSDEVOP.apic_write, PHYSDEVOP.alloc_irq_vector, PHYSDEVOP.map_pirq, PHYSDEVOP.unmap_pirq,
  PHYSDEVOP.manage_pci_add, PHYSDEVOP.manage_pci_remove, PHYSDEVOP.restore_msi, PHYSDEVOP.manage_pci_add_ext,
  PHYSDEVOP.setup_gsi, PHYSDEVOP.pci_mmcfg_reserved, PHYSDEVOP.pci_device_add, PHYSDEVOP.pci_device_remove,
  PHYSDEVOP.restore_msi_ext, PHYSDEVOP.dbgp_op, PHYSDEVOP.prepare_msix, PHYSDEVOP.release_msix,
];

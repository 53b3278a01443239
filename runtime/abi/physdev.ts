/** xen/include/public/physdev.h: PHYSDEVOP_* and what those take that a guest without hardware may ask. */
import { i32, pointer, struct, u32 } from '../memory/layout.ts';

// biome-ignore format: a table
export const PHYSDEVOP = {
  irq_status_query: 5, set_iopl: 6, set_iobitmap: 7, apic_read: 8, apic_write: 9, alloc_irq_vector: 10, free_irq_vector: 11,
  eoi: 12, map_pirq: 13, unmap_pirq: 14, manage_pci_add: 15, manage_pci_remove: 16, pirq_eoi_gmfn_v1: 17, restore_msi: 19,
  manage_pci_add_ext: 20, setup_gsi: 21, get_free_pirq: 23, pci_mmcfg_reserved: 24, pci_device_add: 25, pci_device_remove: 26,
  restore_msi_ext: 27, pirq_eoi_gmfn_v2: 28, dbgp_op: 29, prepare_msix: 30, release_msix: 31,
} as const;

export const XENIRQSTAT_needs_eoi = 1;

export const physdev_irq_status_query = struct('physdev_irq_status_query', {
  irq: u32,
  flags: u32, // OUT: XENIRQSTAT
});

export const physdev_set_iopl = struct('physdev_set_iopl', { iopl: u32 });

export const physdev_set_iobitmap = struct('physdev_set_iobitmap', {
  bitmap: pointer,
  nr_ports: u32,
});

export const physdev_get_free_pirq = struct('physdev_get_free_pirq', {
  type: i32,
  pirq: u32, // OUT
});

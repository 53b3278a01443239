/** A guest's address space as hypercalls may reach into it: what is Xen's own there is no guest's to point at (EFAULT). */
import { HYPERVISOR_VIRT_END, HYPERVISOR_VIRT_START } from '../abi/xen.ts';
import type { Access, AddressSpace, PageFault } from '../memory/address-space.ts';
import type { Width } from '../memory/layout.ts';

export class GuestSpace implements AddressSpace {
  readonly #tables: AddressSpace;
  readonly #from: bigint;
  readonly #to: bigint;

  constructor(tables: AddressSpace, width: Width) {
    this.#tables = tables;
    this.#from = HYPERVISOR_VIRT_START[width];
    this.#to = HYPERVISOR_VIRT_END[width];
  }

  translate(address: bigint, access: Access): number | PageFault {
    if (address >= this.#from && address < this.#to) return { errorCode: 0, address };
    return this.#tables.translate(address, access);
  }
}

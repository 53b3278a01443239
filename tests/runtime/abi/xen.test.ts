import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  DOMID,
  FLAT_KERNEL,
  FLAT_USER,
  HYPERCALLS,
  HYPERVISOR_VIRT_START,
  MMU,
  MMUEXT,
  mmu_update,
  mmuext_op,
  multicall_entry,
  shared_info,
  start_info,
  trap_info,
  UVMF,
  VIRQ,
  VMASST,
  vcpu_info,
  vcpu_time_info,
  xen_callback,
} from '../../../runtime/abi/xen.ts';
import { askHeaders, measureStruct } from '../../support/xen-headers.ts';

const test = suite('runtime/abi/xen');

const structs = {
  vcpu_time_info,
  vcpu_info,
  shared_info,
  start_info,
  trap_info,
  mmu_update,
  mmuext_op,
  multicall_entry,
};
/** Fields that our width alone has, or that are there only to fill. */
const ours = new Set(['wc_sec_hi', 'pad0', 'pad1']);

for (const width of [64, 32] as const) {
  for (const [name, type] of Object.entries(structs)) {
    test(`${width}: struct ${name} lies as gcc lays it out`, async () => {
      const { offsets, size } = type.layout(width);
      const own = Object.entries(offsets).filter(([field]) => !ours.has(field));
      const fields = own.map(([field]) => field);

      const measured = await measureStruct(['xen.h'], width, `struct ${name}`, fields);

      assert.equal({ ...Object.fromEntries(own), sizeof: size }, measured);
    });
  }

  test(`${width}: selectors are the header's`, async () => {
    const names = { cs: 'CS', ss: 'SS', ds: 'DS' } as const;
    const asked = (level: string): Record<string, string> =>
      Object.fromEntries(Object.entries(names).map(([key, n]) => [key, `FLAT_${level}_${n}`]));

    assert.equal(FLAT_KERNEL[width], await askHeaders(['xen.h'], width, asked('KERNEL')));
    assert.equal(FLAT_USER[width], await askHeaders(['xen.h'], width, asked('USER')));
  });
}

test('a callback of a 32-bit guest is a selector and an address', async () => {
  const { offsets, size } = xen_callback.layout(32);

  const measured = await measureStruct(['xen.h'], 32, 'struct xen_callback', ['cs', 'eip']);

  assert.equal({ ...offsets, sizeof: size }, measured);
});

test('constants are the header’s', async () => {
  const groups = {
    __HYPERVISOR_: HYPERCALLS,
    DOMID_: DOMID,
    MMU_: MMU,
    MMUEXT_: MMUEXT,
    UVMF_: UVMF,
    VMASST_: VMASST,
    VIRQ_: VIRQ,
  };
  const all = Object.entries(groups).flatMap(([prefix, group]) =>
    Object.entries(group).map(([name, value]) => [`${prefix}${name}`, value] as const),
  );

  const asked = Object.fromEntries(all.map(([name]) => [name, name]));

  assert.equal(Object.fromEntries(all), await askHeaders(['xen.h'], 64, asked));
  const start = await askHeaders(['xen.h'], 64, { high: 'HYPERVISOR_VIRT_START >> 44' });
  assert.is(BigInt(start.high), HYPERVISOR_VIRT_START[64] >> 44n);
});

test.run();

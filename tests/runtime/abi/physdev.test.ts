import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  XEN_DOMCTL_INTERFACE_VERSION,
  XEN_SYSCTL_INTERFACE_VERSION,
  XENPF_INTERFACE_VERSION,
} from '../../../runtime/abi/control.ts';
import {
  PHYSDEVOP,
  physdev_get_free_pirq,
  physdev_irq_status_query,
  physdev_set_iobitmap,
  physdev_set_iopl,
} from '../../../runtime/abi/physdev.ts';
import { askHeaders, measureStruct } from '../../support/xen-headers.ts';

const test = suite('runtime/abi/physdev');

const headers = ['xen.h', 'physdev.h'];
const structs = {
  physdev_get_free_pirq,
  physdev_irq_status_query,
  physdev_set_iobitmap,
  physdev_set_iopl,
};

for (const width of [64, 32] as const)
  for (const [name, type] of Object.entries(structs))
    test(`${width}: struct ${name} lies as gcc lays it out`, async () => {
      const { offsets, size } = type.layout(width);

      const fields = Object.keys(offsets);
      const measured = await measureStruct(headers, width, `struct ${name}`, fields);

      assert.equal({ ...offsets, sizeof: size }, measured);
    });

test("PHYSDEVOP has the header's numbers", async () => {
  const asked = Object.keys(PHYSDEVOP).map((key) => [key, `PHYSDEVOP_${key}`]);

  assert.equal({ ...PHYSDEVOP }, await askHeaders(headers, 64, Object.fromEntries(asked)));
});

test("the versions of a toolstack's interfaces are the headers'", async () => {
  const measured = await askHeaders(['xen.h', 'domctl.h', 'sysctl.h', 'platform.h'], 64, {
    domctl: 'XEN_DOMCTL_INTERFACE_VERSION',
    sysctl: 'XEN_SYSCTL_INTERFACE_VERSION',
    platform: 'XENPF_INTERFACE_VERSION',
  });

  assert.equal(measured, {
    domctl: XEN_DOMCTL_INTERFACE_VERSION,
    sysctl: XEN_SYSCTL_INTERFACE_VERSION,
    platform: XENPF_INTERFACE_VERSION,
  });
});

test.run();

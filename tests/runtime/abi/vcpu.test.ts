import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  RUNSTATE,
  VCPUOP,
  vcpu_get_physid,
  vcpu_register_runstate_memory_area,
  vcpu_register_time_memory_area,
  vcpu_register_vcpu_info,
  vcpu_runstate_info,
  vcpu_set_periodic_timer,
  vcpu_set_singleshot_timer,
} from '../../../runtime/abi/vcpu.ts';
import { askHeaders, measureStruct } from '../../support/xen-headers.ts';

const test = suite('runtime/abi/vcpu');

const headers = ['xen.h', 'vcpu.h'];
const structs = {
  vcpu_runstate_info,
  vcpu_register_runstate_memory_area,
  vcpu_set_periodic_timer,
  vcpu_set_singleshot_timer,
  vcpu_register_vcpu_info,
  vcpu_get_physid,
  vcpu_register_time_memory_area,
};
const constants = { VCPUOP, RUNSTATE };
/** Of unions and of structs in them one word alone is looked at. */
const ours = new Set(['u', 'a', 'addr', '_pad', 'pad', 'rsvd']);

for (const width of [64, 32] as const)
  for (const [name, type] of Object.entries(structs))
    test(`${width}: struct ${name} lies as gcc lays it out`, async () => {
      const { offsets, size } = type.layout(width);
      const own = Object.entries(offsets).filter(([field]) => !ours.has(field));

      const measured = await measureStruct(
        headers,
        width,
        `struct ${name}`,
        own.map(([field]) => field),
      );

      assert.equal({ ...Object.fromEntries(own), sizeof: size }, measured);
    });

for (const [prefix, values] of Object.entries(constants))
  test(`${prefix} has the header's numbers`, async () => {
    const asked = Object.keys(values).map((key) => [key, `${prefix}_${key}`]);

    const measured = await askHeaders(headers, 64, Object.fromEntries(asked));

    assert.equal({ ...values }, measured);
  });

test.run();

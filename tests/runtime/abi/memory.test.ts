import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  XENMEM,
  xen_machphys_mapping,
  xen_machphys_mfn_list,
  xen_memory_exchange,
  xen_memory_map,
  xen_memory_reservation,
} from '../../../runtime/abi/memory.ts';
import { askHeaders, measureStruct } from '../../support/xen-headers.ts';

const test = suite('runtime/abi/memory');

const structs = {
  xen_memory_reservation,
  xen_memory_exchange,
  xen_machphys_mfn_list,
  xen_machphys_mapping,
  xen_memory_map,
};

for (const width of [64, 32] as const)
  for (const [name, type] of Object.entries(structs))
    test(`${width}: struct ${name} lies as gcc lays it out`, async () => {
      const { offsets, size } = type.layout(width);

      const fields = Object.keys(offsets);
      const headers = ['xen.h', 'memory.h'];
      const measured = await measureStruct(headers, width, `struct ${name}`, fields);

      assert.equal({ ...offsets, sizeof: size }, measured);
    });

test('operations have the header’s numbers', async () => {
  const asked = Object.fromEntries(Object.keys(XENMEM).map((name) => [name, `XENMEM_${name}`]));

  assert.equal(XENMEM, await askHeaders(['xen.h', 'memory.h'], 64, asked));
});

test.run();

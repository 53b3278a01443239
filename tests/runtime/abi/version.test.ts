import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  XENFEAT,
  XENVER,
  xen_build_id,
  xen_feature_info,
  xen_platform_parameters,
} from '../../../runtime/abi/version.ts';
import { askHeaders, measureStruct } from '../../support/xen-headers.ts';

const test = suite('runtime/abi/version');

const headers = ['xen.h', 'version.h', 'features.h'];
const structs = { xen_platform_parameters, xen_feature_info, xen_build_id };
const constants = { XENVER, XENFEAT };
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

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  SCHEDOP,
  SHUTDOWN,
  sched_pin_override,
  sched_poll,
  sched_remote_shutdown,
  sched_shutdown,
  sched_watchdog,
} from '../../../runtime/abi/sched.ts';
import { askHeaders, measureStruct } from '../../support/xen-headers.ts';

const test = suite('runtime/abi/sched');

const headers = ['xen.h', 'sched.h'];
const structs = {
  sched_shutdown,
  sched_poll,
  sched_remote_shutdown,
  sched_watchdog,
  sched_pin_override,
};
const constants = { SCHEDOP, SHUTDOWN };
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

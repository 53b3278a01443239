import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  EVTCHNOP,
  EVTCHNSTAT,
  evtchn_alloc_unbound,
  evtchn_bind_interdomain,
  evtchn_bind_ipi,
  evtchn_bind_pirq,
  evtchn_bind_vcpu,
  evtchn_bind_virq,
  evtchn_close,
  evtchn_expand_array,
  evtchn_init_control,
  evtchn_reset,
  evtchn_send,
  evtchn_set_priority,
  evtchn_status,
  evtchn_unmask,
} from '../../../runtime/abi/event-channel.ts';
import { askHeaders, measureStruct } from '../../support/xen-headers.ts';

const test = suite('runtime/abi/event-channel');

const headers = ['xen.h', 'event_channel.h'];
const structs = {
  evtchn_alloc_unbound,
  evtchn_bind_interdomain,
  evtchn_bind_virq,
  evtchn_bind_pirq,
  evtchn_bind_ipi,
  evtchn_close,
  evtchn_send,
  evtchn_unmask,
  evtchn_reset,
  evtchn_status,
  evtchn_bind_vcpu,
  evtchn_set_priority,
  evtchn_init_control,
  evtchn_expand_array,
};
const constants = { EVTCHNOP, EVTCHNSTAT };
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

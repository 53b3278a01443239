import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { cpu_user_regs, VGCF, vcpu_guest_context } from '../../../runtime/abi/vcpu-context.ts';
import { addHeaderTests } from '../../support/header-tests.ts';
import { measureStruct } from '../../support/xen-headers.ts';

const test = suite('runtime/abi/vcpu-context');

const headers = ['xen.h'];

/** Ours of several fields in the header, by the first of them. */
const first = {
  64: { callbacks: 'event_callback_eip', bases: 'fs_base' },
  32: { callbacks: 'event_callback_cs' },
} as const;

for (const width of [64, 32] as const) {
  test(`${width}: struct vcpu_guest_context lies as gcc lays it out`, async () => {
    const { offsets, size } = vcpu_guest_context.layout(width);
    const { callbacks, bases, ...same } = offsets;
    const names = first[width];

    const measured = await measureStruct(headers, width, 'struct vcpu_guest_context', [
      ...Object.keys(same),
      ...Object.values(names),
    ]);

    const own = { ...same, [names.callbacks]: callbacks, sizeof: size };
    assert.equal('bases' in names ? { ...own, [names.bases]: bases } : own, measured);
  });

  test(`${width}: struct cpu_user_regs lies as gcc lays it out`, async () => {
    const { offsets, size } =
      width === 64 ? cpu_user_regs[64].layout(64) : cpu_user_regs[32].layout(32);
    const own = Object.entries(offsets).filter(([field]) => !field.startsWith('pad'));

    const measured = await measureStruct(
      headers,
      width,
      'struct cpu_user_regs',
      own.map(([field]) => field),
    );

    assert.equal({ ...Object.fromEntries(own), sizeof: size }, measured);
  });
}

addHeaderTests(test, headers, {}, { VGCF });

test.run();

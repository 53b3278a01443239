/** Indices against Xen's header; the references behind them are declared there without a number. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { xen_9pfs_data_intf } from '../../../../runtime/abi/io/9pfs.ts';
import { askHeaders } from '../../../support/xen-headers.ts';

const test = suite('runtime/abi/io/9pfs');

const fields = ['in_cons', 'in_prod', 'out_cons', 'out_prod', 'ring_order', 'ref'];

for (const width of [64, 32] as const)
  test(`${width}: the page of indices lies as gcc lays it out`, async () => {
    const { pad1, pad2, ...offsets } = xen_9pfs_data_intf.layout(width).offsets;
    const asked = fields.map((name) => [
      name,
      `__builtin_offsetof(struct xen_9pfs_data_intf, ${name})`,
    ]);

    const measured = await askHeaders(['xen.h', 'io/9pfs.h'], width, Object.fromEntries(asked));

    assert.equal(offsets, measured);
    assert.ok(pad1 < pad2 && xen_9pfs_data_intf.layout(width).size <= 4096);
  });

test.run();

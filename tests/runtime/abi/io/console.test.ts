/** The console ring's page, against Xen's header as gcc lays it out. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { xencons_interface } from '../../../../runtime/abi/io/console.ts';
import { measureStruct } from '../../../support/xen-headers.ts';

const abi = suite('runtime/abi/io/console');

for (const width of [64, 32] as const)
  abi(`x86-${width}: xencons_interface is laid out as in Xen's header`, async () => {
    const { offsets, size } = xencons_interface.layout(width);

    const measured = await measureStruct(
      ['io/console.h'],
      width,
      'struct xencons_interface',
      Object.keys(offsets),
    );

    assert.equal({ ...offsets, sizeof: size }, measured);
  });

abi.run();

/** The head of a ring, against Xen's header as gcc lays it out. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { sring } from '../../../../runtime/abi/io/ring.ts';
import { askHeaders } from '../../../support/xen-headers.ts';

const abi = suite('runtime/abi/io/ring');

for (const width of [64, 32] as const)
  abi(`x86-${width}: the head of a ring is laid out as in Xen's header`, async () => {
    const { offsets, size } = sring.layout(width);
    const offset = (field: string): string => `__builtin_offsetof(struct blkif_sring, ${field})`;

    const measured = await askHeaders(['xen.h', 'io/blkif.h'], width, {
      req_prod: offset('req_prod'),
      req_event: offset('req_event'),
      rsp_prod: offset('rsp_prod'),
      rsp_event: offset('rsp_event'),
      pvt: offset('pvt'),
      __pad: offset('__pad'),
      ring: offset('ring'),
    });

    assert.equal({ ...offsets, ring: size }, measured);
  });

abi.run();

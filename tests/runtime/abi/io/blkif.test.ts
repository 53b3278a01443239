/** Requests and responses, against Xen's header as gcc lays it out. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  BLKIF_DISCARD_SECURE,
  BLKIF_MAX_INDIRECT_PAGES_PER_REQUEST,
  BLKIF_MAX_SEGMENTS_PER_REQUEST,
  BLKIF_OP,
  BLKIF_RSP,
  blkif_request,
  blkif_request_discard,
  blkif_request_indirect,
  blkif_request_segment,
  blkif_response,
  VDISK,
} from '../../../../runtime/abi/io/blkif.ts';
import { askHeaders, measureStruct } from '../../../support/xen-headers.ts';

const abi = suite('runtime/abi/io/blkif');

/** What the header's inline functions and ring macros need declared. */
const headers = ['xen.h', 'io/blkif.h'];

for (const width of [64, 32] as const) {
  for (const type of [blkif_request, blkif_request_discard, blkif_request_segment, blkif_response])
    abi(`x86-${width}: ${type.name} is laid out as in Xen's header`, async () => {
      const { offsets, size } = type.layout(width);

      const measured = await measureStruct(
        headers,
        width,
        `struct ${type.name}`,
        Object.keys(offsets),
      );

      assert.equal({ ...offsets, sizeof: size }, measured);
    });

  abi(`x86-${width}: fields of indirect requests lie where they do in Xen's header`, async () => {
    const { offsets } = blkif_request_indirect.layout(width);

    const { sizeof, ...measured } = await measureStruct(
      headers,
      width,
      'struct blkif_request_indirect',
      Object.keys(offsets),
    );

    assert.equal(offsets, measured);
    assert.is(sizeof, 64); // of which padding that nobody reads
  });
}

abi('constants are the header’s', async () => {
  const groups = { BLKIF_OP_: BLKIF_OP, BLKIF_RSP_: BLKIF_RSP, VDISK_: VDISK };
  const all = {
    ...Object.fromEntries(
      Object.entries(groups).flatMap(([prefix, group]) =>
        Object.entries(group).map(([name, value]) => [prefix + name, value]),
      ),
    ),
    ...{ BLKIF_DISCARD_SECURE, BLKIF_MAX_SEGMENTS_PER_REQUEST },
    BLKIF_MAX_INDIRECT_PAGES_PER_REQUEST,
  };

  const asked = Object.fromEntries(Object.keys(all).map((name) => [name, name]));

  assert.equal(all, await askHeaders(headers, 64, asked));
});

abi.run();

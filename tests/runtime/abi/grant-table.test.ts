import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  GNTCOPY,
  GNTMAP,
  GNTST,
  GNTTAB_CACHE,
  GNTTAB_RESERVED,
  GNTTABOP,
  GTF,
  gnttab_cache_flush,
  gnttab_copy,
  gnttab_get_status_frames,
  gnttab_get_version,
  gnttab_map_grant_ref,
  gnttab_query_size,
  gnttab_set_version,
  gnttab_setup_table,
  gnttab_swap_grant_ref,
  gnttab_transfer,
  gnttab_unmap_and_replace,
  gnttab_unmap_grant_ref,
  grant_entry_v1,
} from '../../../runtime/abi/grant-table.ts';
import { askHeaders, measureStruct } from '../../support/xen-headers.ts';

const test = suite('runtime/abi/grant-table');

const headers = ['xen.h', 'grant_table.h'];
const structs = {
  grant_entry_v1,
  gnttab_map_grant_ref,
  gnttab_unmap_grant_ref,
  gnttab_unmap_and_replace,
  gnttab_setup_table,
  gnttab_transfer,
  gnttab_copy,
  gnttab_query_size,
  gnttab_set_version,
  gnttab_get_status_frames,
  gnttab_get_version,
  gnttab_swap_grant_ref,
  gnttab_cache_flush,
};
const constants = { GNTTABOP, GNTST, GTF, GNTMAP, GNTCOPY, GNTTAB_CACHE, GNTTAB_RESERVED };
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

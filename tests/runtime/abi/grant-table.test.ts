import { suite } from 'uvu';
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
import { addHeaderTests } from '../../support/header-tests.ts';

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

addHeaderTests(test, headers, structs, constants);

test.run();

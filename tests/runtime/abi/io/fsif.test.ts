import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  ERROR,
  fsif_chmod_request,
  fsif_close_request,
  fsif_create_request,
  fsif_list_request,
  fsif_open_request,
  fsif_read_request,
  fsif_rename_request,
  fsif_request_head,
  fsif_response,
  fsif_stat_response,
  fsif_truncate_request,
  HAS_MORE,
  mostReferences,
  NR_FILES,
  REQ,
} from '../../../../runtime/abi/io/fsif.ts';
import { addHeaderTests } from '../../../support/header-tests.ts';
import { askHeaders } from '../../../support/xen-headers.ts';

const test = suite('runtime/abi/io/fsif');

const headers = ['xen.h', 'io/fsif.h'];
const names = { fsif_open_request, fsif_close_request, fsif_create_request, fsif_rename_request };
const numbers = { fsif_read_request, fsif_truncate_request, fsif_list_request, fsif_chmod_request };
const structs = { ...names, ...numbers, fsif_stat_response, fsif_response };
addHeaderTests(test, headers, structs, { REQ, NR_FILES, ERROR, HAS_MORE });

for (const width of [64, 32] as const)
  test(`${width}: a slot of the ring is a response long, and requests begin alike`, async () => {
    const asked = {
      slot: 'sizeof(union fsif_sring_entry)',
      u: 'offsetof(struct fsif_request, u)',
      id: 'offsetof(struct fsif_request, id)',
      most: 'FSIF_NR_READ_GNTS',
    };

    const { slot, u, id, most = 0 } = await askHeaders(headers, width, asked);

    assert.is(slot, fsif_response.size(width));
    assert.is(u, fsif_request_head.size(width));
    assert.is(id, fsif_request_head.layout(width).offsets.id);
    assert.ok(most >= mostReferences);
  });

test.run();

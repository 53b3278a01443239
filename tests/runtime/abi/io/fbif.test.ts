import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  XENFB_OUT_EVENT_SIZE,
  XENFB_OUT_RING_LEN,
  XENFB_OUT_RING_OFFS,
  XENFB_OUT_RING_SIZE,
  XENFB_TYPE,
  xenfb_page,
  xenfb_resize,
  xenfb_update,
} from '../../../../runtime/abi/io/fbif.ts';
import { addHeaderTests } from '../../../support/header-tests.ts';

const test = suite('runtime/abi/io/fbif');

const ring = { EVENT_SIZE: XENFB_OUT_EVENT_SIZE, RING_SIZE: XENFB_OUT_RING_SIZE };
const XENFB_OUT = { ...ring, RING_LEN: XENFB_OUT_RING_LEN, RING_OFFS: XENFB_OUT_RING_OFFS };
const structs = { xenfb_page, xenfb_update, xenfb_resize };
addHeaderTests(test, ['xen.h', 'io/fbif.h'], structs, { XENFB_TYPE, XENFB_OUT });

test('events do not reach beyond the page', () => {
  assert.ok(XENFB_OUT_RING_LEN * XENFB_OUT_EVENT_SIZE <= XENFB_OUT_RING_SIZE);
});

test.run();

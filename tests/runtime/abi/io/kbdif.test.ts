import { suite } from 'uvu';
import {
  XENKBD_IN_EVENT_SIZE,
  XENKBD_IN_RING_LEN,
  XENKBD_IN_RING_OFFS,
  XENKBD_IN_RING_SIZE,
  XENKBD_TYPE,
  xenkbd_key,
  xenkbd_motion,
  xenkbd_page,
  xenkbd_position,
} from '../../../../runtime/abi/io/kbdif.ts';
import { addHeaderTests } from '../../../support/header-tests.ts';

const test = suite('runtime/abi/io/kbdif');

const ring = { EVENT_SIZE: XENKBD_IN_EVENT_SIZE, RING_SIZE: XENKBD_IN_RING_SIZE };
const XENKBD_IN = { ...ring, RING_LEN: XENKBD_IN_RING_LEN, RING_OFFS: XENKBD_IN_RING_OFFS };
const structs = { xenkbd_page, xenkbd_motion, xenkbd_key, xenkbd_position };
addHeaderTests(test, ['xen.h', 'io/kbdif.h'], structs, { XENKBD_TYPE, XENKBD_IN });

test.run();

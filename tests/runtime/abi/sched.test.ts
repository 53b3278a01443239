import { suite } from 'uvu';
import {
  SCHEDOP,
  SHUTDOWN,
  sched_pin_override,
  sched_poll,
  sched_remote_shutdown,
  sched_shutdown,
  sched_watchdog,
} from '../../../runtime/abi/sched.ts';
import { addHeaderTests } from '../../support/header-tests.ts';

const test = suite('runtime/abi/sched');

const headers = ['xen.h', 'sched.h'];
const structs = {
  sched_shutdown,
  sched_poll,
  sched_remote_shutdown,
  sched_watchdog,
  sched_pin_override,
};
const constants = { SCHEDOP, SHUTDOWN };

addHeaderTests(test, headers, structs, constants);

test.run();

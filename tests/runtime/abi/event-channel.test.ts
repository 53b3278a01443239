import { suite } from 'uvu';
import {
  EVTCHNOP,
  EVTCHNSTAT,
  evtchn_alloc_unbound,
  evtchn_bind_interdomain,
  evtchn_bind_ipi,
  evtchn_bind_pirq,
  evtchn_bind_vcpu,
  evtchn_bind_virq,
  evtchn_close,
  evtchn_expand_array,
  evtchn_init_control,
  evtchn_reset,
  evtchn_send,
  evtchn_set_priority,
  evtchn_status,
  evtchn_unmask,
} from '../../../runtime/abi/event-channel.ts';
import { addHeaderTests } from '../../support/header-tests.ts';

const test = suite('runtime/abi/event-channel');

const headers = ['xen.h', 'event_channel.h'];
const structs = {
  evtchn_alloc_unbound,
  evtchn_bind_interdomain,
  evtchn_bind_virq,
  evtchn_bind_pirq,
  evtchn_bind_ipi,
  evtchn_close,
  evtchn_send,
  evtchn_unmask,
  evtchn_reset,
  evtchn_status,
  evtchn_bind_vcpu,
  evtchn_set_priority,
  evtchn_init_control,
  evtchn_expand_array,
};
const constants = { EVTCHNOP, EVTCHNSTAT };

addHeaderTests(test, headers, structs, constants);

test.run();

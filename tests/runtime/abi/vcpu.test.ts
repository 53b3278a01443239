import { suite } from 'uvu';
import {
  RUNSTATE,
  VCPUOP,
  vcpu_get_physid,
  vcpu_register_runstate_memory_area,
  vcpu_register_time_memory_area,
  vcpu_register_vcpu_info,
  vcpu_runstate_info,
  vcpu_set_periodic_timer,
  vcpu_set_singleshot_timer,
} from '../../../runtime/abi/vcpu.ts';
import { addHeaderTests } from '../../support/header-tests.ts';

const test = suite('runtime/abi/vcpu');

const headers = ['xen.h', 'vcpu.h'];
const structs = {
  vcpu_runstate_info,
  vcpu_register_runstate_memory_area,
  vcpu_set_periodic_timer,
  vcpu_set_singleshot_timer,
  vcpu_register_vcpu_info,
  vcpu_get_physid,
  vcpu_register_time_memory_area,
};
const constants = { VCPUOP, RUNSTATE };

addHeaderTests(test, headers, structs, constants);

test.run();

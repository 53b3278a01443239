import { suite } from 'uvu';
import {
  XENFEAT,
  XENVER,
  xen_build_id,
  xen_feature_info,
  xen_platform_parameters,
} from '../../../runtime/abi/version.ts';
import { addHeaderTests } from '../../support/header-tests.ts';

const test = suite('runtime/abi/version');

const headers = ['xen.h', 'version.h', 'features.h'];
const structs = { xen_platform_parameters, xen_feature_info, xen_build_id };
const constants = { XENVER, XENFEAT };

addHeaderTests(test, headers, structs, constants);

test.run();

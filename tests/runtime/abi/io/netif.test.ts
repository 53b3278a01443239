import { suite } from 'uvu';
import {
  NETIF_RSP,
  NETRXF,
  NETTXF,
  netif_extra_info,
  netif_rx_request,
  netif_rx_response,
  netif_tx_request,
  netif_tx_response,
  XEN_NETIF_EXTRA_FLAG_MORE,
  XEN_NETIF_EXTRA_TYPE,
  XEN_NETIF_GSO_TYPE,
} from '../../../../runtime/abi/io/netif.ts';
import { addHeaderTests } from '../../../support/header-tests.ts';

const test = suite('runtime/abi/io/netif');

const structs = {
  ...{ netif_tx_request, netif_tx_response, netif_rx_request, netif_rx_response },
  netif_extra_info,
};
const constants = {
  ...{ NETTXF, NETRXF, NETIF_RSP, XEN_NETIF_EXTRA_TYPE, XEN_NETIF_GSO_TYPE },
  XEN_NETIF_EXTRA_FLAG: { MORE: XEN_NETIF_EXTRA_FLAG_MORE },
};
addHeaderTests(test, ['xen.h', 'io/netif.h'], structs, constants);

test.run();

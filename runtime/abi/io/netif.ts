/** xen/include/public/io/netif.h: frames to and from a network device. Both widths have the same layout. */
import { i16, struct, u8, u16, u32 } from '../../memory/layout.ts';

export const NETTXF = { csum_blank: 1, data_validated: 2, more_data: 4, extra_info: 8 } as const;
export const NETRXF = {
  csum_blank: 2,
  data_validated: 1,
  more_data: 4,
  extra_info: 8,
  gso_prefix: 16,
} as const;

export const XEN_NETIF_EXTRA_TYPE = { GSO: 1, MCAST_ADD: 2, MCAST_DEL: 3, HASH: 4 } as const;
export const XEN_NETIF_EXTRA_FLAG_MORE = 1;
export const XEN_NETIF_GSO_TYPE = { NONE: 0, TCPV4: 1, TCPV6: 2 } as const;

export const NETIF_RSP = { DROPPED: -2, ERROR: -1, OKAY: 0, NULL: 1 } as const;

/** Of the first slot of a frame, `size` is the whole frame's. */
export const netif_tx_request = struct('netif_tx_request', {
  gref: u32,
  offset: u16, // within the page
  flags: u16, // NETTXF
  id: u16, // echoed in the response
  size: u16,
});

export const netif_tx_response = struct('netif_tx_response', { id: u16, status: i16 });

export const netif_rx_request = struct('netif_rx_request', { id: u16, pad: u16, gref: u32 });

export const netif_rx_response = struct('netif_rx_response', {
  id: u16,
  offset: u16,
  flags: u16, // NETRXF
  status: i16, // bytes, or NETIF_RSP where it is negative
});

const gso = struct('gso', {
  size: u16, // payload of a segment
  type: u8, // XEN_NETIF_GSO_TYPE
  pad: u8,
  features: u16,
});

/** In a slot of its own, behind a frame's first. */
export const netif_extra_info = struct('netif_extra_info', {
  type: u8, // XEN_NETIF_EXTRA_TYPE
  flags: u8, // XEN_NETIF_EXTRA_FLAG_MORE
  u: gso,
});

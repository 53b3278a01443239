/* The rings of a network interface (layouts and numbers of Xen's public headers io/netif.h and io/ring.h). */
#ifndef __XEN_PUBLIC_IO_NETIF_H__
#define __XEN_PUBLIC_IO_NETIF_H__

#include <stdint.h>

#ifndef __ring_idx_defined
#define __ring_idx_defined
typedef unsigned int RING_IDX;
#endif

#define XEN_NETIF_NR_SLOTS_MIN 18
#define XEN_NETIF_MAX_TX_SIZE 0xFFFF

#define NETTXF_csum_blank 1U
#define NETTXF_data_validated 2U
#define NETTXF_more_data 4U
#define NETTXF_extra_info 8U

struct netif_tx_request {
  uint32_t gref;
  uint16_t offset; /* within the page */
  uint16_t flags;
  uint16_t id;
  uint16_t size; /* of the first slot: of the whole frame */
};
typedef struct netif_tx_request netif_tx_request_t;

#define XEN_NETIF_EXTRA_TYPE_NONE 0
#define XEN_NETIF_EXTRA_TYPE_GSO 1
#define XEN_NETIF_EXTRA_FLAG_MORE 1U

#define XEN_NETIF_GSO_TYPE_NONE 0
#define XEN_NETIF_GSO_TYPE_TCPV4 1
#define XEN_NETIF_GSO_TYPE_TCPV6 2

/* In a slot of its own, behind a frame's first. */
struct netif_extra_info {
  uint8_t type;
  uint8_t flags;
  union {
    struct {
      uint16_t size; /* of a segment's payload */
      uint8_t type;
      uint8_t pad;
      uint16_t features;
    } gso;
    uint16_t pad[3];
  } u;
};
typedef struct netif_extra_info netif_extra_info_t;

struct netif_tx_response {
  uint16_t id;
  int16_t status;
};
typedef struct netif_tx_response netif_tx_response_t;

struct netif_rx_request {
  uint16_t id;
  uint16_t pad;
  uint32_t gref;
};
typedef struct netif_rx_request netif_rx_request_t;

#define NETRXF_data_validated 1U
#define NETRXF_csum_blank 2U
#define NETRXF_more_data 4U
#define NETRXF_extra_info 8U
#define NETRXF_gso_prefix 16U

struct netif_rx_response {
  uint16_t id;
  uint16_t offset; /* within the page */
  uint16_t flags;
  int16_t status; /* bytes, or NETIF_RSP_ */
};
typedef struct netif_rx_response netif_rx_response_t;

#define NETIF_RSP_DROPPED (-2)
#define NETIF_RSP_ERROR (-1)
#define NETIF_RSP_OKAY 0
#define NETIF_RSP_NULL 1

/* The pages that both ends share. */
struct netif_tx_sring {
  RING_IDX req_prod, req_event;
  RING_IDX rsp_prod, rsp_event;
  uint8_t pad[48];
  union {
    struct netif_tx_request req;
    struct netif_tx_response rsp;
  } ring[];
};

struct netif_rx_sring {
  RING_IDX req_prod, req_event;
  RING_IDX rsp_prod, rsp_event;
  uint8_t pad[48];
  union {
    struct netif_rx_request req;
    struct netif_rx_response rsp;
  } ring[];
};

#endif

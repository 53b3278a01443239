/* The ring of a block device (layouts and numbers of Xen's public headers io/blkif.h and io/ring.h). */
#ifndef __XEN_PUBLIC_IO_BLKIF_H__
#define __XEN_PUBLIC_IO_BLKIF_H__

#include <stdint.h>

typedef uint16_t blkif_vdev_t;
typedef uint64_t blkif_sector_t;
#ifndef __ring_idx_defined
#define __ring_idx_defined
typedef unsigned int RING_IDX;
#endif

#define BLKIF_OP_READ 0
#define BLKIF_OP_WRITE 1
#define BLKIF_OP_WRITE_BARRIER 2
#define BLKIF_OP_FLUSH_DISKCACHE 3
#define BLKIF_OP_DISCARD 5

#define BLKIF_RSP_EOPNOTSUPP (-2)
#define BLKIF_RSP_ERROR (-1)
#define BLKIF_RSP_OKAY 0

#define BLKIF_MAX_SEGMENTS_PER_REQUEST 11

#define VDISK_CDROM 0x1
#define VDISK_REMOVABLE 0x2
#define VDISK_READONLY 0x4

struct blkif_request_segment {
  uint32_t gref;
  uint8_t first_sect, last_sect; /* of the page, in sectors of 512 bytes, both inclusive */
};

struct blkif_request {
  uint8_t operation;
  uint8_t nr_segments;
  blkif_vdev_t handle;
  uint64_t id; /* comes back in the response */
  blkif_sector_t sector_number;
  struct blkif_request_segment seg[BLKIF_MAX_SEGMENTS_PER_REQUEST];
};
typedef struct blkif_request blkif_request_t;

struct blkif_response {
  uint64_t id;
  uint8_t operation;
  int16_t status;
};
typedef struct blkif_response blkif_response_t;

/* The page that both ends share. */
struct blkif_sring {
  RING_IDX req_prod, req_event;
  RING_IDX rsp_prod, rsp_event;
  uint8_t pad[48];
  union {
    struct blkif_request req;
    struct blkif_response rsp;
  } ring[];
};

#endif

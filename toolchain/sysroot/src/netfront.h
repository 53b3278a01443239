/* The network front-end as lwip's port has it: frames in parts, TCP segments for the other end to cut, and no waiting. */
#ifndef MINIOS_NETFRONT_H
#define MINIOS_NETFRONT_H

#include <mini-os/netfront.h>
#include <stdbool.h>
#include <sys/uio.h>

/* Longest frame of either direction: what a length of 16 bits counts. */
#define MINIOS_LONGEST_FRAME 0xffff

/* What goes with a frame's bytes. */
struct minios_offload {
  bool is_blank; /* its TCP or UDP checksum is for the other end to fill in; of a received frame: need not be looked at */
  uint16_t segment_size; /* 0, or payload of each segment that it is to be cut into */
  bool is_ipv6;          /* where segment_size is not 0 */
};

/* A front-end whose frames may be long and blank both ways. A handler is called for events, and takes frames itself. */
struct netfront_dev *minios_netfront_open(const char *nodename, void (*handler)(void *arg),
                                          void *arg, unsigned char mac[6], char **ip);
/* False where the ring has no room now; an event tells of it. The back-end hears of it by minios_netfront_push. */
bool minios_netfront_send(struct netfront_dev *dev, const struct iovec *parts, int count,
                          struct minios_offload offload);
void minios_netfront_push(struct netfront_dev *dev);
/* Length of the next frame that has arrived as a whole, or 0; an event tells of the next. */
size_t minios_netfront_next(struct netfront_dev *dev, struct minios_offload *offload);
/* Takes it: count bytes of it, which may be fewer than it has. */
void minios_netfront_take(struct netfront_dev *dev, void *to, size_t count);

#endif

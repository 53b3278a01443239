/*
 * Mini-OS's network front-end: two rings on granted pages, and pages that stay granted, out of which and into which frames are
 * copied. What arrives goes to a function, which runs as an event's handler does, or waits to be received.
 */
#ifndef _NETFRONT_H_
#define _NETFRONT_H_

#include <mini-os/api.h>
#include <mini-os/types.h>
#include <mini-os/wait.h>

struct netfront_dev;

/* As the function of init_netfront: frames wait for netfront_receive. */
#define NETIF_SELECT_RX ((void (*)(unsigned char *data, int len, void *arg))-1)

/* Any event of any device. */
extern struct wait_queue_head netfront_queue;

/*
 * Waits for the back-end; nodename NULL is device/vif/0. Writes the device's MAC, and to *ip the address that the tools gave it,
 * which is to be freed, or NULL; rawmac and ip may be NULL. NULL where there is no such device.
 */
struct netfront_dev *init_netfront(char *nodename,
                                   void (*thenetif_rx)(unsigned char *data, int len, void *arg),
                                   unsigned char rawmac[6], char **ip);
void netfront_set_rx_handler(struct netfront_dev *dev,
                             void (*thenetif_rx)(unsigned char *data, int len, void *arg),
                             void *arg);
/* A whole frame, checksums included, of which the back-end gets 65535 bytes at most. Waits for room in the ring. */
void netfront_xmit(struct netfront_dev *dev, unsigned char *data, int len);
/* The next frame, cut to len; 0 where there is none. */
ssize_t netfront_receive(struct netfront_dev *dev, unsigned char *data, size_t len);
/* Hands what has arrived to the function. */
void network_rx(struct netfront_dev *dev);
/* To be freed; NULL where the tools gave none. */
char *netfront_get_gateway(struct netfront_dev *dev);
void shutdown_netfront(struct netfront_dev *dev);

/* A descriptor that a frame is read from (EAGAIN where there is none) and written to; -1 with errno. */
int netfront_tap_open(char *nodename);

/* lwip on every interface, with addresses of the tools or of DHCP; the first socket does it, too. */
void start_networking(void);
void stop_networking(void);
/* Of the first interface. */
struct ip_addr;
void networking_set_addr(struct ip_addr *ipaddr, struct ip_addr *netmask, struct ip_addr *gw);

#endif

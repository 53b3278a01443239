/* A network interface of lwip's over a front-end. */
#ifndef MINIOS_INTERFACE_H
#define MINIOS_INTERFACE_H

#include <lwip/netif.h>
#include <stdbool.h>

/* For the handle of device/vif; NULL where there is no such device. Events call `told`. */
struct netif *minios_interface_open(const char *nodename, void (*told)(void *arg));
/* Hands what has arrived to lwip. */
void minios_interface_receive(struct netif *netif);
/* Frames that found no room, and the word to the back-end. */
void minios_interface_flush(struct netif *netif);
/* Whether it has an address, or cannot get one. */
bool minios_interface_is_ready(const struct netif *netif);
void minios_interface_close(struct netif *netif);

#endif

/*
 * A network interface of lwip's over a front-end (interface.h). Its MTU is not that of its frames: TCP makes segments that the back-end
 * cuts, so IP must not fragment them, and fragments all else here.
 */
#include "interface.h"
#include "netfront.h"

#include <lwip/dhcp.h>
#include <lwip/etharp.h>
#include <lwip/ethip6.h>
#include <lwip/inet_chksum.h>
#include <lwip/ip4_frag.h>
#include <lwip/ip6_frag.h>
#include <lwip/prot/ip4.h>
#include <lwip/prot/ip6.h>
#include <lwip/prot/tcp.h>
#include <mini-os/api.h>
#include <netif/ethernet.h>
#include <stdlib.h>
#include <string.h>

#define WIRE_MTU 1500
#define MOST_PARTS 24
#define MOST_WAITING 1024 /* frames that found no room; beyond it they are lost, as on a wire */

struct waiting {
  struct waiting *next;
  struct pbuf *p;
};

struct interface {
  struct netif netif; /* first */
  struct netfront_dev *dev;
  struct waiting *first, **last;
  int waiting;
};

static unsigned ethertype_of(const unsigned char *frame) {
  return (unsigned)frame[12] << 8 | frame[13];
}

/* TCP leaves its checksum to the back-end; a segment that is longer than a frame is for it to cut. */
static struct minios_offload offload_of(const struct pbuf *p) {
  const unsigned char *frame = p->payload;
  unsigned type = p->len < SIZEOF_ETH_HDR + IP6_HLEN ? 0 : ethertype_of(frame);
  bool is_ipv6 = type == ETHTYPE_IPV6;
  unsigned protocol = is_ipv6 ? frame[SIZEOF_ETH_HDR + 6] : frame[SIZEOF_ETH_HDR + 9];
  if ((type != ETHTYPE_IP && !is_ipv6) || protocol != IP_PROTO_TCP)
    return (struct minios_offload){0};
  unsigned headers = (is_ipv6 ? IP6_HLEN : IP_HLEN) + TCP_HLEN;
  bool is_long = p->tot_len > SIZEOF_ETH_HDR + WIRE_MTU;
  return (struct minios_offload){true, is_long ? (uint16_t)(WIRE_MTU - headers) : 0, is_ipv6};
}

static bool send_now(struct interface *interface, const struct pbuf *p) {
  struct iovec parts[MOST_PARTS];
  int count = 0;
  for (const struct pbuf *q = p; q != NULL; q = q->next)
    if (q->len > 0)
      parts[count++] = (struct iovec){q->payload, q->len};
  return minios_netfront_send(interface->dev, parts, count, offload_of(p));
}

static err_t link_output(struct netif *netif, struct pbuf *p) {
  struct interface *interface = (struct interface *)netif;
  struct pbuf *whole = p;
  if (pbuf_clen(p) > MOST_PARTS) {
    whole = pbuf_clone(PBUF_RAW, PBUF_RAM, p);
    if (whole == NULL)
      return ERR_MEM;
  } else
    pbuf_ref(p);
  if (interface->first == NULL && send_now(interface, whole)) {
    pbuf_free(whole);
    return ERR_OK;
  }
  struct waiting *waiting = interface->waiting < MOST_WAITING ? malloc(sizeof *waiting) : NULL;
  if (waiting == NULL) {
    pbuf_free(whole);
    return ERR_MEM;
  }
  *waiting = (struct waiting){NULL, whole};
  *interface->last = waiting;
  interface->last = &waiting->next;
  interface->waiting++;
  return ERR_OK;
}

void minios_interface_flush(struct netif *netif) {
  struct interface *interface = (struct interface *)netif;
  for (struct waiting *waiting; (waiting = interface->first) != NULL; free(waiting)) {
    if (!send_now(interface, waiting->p))
      break;
    pbuf_free(waiting->p);
    interface->waiting--;
    interface->first = waiting->next;
    if (interface->first == NULL)
      interface->last = &interface->first;
  }
  minios_netfront_push(interface->dev);
}

/* What the other end expects in the field of a blank checksum (xen/io/netif.h): the sum of the pseudo header. */
static void put_pseudo_sum(struct pbuf *p, unsigned header, const ip_addr_t *from, const ip_addr_t *to) {
  struct tcp_hdr *tcp = (void *)((char *)p->payload + header);
  u16_t length = (u16_t)(p->tot_len - header);
  if (p->len >= header + TCP_HLEN)
    tcp->chksum = (u16_t)~ip_chksum_pseudo_partial(p, IP_PROTO_TCP, length, 0, from, to);
}

static err_t output4(struct netif *netif, struct pbuf *p, const ip4_addr_t *to) {
  struct ip_hdr *header = p->payload;
  bool is_fragment = (IPH_OFFSET(header) & PP_HTONS(IP_OFFMASK | IP_MF)) != 0;
  if (IPH_PROTO(header) == IP_PROTO_TCP && !is_fragment) {
    ip_addr_t from, target;
    ip_addr_copy_from_ip4(from, header->src);
    ip_addr_copy_from_ip4(target, header->dest);
    put_pseudo_sum(p, IPH_HL_BYTES(header), &from, &target);
  } else if (p->tot_len > WIRE_MTU) {
    u16_t mtu = netif->mtu;
    netif->mtu = WIRE_MTU;
    err_t error = ip4_frag(p, netif, to);
    netif->mtu = mtu;
    return error;
  }
  return etharp_output(netif, p, to);
}

static err_t output6(struct netif *netif, struct pbuf *p, const ip6_addr_t *to) {
  struct ip6_hdr *header = p->payload;
  if (IP6H_NEXTH(header) == IP6_NEXTH_TCP) {
    ip_addr_t from, target;
    ip_addr_copy_from_ip6_packed(from, header->src);
    ip_addr_copy_from_ip6_packed(target, header->dest);
    put_pseudo_sum(p, IP6_HLEN, &from, &target);
  } else if (p->tot_len > WIRE_MTU) {
    u16_t mtu = netif->mtu, mtu6 = netif->mtu6;
    netif->mtu = netif->mtu6 = WIRE_MTU;
    err_t error = ip6_frag(p, netif, to);
    netif->mtu = mtu;
    netif->mtu6 = mtu6;
    return error;
  }
  return ethip6_output(netif, p, to);
}

/* A checksum that was left out on the way here, or looked at, is not looked at. */
#define CHECKED_BY_OTHERS (NETIF_CHECKSUM_CHECK_TCP | NETIF_CHECKSUM_CHECK_UDP)
#define OUR_CHECKSUMS (NETIF_CHECKSUM_ENABLE_ALL & ~NETIF_CHECKSUM_GEN_TCP)

void minios_interface_receive(struct netif *netif) {
  struct interface *interface = (struct interface *)netif;
  struct minios_offload offload;
  size_t length;
  while ((length = minios_netfront_next(interface->dev, &offload)) > 0) {
    struct pbuf *p = pbuf_alloc(PBUF_RAW, (u16_t)length, PBUF_RAM);
    minios_netfront_take(interface->dev, p == NULL ? NULL : p->payload, p == NULL ? 0 : length);
    if (p == NULL)
      continue;
    NETIF_SET_CHECKSUM_CTRL(netif, offload.is_blank ? OUR_CHECKSUMS & ~CHECKED_BY_OTHERS : OUR_CHECKSUMS);
    if (netif->input(p, netif) != ERR_OK)
      pbuf_free(p);
  }
  NETIF_SET_CHECKSUM_CTRL(netif, OUR_CHECKSUMS);
}

static err_t init_interface(struct netif *netif) {
  netif->name[0] = 'e';
  netif->name[1] = 'n';
  netif->output = output4;
  netif->output_ip6 = output6;
  netif->linkoutput = link_output;
  netif->mtu = netif->mtu6 = 0xffff;
  netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET | NETIF_FLAG_LINK_UP | NETIF_FLAG_MLD6;
  NETIF_SET_CHECKSUM_CTRL(netif, OUR_CHECKSUMS);
  return ERR_OK;
}

/* The network's size is that of the address's class, as Mini-OS has it. */
static void give_address(struct netif *netif, const char *text) {
  ip4_addr_t address, mask, none;
  ip4_addr_set_zero(&none);
  if (!ip4addr_aton(text, &address))
    return;
  unsigned first = ip4_addr1(&address);
  ip4_addr_set_u32(&mask, lwip_htonl(first < 128 ? 0xff000000 : first < 192 ? 0xffff0000 : 0xffffff00));
  netif_set_addr(netif, &address, &mask, &none);
}

struct netif *minios_interface_open(const char *nodename, void (*told)(void *arg)) {
  struct interface *interface = calloc(1, sizeof *interface);
  unsigned char mac[6];
  char *ip = NULL;
  if (interface == NULL)
    return NULL;
  interface->last = &interface->first;
  interface->dev = minios_netfront_open(nodename, told, interface, mac, &ip);
  if (interface->dev == NULL) {
    free(interface);
    return NULL;
  }
  struct netif *netif = &interface->netif;
  netif_add(netif, NULL, NULL, NULL, NULL, init_interface, ethernet_input);
  netif->hwaddr_len = sizeof mac;
  memcpy(netif->hwaddr, mac, sizeof mac);
  netif_set_up(netif);
  netif_create_ip6_linklocal_address(netif, 1);
  netif_set_ip6_autoconfig_enabled(netif, 1);
  if (ip != NULL)
    give_address(netif, ip);
  else
    dhcp_start(netif);
  free(ip);
  return netif;
}

bool minios_interface_is_ready(const struct netif *netif) {
  return !ip4_addr_isany_val(*netif_ip4_addr(netif));
}

void minios_interface_close(struct netif *netif) {
  struct interface *interface = (struct interface *)netif;
  dhcp_release_and_stop(netif);
  minios_interface_flush(netif);
  netif_remove(netif);
  for (struct waiting *waiting; (waiting = interface->first) != NULL; free(waiting)) {
    pbuf_free(waiting->p);
    interface->first = waiting->next;
  }
  shutdown_netfront(interface->dev);
  free(interface);
}

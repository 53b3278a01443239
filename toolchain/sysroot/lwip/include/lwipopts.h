/*
 * lwip as an application's image has it (lwip/opt.h): its core alone, without threads of its own. Threads of Mini-OS are cooperative
 * and nothing in the core gives way, so each thread calls it directly (network.h), and sockets are ours.
 */
#ifndef LWIPOPTS_H
#define LWIPOPTS_H

#define NO_SYS 1
#define SYS_LIGHTWEIGHT_PROT 0
#define LWIP_NETCONN 0
#define LWIP_SOCKET 0
#define LWIP_STATS 0

/* newlib's heap has everything; nothing is set aside. */
#define MEM_LIBC_MALLOC 1
#define MEMP_MEM_MALLOC 1
#define MEM_ALIGNMENT 8
#define LWIP_DISABLE_TCP_SANITY_CHECKS 1

#define LWIP_IPV4 1
#define LWIP_IPV6 1
#define LWIP_RAW 1
#define LWIP_UDP 1
#define LWIP_DHCP 1
#define DHCP_DOES_ARP_CHECK 0
#define LWIP_IPV6_AUTOCONFIG 1
#define LWIP_IPV6_DUP_DETECT_ATTEMPTS 1
#define LWIP_DNS 1
#define DNS_MAX_SERVERS 3
#define DNS_TABLE_SIZE 16
#define DNS_MAX_NAME_LENGTH 256
#define LWIP_DNS_ADDRTYPE_DEFAULT LWIP_DNS_ADDRTYPE_IPV4
#define ARP_TABLE_SIZE 64
#define ARP_QUEUEING 1
#define IP_FORWARD 0
#define IP_REASS_MAX_PBUFS 128
#define MEMP_NUM_REASSDATA 16
#define IPV6_FRAG_COPYHEADER 1 /* pointers of 8 bytes do not fit into the header in place */
#define LWIP_BROADCAST_PING 0
#define LWIP_MULTICAST_PING 0
#define SO_REUSE 1
#define LWIP_NETIF_HOSTNAME 0
#define LWIP_NETIF_LOOPBACK 1
#define LWIP_HAVE_LOOPIF 1
#define LWIP_LOOPBACK_MAX_PBUFS 0

/* The back-end cuts long segments and fills in checksums; whether it did is told frame by frame (network.c). */
#define LWIP_CHECKSUM_CTRL_PER_NETIF 1
#define LWIP_CHKSUM_ALGORITHM 3

/* Windows of half a megabyte: what a host's loopback has on its way while the guest runs a turn. */
#define LWIP_WND_SCALE 1
#define TCP_RCV_SCALE 4
#define TCP_MSS 1460
#define TCP_WND (512 * 1024)
#define TCP_WND_UPDATE_THRESHOLD (TCP_WND / 4)
#define TCP_SND_BUF (512 * 1024)
#define TCP_SND_QUEUELEN 8192
#define MEMP_NUM_TCP_SEG 16384
#define TCP_SNDLOWAT (16 * 1024)
#define TCP_LISTEN_BACKLOG 1
#define TCP_DEFAULT_LISTEN_BACKLOG 128
#define LWIP_TCP_KEEPALIVE 1
#define TCP_OOSEQ_MAX_BYTES TCP_WND

struct tcp_pcb;
void minios_lwip_packet(struct tcp_pcb *pcb);
/* Every segment that comes for a connection. */
#define LWIP_HOOK_TCP_INPACKET_PCB(pcb, header, length, first, second, packet) (minios_lwip_packet(pcb), 0)

#endif

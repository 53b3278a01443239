/*
 * A network front-end without an IP stack: asks by ARP who the gateway is, then sends datagrams to the port of the gateway
 * that the command line names, checks that each comes back as it went, and prints what it counted.
 */
#include "blkfront.h"
#include "store.h"
#include <xen/io/netif.h>
#include <xen/io/xenbus.h>

#define ROUNDS 500
#define ROOMS 32
#define DATA 1000
#define OWN 0x0a00020f
#define GATEWAY 0x0a000202

static char tx_page[4096] PAGE, rx_page[4096] PAGE, out[4096] PAGE, more[4096] PAGE, rooms[ROOMS][4096] PAGE;
static netif_tx_front_ring_t tx;
static netif_rx_front_ring_t rx;
static unsigned port, out_reference, more_reference, references[ROOMS];
static uint8_t own_mac[6], gateway_mac[6];
static char backend[64];

static void put16(char *at, unsigned value)
{
	at[0] = value >> 8;
	at[1] = value;
}

static void put32(char *at, unsigned value)
{
	put16(at, value >> 16);
	put16(at + 2, value);
}

static unsigned get16(const char *at)
{
	return (uint8_t)at[0] << 8 | (uint8_t)at[1];
}

static void set_own(const char *name, unsigned value)
{
	char path[64] = "device/vif/0/", text[16] = "";
	store_write(append(path, name), append_number(text, value));
}

static unsigned backend_state(void)
{
	char path[96] = "", value[16];
	append(append(path, backend), "/state");
	return store_read(path, value, sizeof value) ? number_of(value) : 0;
}

static void wait_for_state(unsigned state)
{
	while (backend_state() != state)
		CALL2(sched_op, SCHEDOP_yield, 0);
}

static void notify(void)
{
	struct evtchn_send send = { .port = port };
	CALL2(event_channel_op, EVTCHNOP_send, &send);
}

static void offer(unsigned room)
{
	netif_rx_request_t *request = RING_GET_REQUEST(&rx, rx.req_prod_pvt++);
	int is_wanted;
	request->id = room;
	request->gref = references[room];
	RING_PUSH_REQUESTS_AND_CHECK_NOTIFY(&rx, is_wanted);
	if (is_wanted)
		notify();
}

static void read_mac(void)
{
	char text[32];
	store_read("device/vif/0/mac", text, sizeof text);
	print("mac %s\n", text);
	for (unsigned i = 0; i < 6; i++)
		for (unsigned digit = 0; digit < 2; digit++) {
			char c = text[3 * i + digit];
			own_mac[i] = own_mac[i] << 4 | (c <= '9' ? c - '0' : c - 'a' + 10);
		}
}

static void connect_net(void)
{
	struct evtchn_alloc_unbound unbound = { .dom = DOMID_SELF, .remote_dom = 0 };
	store_read("device/vif/0/backend", backend, sizeof backend);
	wait_for_state(XenbusStateInitWait);
	SHARED_RING_INIT((netif_tx_sring_t *)tx_page);
	FRONT_RING_INIT(&tx, (netif_tx_sring_t *)tx_page, 4096);
	SHARED_RING_INIT((netif_rx_sring_t *)rx_page);
	FRONT_RING_INIT(&rx, (netif_rx_sring_t *)rx_page, 4096);
	CALL2(event_channel_op, EVTCHNOP_alloc_unbound, &unbound);
	port = unbound.port;
	out_reference = grant(out, 0, GTF_readonly);
	more_reference = grant(more, 0, GTF_readonly);
	set_own("tx-ring-ref", grant(tx_page, 0, 0));
	set_own("rx-ring-ref", grant(rx_page, 0, 0));
	set_own("event-channel", port);
	set_own("request-rx-copy", 1);
	for (unsigned room = 0; room < ROOMS; room++) {
		references[room] = grant(rooms[room], 0, 0);
		offer(room);
	}
	set_own("state", XenbusStateConnected);
	wait_for_state(XenbusStateConnected);
}

static void push(void)
{
	int is_wanted;
	RING_PUSH_REQUESTS_AND_CHECK_NOTIFY(&tx, is_wanted);
	if (is_wanted)
		notify();
}

static void queue(unsigned reference, unsigned offset, unsigned flags, unsigned size)
{
	netif_tx_request_t *request = RING_GET_REQUEST(&tx, tx.req_prod_pvt++);
	*request = (netif_tx_request_t){ reference, offset, flags, tx.req_prod_pvt, size };
}

static int next_status(void)
{
	while (!RING_HAS_UNCONSUMED_RESPONSES(&tx)) {
		CALL2(sched_op, SCHEDOP_yield, 0);
		__asm__ volatile("" ::: "memory");
	}
	return RING_GET_RESPONSE(&tx, tx.rsp_cons++)->status;
}

static int send(unsigned flags, unsigned size)
{
	queue(out_reference, 0, flags, size);
	push();
	return next_status();
}

/* The room that the next frame has come into, and its length. */
static unsigned receive(unsigned *length)
{
	while (!RING_HAS_UNCONSUMED_RESPONSES(&rx)) {
		CALL2(sched_op, SCHEDOP_yield, 0);
		__asm__ volatile("" ::: "memory");
	}
	netif_rx_response_t *response = RING_GET_RESPONSE(&rx, rx.rsp_cons++);
	*length = response->status;
	return response->id;
}

static void ask_gateway(void)
{
	static const uint8_t head[] = { 8, 6, 0, 1, 8, 0, 6, 4, 0, 1 };
	unsigned length, room;
	memset(out, 0xff, 6);
	memcpy(out + 6, own_mac, 6);
	memcpy(out + 12, head, sizeof head);
	memcpy(out + 22, own_mac, 6);
	put32(out + 28, OWN);
	put32(out + 38, GATEWAY);
	print("arp sent: %d\n", send(0, 60));
	room = receive(&length);
	memcpy(gateway_mac, rooms[room] + 22, 6);
	print("the gateway is at %x:%x, its answer has %u bytes\n", gateway_mac[0], gateway_mac[5], length);
	offer(room);
}

static void write_heads(unsigned to_port)
{
	unsigned sum = 0;
	memcpy(out, gateway_mac, 6);
	put16(out + 12, 0x800);
	put16(out + 14, 0x4500);
	put16(out + 16, 28 + DATA);
	put32(out + 18, 0);
	put16(out + 22, 64 << 8 | 17);
	put16(out + 24, 0);
	put32(out + 26, OWN);
	put32(out + 30, GATEWAY);
	for (unsigned i = 14; i < 34; i += 2)
		sum += get16(out + i);
	sum = (sum & 0xffff) + (sum >> 16);
	put16(out + 24, ~sum);
	put16(out + 34, 5000);
	put16(out + 36, to_port);
	put16(out + 38, 8 + DATA);
	put16(out + 40, 0);
}

/* In two slots, the second with half of the data. */
static int send_in_two(void)
{
	memcpy(more + 100, out + 42 + DATA / 2, DATA / 2);
	queue(out_reference, 0, NETTXF_more_data, 42 + DATA);
	queue(more_reference, 100, 0, DATA / 2);
	push();
	int first = next_status();
	return first | next_status();
}

static void echo(unsigned to_port)
{
	unsigned same = 0, sent = 0;
	write_heads(to_port);
	for (unsigned round = 0; round < ROUNDS; round++) {
		for (unsigned i = 0; i < DATA; i++)
			out[42 + i] = round + i;
		sent += (round % 2 ? send_in_two() : send(NETTXF_csum_blank, 42 + DATA)) == 0;
		unsigned length, room = receive(&length);
		same += length == 42 + DATA && memcmp(rooms[room] + 42, out + 42, DATA) == 0;
		offer(room);
	}
	print("datagrams sent: %u, come back the same: %u\n", sent, same);
}

static void lies(void)
{
	queue(12345, 0, 0, 60);
	queue(out_reference, 4090, 0, 60);
	queue(out_reference, 0, 0, 3);
	push();
	int first = next_status(), second = next_status(), third = next_status();
	print("lies: %d %d %d\n", first, second, third);
}

void run(void)
{
	read_mac();
	connect_net();
	ask_gateway();
	echo(number_of((const char *)start_info->cmd_line));
	lies();
	set_own("state", XenbusStateClosing);
	wait_for_state(XenbusStateClosing);
	set_own("state", XenbusStateClosed);
	wait_for_state(XenbusStateClosed);
	print("closed, ring given back: %d\n", end_grant(out_reference));
}

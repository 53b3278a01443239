/*
 * xenstore through the domain's ring: what its own nodes say, every request that a domain may make, well and badly, and
 * how much of each. With `wait` as command line: does what control/shutdown asks for.
 */
#include "pv.h"
#include <xen/io/xs_wire.h>

static volatile struct xenstore_domain_interface *ring;
static unsigned requests;
static char payload[XENSTORE_PAYLOAD_MAX + 1];
static struct xsd_sockmsg reply;

static void notify_store(void)
{
	struct evtchn_send send = { .port = start_info->store_evtchn };
	CALL2(event_channel_op, EVTCHNOP_send, &send);
}

static void wait_a_moment(void)
{
	CALL2(sched_op, SCHEDOP_yield, 0);
	__asm__ volatile("" ::: "memory");
}

/* `step` bytes at a time; 0: as many as fit. */
static void put_bytes(const void *bytes, unsigned count, unsigned step)
{
	for (unsigned i = 0; i < count; i++) {
		while (ring->req_prod - ring->req_cons == XENSTORE_RING_SIZE) {
			notify_store();
			wait_a_moment();
		}
		ring->req[MASK_XENSTORE_IDX(ring->req_prod)] = ((const char *)bytes)[i];
		__asm__ volatile("" ::: "memory");
		ring->req_prod++;
		if (step && i % step == 0)
			notify_store();
	}
	notify_store();
}

static void get_bytes(void *bytes, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		while (ring->rsp_prod == ring->rsp_cons) {
			notify_store();
			wait_a_moment();
		}
		((char *)bytes)[i] = ring->rsp[MASK_XENSTORE_IDX(ring->rsp_cons)];
		__asm__ volatile("" ::: "memory");
		ring->rsp_cons++;
	}
}

static unsigned length(const char *text)
{
	unsigned count = 0;
	while (text[count])
		count++;
	return count;
}

static void send_bytes(unsigned type, const void *bytes, unsigned count, unsigned transaction,
		       unsigned step)
{
	struct xsd_sockmsg header = { type, ++requests, transaction, count };
	put_bytes(&header, sizeof header, step);
	put_bytes(bytes, count, step);
}

/* In what is asked, | stands for NUL. */
static void send_text(unsigned type, const char *text, unsigned transaction, unsigned step)
{
	static char bytes[XENSTORE_PAYLOAD_MAX];
	unsigned count = length(text);
	for (unsigned i = 0; i < count; i++)
		bytes[i] = text[i] == '|' ? 0 : text[i];
	send_bytes(type, bytes, count, transaction, step);
}

static void get_message(void)
{
	get_bytes(&reply, sizeof reply);
	get_bytes(payload, reply.len);
}

static void print_payload(void)
{
	for (unsigned i = 0; i < reply.len; i++) {
		unsigned char c = payload[i];
		if (c >= ' ' && c <= '~')
			print("%c", c);
		else if (c)
			print("\\%x", c);
		else
			print("|");
	}
}

/* Everything up to the answer. */
static void print_answer(unsigned type)
{
	for (;;) {
		get_message();
		if (reply.type == XS_WATCH_EVENT)
			print(" event ");
		else if (reply.type == XS_ERROR)
			print(" ");
		else if (reply.type != type)
			print(" type %u ", reply.type);
		else
			print(" = ");
		print_payload();
		if (reply.type != XS_WATCH_EVENT)
			break;
	}
	if (reply.req_id != requests)
		print(" of request %u, not %u", reply.req_id, requests);
	print("\n");
}

static void ask(const char *name, unsigned type, const char *text, unsigned transaction)
{
	print("%s", name);
	if (transaction)
		print("[%u]", transaction);
	print(" %s", text);
	send_text(type, text, transaction, 0);
	print_answer(type);
}

#define ASK(name, text) ask(#name, XS_##name, text, 0)
#define ASK_IN(name, text, transaction) ask(#name, XS_##name, text, transaction)

/* The answer alone; events are left out. */
static int asked_well(unsigned type, const char *text)
{
	send_text(type, text, 0, 0);
	do
		get_message();
	while (reply.type == XS_WATCH_EVENT);
	return reply.type != XS_ERROR;
}

static void expect_event(void)
{
	get_message();
	print("event? %d ", reply.type == XS_WATCH_EVENT);
	print_payload();
	print("\n");
}

static void own_nodes(void)
{
	static const char *const nodes[] = {
		"domid|", "memory/target|", "memory/static-max|", "memory/videoram|",
		"cpu/0/availability|", "control/shutdown|", "control/feature-poweroff|",
		"control/platform-feature-xs_reset_watches|", "store/port|", "console/port|",
		"console/type|", "console/limit|", "data|", "device/suspend/event-channel|",
	};
	static const char *const places[] = {
		"/local/domain/1|", "control|", "cpu|", "memory|", "device|", "store|",
		"/|", "/local|", "/local/domain|", "/local/domain/0|", "/local/domain/7|",
		"/vm|", "/libxl|", "/tool|", "name|", "none|", "none/below|",
	};
	for (unsigned i = 0; i < sizeof nodes / sizeof *nodes; i++) {
		ASK(READ, nodes[i]);
		ASK(GET_PERMS, nodes[i]);
	}
	for (unsigned i = 0; i < sizeof places / sizeof *places; i++)
		ASK(DIRECTORY, places[i]);
	ASK(GET_DOMAIN_PATH, "1|");
	ASK(GET_DOMAIN_PATH, "0|");
}

static void changes(void)
{
	ASK(WRITE, "data/a|value");
	ASK(WRITE, "data/a/b/c|deep");
	ASK(READ, "data/a|");
	ASK(READ, "data/a/b|");
	ASK(DIRECTORY, "data|");
	ASK(GET_PERMS, "data/a/b/c|");
	ASK(WRITE, "data/a|with|in it|");
	ASK(READ, "data/a|");
	ASK(WRITE, "data/a|");
	ASK(READ, "data/a|");
	ASK(MKDIR, "data/a|");
	ASK(MKDIR, "data/d/e|");
	ASK(RM, "data/d|");
	ASK(RM, "data/d|");
	ASK(RM, "data/d/e|");
	ASK(WRITE, "name|mine");
	ASK(WRITE, "new|node");
	ASK(WRITE, "/local/domain/0/data|x");
	ASK(WRITE, "/local/domain/1/data/abs|x");
	ASK(WRITE, "data//b|x");
	ASK(WRITE, "data/b/|x");
	ASK(WRITE, "data/b.c|x");
	ASK(WRITE, "data/@-_|x");
	ASK(WRITE, "data/unterminated");
	ASK(SET_PERMS, "data/a|n1|r0|");
	ASK(GET_PERMS, "data/a|");
	ASK(SET_PERMS, "data/a|b1|w0|n0|");
	ASK(GET_PERMS, "data/a|");
	ASK(SET_PERMS, "data/a|n0|");
	ASK(SET_PERMS, "data/a|q1|");
	ASK(SET_PERMS, "data/a|n1|r0|r0|r0|r0|r0|");
	ASK(SET_PERMS, "name|n1|");
	ASK(SET_PERMS, "data/a|n9|");
	ASK(WRITE, "control/feature-poweroff|1");
	ASK(WRITE, "control/platform-feature-xs_reset_watches|0");
}

static void refused(void)
{
	ASK(CONTROL, "help|");
	ASK(INTRODUCE, "1|1|1|");
	ASK(RELEASE, "1|");
	ASK(IS_DOMAIN_INTRODUCED, "1|");
	ASK(RESUME, "1|");
	ASK(SET_TARGET, "1|0|");
	ASK(WATCH_EVENT, "a|b|");
	ask("20", 20, "a|", 0);
	ask("23", 23, "a|", 0);
	ask("99", 99, "a|", 0);
	ASK(WATCH, "data|");
	ASK(WATCH, "data//|t|");
	ASK(UNWATCH, "data|");
	ASK(UNWATCH, "data|t|");
	ASK(TRANSACTION_END, "T|");
	ASK(TRANSACTION_END, "X|");
	ASK_IN(TRANSACTION_START, "|", 5);
	ASK_IN(READ, "data|", 5);
}

static void watches(void)
{
	ASK(WATCH, "data|rel|");
	expect_event();
	ASK(WATCH, "/local/domain/1/data/a|abs|");
	expect_event();
	ASK(WATCH, "data|rel|");
	ASK(WATCH, "@releaseDomain|special|");
	expect_event();
	ASK(WATCH, "/local/domain/0|none|");
	expect_event();
	ASK(WRITE, "data/a|1");
	ASK(WRITE, "data/x|1");
	ASK(SET_PERMS, "data/a|n1|");
	ASK(MKDIR, "data/a|");
	ASK(MKDIR, "data/a/new|");
	ASK(RM, "data/a|");
	ASK(UNWATCH, "data|rel|");
	ASK(WRITE, "data/a|1");
	ASK(RESET_WATCHES, "|");
	ASK(WRITE, "data/a|2");
	ASK(UNWATCH, "/local/domain/1/data/a|abs|");
}

static void transactions(void)
{
	ASK(WRITE, "data/t|0");
	ASK(TRANSACTION_START, "|");
	ASK_IN(READ, "data/t|", 1);
	ASK_IN(WRITE, "data/t|in", 1);
	ASK_IN(WRITE, "data/u/v|in", 1);
	ASK(READ, "data/t|");
	ASK(READ, "data/u|");
	ASK_IN(TRANSACTION_START, "|", 1);
	ASK_IN(TRANSACTION_END, "T|", 1);
	ASK(READ, "data/t|");
	ASK(READ, "data/u/v|");
	ASK(TRANSACTION_START, "|");
	ASK_IN(READ, "data/t|", 2);
	ASK(WRITE, "data/t|outside");
	ASK_IN(WRITE, "data/w|in", 2);
	ASK_IN(TRANSACTION_END, "T|", 2);
	ASK(READ, "data/w|");
	ASK(TRANSACTION_START, "|");
	ASK_IN(RM, "data/u|", 3);
	ASK_IN(TRANSACTION_END, "F|", 3);
	ASK(READ, "data/u/v|");
	ASK(WATCH, "data|t|");
	expect_event();
	ASK(TRANSACTION_START, "|");
	ASK_IN(WRITE, "data/x|1", 4);
	ASK_IN(RM, "data/u|", 4);
	ASK_IN(WRITE, "data/y/z|1", 4);
	ASK_IN(TRANSACTION_END, "T|", 4);
	ASK(RESET_WATCHES, "|");
}

static char *number_in(char *text, unsigned number)
{
	char digits[12];
	unsigned count = 0;
	do
		digits[count++] = '0' + number % 10;
	while (number /= 10);
	while (count)
		*text++ = digits[--count];
	*text = 0;
	return text;
}

/* How often it goes well, and how it fails then. */
static void until_refused(const char *name, unsigned type, const char *before, const char *after)
{
	char text[200];
	for (unsigned i = 0; i < 2000; i++) {
		unsigned at = length(before);
		memcpy(text, before, at + 1);
		char *end = number_in(text + at, i);
		memcpy(end, after, length(after) + 1);
		if (asked_well(type, text))
			continue;
		print("%s goes well %u times, then ", name, i);
		print_payload();
		print("\n");
		return;
	}
	print("%s is never refused\n", name);
}

static void quotas(void)
{
	static char text[2200];
	for (unsigned size = 2010; size < 2024; size++) {
		memcpy(text, "data/s|", 8);
		memset(text + 7, 'x', size);
		text[7 + size] = 0;
		if (asked_well(XS_WRITE, text))
			continue;
		print("a value of %u bytes is too large: ", size);
		print_payload();
		print("\n");
		break;
	}
	ASK(RM, "data/s|");
	until_refused("a watch", XS_WATCH, "data/", "|t|");
	ASK(RESET_WATCHES, "|");
	for (unsigned i = 0; asked_well(XS_TRANSACTION_START, "|"); i++)
		print("transaction %s\n", payload);
	print_payload();
	print("\n");
	ASK(RESET_WATCHES, "|");
	until_refused("a long child", XS_MKDIR,
		      "data/l/nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn", "|");
	ASK(RM, "data/l|");
	for (unsigned i = 0; i < 4; i++)
		until_refused("a child", XS_MKDIR, (const char *const[]){ "data/m/", "data/n/",
			      "data/o/", "data/p/" }[i], "|");
	send_text(XS_DIRECTORY_PART, "data/m|1800|", 0, 0);
	get_message();
	unsigned generation = length(payload) + 1;
	reply.len -= generation;
	memcpy(payload, payload + generation, reply.len);
	print("the end of a list: ");
	print_payload();
	print("\n");
	ASK(RM, "data|");
	ASK(MKDIR, "data|");
}

/* In pieces, around the ring's end, and one that is too long. */
static void messages(void)
{
	for (unsigned step = 1; step < 8; step++) {
		send_text(XS_READ, "domid|", 0, step);
		print("in steps of %u", step);
		print_answer(XS_READ);
	}
	send_bytes(XS_TRANSACTION_END, "", 0, 0, 0);
	get_message();
	print("nothing is asked: type %u\n", reply.type);
	ASK(GET_DOMAIN_PATH, "1|");
	struct xsd_sockmsg header = { XS_READ, 1, 0, XENSTORE_PAYLOAD_MAX + 1 };
	unsigned before = ring->rsp_prod;
	put_bytes(&header, sizeof header, 0);
	while (!ring->error)
		wait_a_moment();
	print("too long: error %u, answered %d\n", ring->error, ring->rsp_prod != before);
}

static void wait_for_request(void)
{
	asked_well(XS_WATCH, "control/shutdown|t|");
	asked_well(XS_WRITE, "control/feature-poweroff|1");
	asked_well(XS_WRITE, "control/feature-reboot|1");
	print("waiting\n");
	for (;;) {
		get_message();
		if (reply.type != XS_WATCH_EVENT || !asked_well(XS_READ, "control/shutdown|") ||
		    reply.len == 0)
			continue;
		int is_reboot = payload[0] == 'r';
		print("asked to ");
		print_payload();
		print("\n");
		asked_well(XS_WRITE, "control/shutdown|");
		finish(is_reboot ? SHUTDOWN_reboot : SHUTDOWN_poweroff);
	}
}

void run(void)
{
	ring = (void *)((char *)start_info + 4096);
	if (memcmp(start_info->cmd_line, "wait", 4) == 0)
		wait_for_request();
	own_nodes();
	changes();
	refused();
	watches();
	transactions();
	quotas();
	messages();
}

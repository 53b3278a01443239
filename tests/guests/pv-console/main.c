/* A console beside the first: greets by its name, then says back what it is told, in capitals, and ends with a full stop. */
#include "blkfront.h"
#include "store.h"
#include <xen/io/console.h>
#include <xen/io/xenbus.h>

static char page[4096] PAGE;
static volatile struct xencons_interface *const ring = (void *)page;
static unsigned port;

static void set_own(const char *name, unsigned value)
{
	char path[64] = "device/console/1/", text[16] = "";
	store_write(append(path, name), append_number(text, value));
}

static void wait_for_state(unsigned state)
{
	char path[96] = "", text[16] = "";
	store_read("device/console/1/backend", path, sizeof path);
	append(path, "/state");
	while (!store_read(path, text, sizeof text) || number_of(text) != state)
		CALL2(sched_op, SCHEDOP_yield, 0);
}

static void notify(void)
{
	struct evtchn_send send = { .port = port };
	CALL2(event_channel_op, EVTCHNOP_send, &send);
}

static void write(const char *text, unsigned length)
{
	for (unsigned i = 0; i < length; i++) {
		while (ring->out_prod - ring->out_cons == sizeof ring->out)
			CALL2(sched_op, SCHEDOP_yield, 0);
		ring->out[MASK_XENCONS_IDX(ring->out_prod, ring->out)] = text[i];
		xen_wmb();
		ring->out_prod++;
	}
	notify();
}

static char next(void)
{
	while (ring->in_cons == ring->in_prod)
		CALL2(sched_op, SCHEDOP_yield, 0);
	xen_rmb();
	char byte = ring->in[MASK_XENCONS_IDX(ring->in_cons, ring->in)];
	ring->in_cons++;
	notify();
	return byte;
}

void run(void)
{
	struct evtchn_alloc_unbound channel = { .dom = DOMID_SELF, .remote_dom = 0 };
	char name[64] = "", byte;
	store_read("device/console/1/name", name, sizeof name);
	print("console %s\n", name);
	CALL2(event_channel_op, EVTCHNOP_alloc_unbound, &channel);
	port = channel.port;
	set_own("ring-ref", grant(page, 0, 0));
	set_own("port", port);
	set_own("state", XenbusStateConnected);
	wait_for_state(XenbusStateConnected);
	print("connected\n");
	while (next() != '\n')
		;
	write(name, text_length(name));
	do {
		byte = next();
		char upper = byte >= 'a' && byte <= 'z' ? byte - 32 : byte;
		write(&upper, 1);
	} while (byte != '.');
	set_own("state", XenbusStateClosing);
	wait_for_state(XenbusStateClosing);
	set_own("state", XenbusStateClosed);
	wait_for_state(XenbusStateClosed);
	print("closed\n");
}

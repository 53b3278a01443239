/*
 * Handlers that are no exception's, by callback_op, set_callbacks and nmi_op; and NMIs, which a guest sends to itself and which
 * are masked from their delivery to the next iret by hypercall.
 */
#include "traps.h"
#include <xen/callback.h>
#include <xen/nmi.h>

static volatile unsigned seen[4];
static struct frame last;
static unsigned inside_mask;
static int sends_again, returns_by_call;
long plain_iret(void);

static long send_nmi(unsigned vcpu, void *argument)
{
	return CALL3(vcpu_op, VCPUOP_send_nmi, vcpu, argument);
}

void handle(struct frame *frame)
{
	unsigned which = frame->vector == 2 ? 0 : frame->vector == 0x90 ? 1 : frame->vector == 6 ? 2 : 3;
	seen[which]++;
	last = *frame;
	inside_mask = shared->vcpu_info[0].evtchn_upcall_mask;
	if (frame->vector == 6)
		frame->ip += 2;
	if (frame->vector == 0x90)
		shared->vcpu_info[0].evtchn_upcall_pending = 0;
	if (sends_again && frame->vector == 2) {
		sends_again--;
		send_nmi(0, 0);
		print("sent inside of its handler, so far %u\n", seen[0]);
		if (returns_by_call) {
			hypercall_iret(0x202);
			print("iret by hypercall inside of its handler, so far %u\n", seen[0]);
		}
	}
}

static void show(const char *what)
{
	print("%s: nmi %u, events %u, ud2 %u, others %u", what, seen[0], seen[1], seen[2], seen[3]);
	if (seen[0] + seen[1])
		print("; %lx(%lx), cs %lx, flags %lx, masked %lu then %u", last.vector, last.error, CS_OF(&last),
		      last.flags & ~0x8d5ul, MASKED_OF(&last), inside_mask);
	print("\n");
	for (int i = 0; i < 4; i++)
		seen[i] = 0;
}

static const char *types[] = { "event", "failsafe", "syscall", "sysenter of old", "nmi", "sysenter", "6", "syscall32", "8" };

static long register_callback(unsigned type, unsigned flags, WORD address)
{
	struct callback_register c = { .type = type, .flags = flags };
#ifdef __x86_64__
	c.address = address;
#else
	c.address.cs = KERNEL_CS;
	c.address.eip = address;
#endif
	return CALL2(callback_op, CALLBACKOP_register, &c);
}

static void callbacks(void)
{
	print("-- callback_op\n");
	for (unsigned type = 0; type < 9; type++) {
		struct callback_unregister u = { .type = type };
		print("%s: register %ld, ", types[type], register_callback(type, 0, entry(0x90)));
		print("with events masked %ld, ", register_callback(type, CALLBACKF_mask_events, entry(0x90)));
#ifdef __x86_64__
		print("not canonical %ld, ", register_callback(type, 0, 1ul << 63));
#endif
		print("unregister %ld\n", (long)CALL2(callback_op, CALLBACKOP_unregister, &u));
	}
	struct callback_register c = { .type = 0 };
	SHOW(CALL2(callback_op, 2, &c));
	SHOW_BAD(CALL2(callback_op, CALLBACKOP_register, BAD));
	SHOW_BAD(CALL2(callback_op, CALLBACKOP_unregister, BAD));
	SHOW_BAD(CALL2(callback_op, 2, BAD));
}

static struct trap_info table[4];

static void nmis(void)
{
	print("-- nmi_op\n");
	struct xennmi_callback callback = { .handler_address = entry(2) };
	SHOW(CALL2(nmi_op, 2, &callback));
	SHOW_BAD(CALL2(nmi_op, XENNMI_register_callback, BAD));
	SHOW(send_nmi(1, 0));
	SHOW(send_nmi(0, &callback));
	SHOW(send_nmi(0, 0));
	show("nobody handles it");
	SHOW(CALL2(nmi_op, XENNMI_register_callback, &callback));
	show("registered");
	SHOW(send_nmi(0, 0));
	show("handled");
	SHOW(send_nmi(0, 0));
	show("masked since");
	hypercall_iret(2);
	show("iret by hypercall");
	hypercall_iret(2);
	show("once more");
	for (int masks = 0; masks < 2; masks++) {
		shared->vcpu_info[0].evtchn_upcall_mask = masks;
		send_nmi(0, 0);
		show(masks ? "with events masked" : "with events");
		hypercall_iret(2);
		show("then");
	}
	sends_again = 1;
	send_nmi(0, 0);
	show("sent in a handler");
	hypercall_iret(2);
	show("then");
	hypercall_iret(2);
	sends_again = 1;
	returns_by_call = 1;
	send_nmi(0, 0);
	show("let through in a handler");
	hypercall_iret(2);
	show("then");
#ifdef __x86_64__
	/* A 32-bit guest's may lie there. */
	callback.handler_address = 0;
	SHOW(CALL2(nmi_op, XENNMI_register_callback, &callback));
	SHOW(send_nmi(0, 0));
	show("a handler of 0");
	callback.handler_address = 1ul << 63;
	SHOW(CALL2(nmi_op, XENNMI_register_callback, &callback));
#endif
	SHOW(CALL2(nmi_op, XENNMI_unregister_callback, 0));
	SHOW(CALL2(nmi_op, XENNMI_unregister_callback, BAD));
	SHOW(send_nmi(0, 0));
	show("unregistered");
	SHOW(register_callback(CALLBACKTYPE_nmi, 0, entry(2)));
	SHOW(send_nmi(0, 0));
	show("by callback_op");
	hypercall_iret(2);
	table[0].vector = 2;
	table[0].cs = KERNEL_CS;
	table[0].address = entry(2);
	SHOW(CALL1(set_trap_table, table));
	shared->vcpu_info[0].evtchn_upcall_mask = 0;
	SHOW(send_nmi(0, 0));
	show("by the trap table");
	hypercall_iret(2);
	table[0].flags = 4;
	SHOW(CALL1(set_trap_table, table));
	shared->vcpu_info[0].evtchn_upcall_mask = 0;
	SHOW(send_nmi(0, 0));
	show("by the trap table, with events masked");
	hypercall_iret(2);
	table[1] = (struct trap_info){ .vector = 6, .cs = KERNEL_CS, .address = entry(6) };
	SHOW(CALL1(set_trap_table, table));
	__asm__ volatile("ud2");
	show("ud2");
}

static void events(void)
{
	print("-- with events\n");
	struct evtchn_bind_ipi ipi = { .vcpu = 0 };
	SHOW(CALL2(event_channel_op, EVTCHNOP_bind_ipi, &ipi));
	shared->evtchn_mask[0] = ~(1ul << ipi.port);
	struct evtchn_send send = { .port = ipi.port };
	/* Both are let through by one iret. */
	send_nmi(0, 0);
	show("an NMI");
	shared->vcpu_info[0].evtchn_upcall_mask = 1;
	CALL2(event_channel_op, EVTCHNOP_send, &send);
	send_nmi(0, 0);
	show("both wait");
	hypercall_iret(0x202);
	show("an event and an NMI");
}

void run(void)
{
	memset(shared->evtchn_mask, 0xff, sizeof shared->evtchn_mask);
	shared->vcpu_info[0].evtchn_pending_sel = 0;
	shared->vcpu_info[0].evtchn_upcall_pending = 0;
	callbacks();
	nmis();
	events();
}

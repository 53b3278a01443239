/* event_channel_op: what each operation answers, and what it does to the bits that the guest sees. */
#include "pv.h"

static int op(int number, void *argument)
{
	return CALL2(event_channel_op, number, argument);
}

static int allocate(unsigned dom, unsigned remote)
{
	struct evtchn_alloc_unbound a = { .dom = dom, .remote_dom = remote, .port = 7777 };
	int result = op(EVTCHNOP_alloc_unbound, &a);
	print("alloc_unbound dom %x remote %x: %d port %u\n", dom, remote, result, a.port);
	return a.port;
}

static int interdomain(unsigned remote, unsigned port)
{
	struct evtchn_bind_interdomain a = { .remote_dom = remote, .remote_port = port,
					     .local_port = 7777 };
	int result = op(EVTCHNOP_bind_interdomain, &a);
	print("bind_interdomain %x:%u: %d port %u\n", remote, port, result, a.local_port);
	return a.local_port;
}

static int virq(unsigned number, unsigned vcpu)
{
	struct evtchn_bind_virq a = { .virq = number, .vcpu = vcpu, .port = 7777 };
	int result = op(EVTCHNOP_bind_virq, &a);
	print("bind_virq %u vcpu %u: %d port %u\n", number, vcpu, result, a.port);
	return a.port;
}

static void ipi(unsigned vcpu)
{
	struct evtchn_bind_ipi a = { .vcpu = vcpu, .port = 7777 };
	int result = op(EVTCHNOP_bind_ipi, &a);
	print("bind_ipi vcpu %u: %d port %u\n", vcpu, result, a.port);
}

static void pirq(unsigned number)
{
	struct evtchn_bind_pirq a = { .pirq = number, .flags = 1, .port = 7777 };
	int result = op(EVTCHNOP_bind_pirq, &a);
	print("bind_pirq %u: %d\n", number, result);
}

static void status(unsigned dom, unsigned port)
{
	struct evtchn_status a = { .dom = dom, .port = port, .status = 77, .vcpu = 77 };
	memset(&a.u, 0x55, sizeof a.u);
	int result = op(EVTCHNOP_status, &a);
	print("status %x:%u: %d status %u vcpu %u", dom, port, result, a.status, a.vcpu);
	print(" u %x %x\n", a.u.virq, a.u.interdomain.port);
}

static void on_port(const char *name, int number, unsigned port)
{
	struct evtchn_close a = { .port = port };
	int result = op(number, &a);
	print("%s %u: %d\n", name, port, result);
}

static void vcpu(unsigned port, unsigned number)
{
	struct evtchn_bind_vcpu a = { .port = port, .vcpu = number };
	int result = op(EVTCHNOP_bind_vcpu, &a);
	print("bind_vcpu %u to %u: %d\n", port, number, result);
}

static void priority(unsigned port, unsigned level)
{
	struct evtchn_set_priority a = { .port = port, .priority = level };
	int result = op(EVTCHNOP_set_priority, &a);
	print("set_priority %u %u: %d\n", port, level, result);
}

/* The ports of the console and the store: masked and pending for ever, so that nothing of them is seen. */
#define TOOLS 6ul

static void bits(const char *when)
{
	vcpu_info_t *info = &shared->vcpu_info[0];
	print("%s: pending %lx mask %lx selector %lx upcall %u masked %u\n", when,
	      shared->evtchn_pending[0] & ~TOOLS, shared->evtchn_mask[0] & ~TOOLS,
	      info->evtchn_pending_sel, info->evtchn_upcall_pending, info->evtchn_upcall_mask);
}

static void clear(void)
{
	shared->evtchn_pending[0] = TOOLS;
	shared->evtchn_mask[0] = TOOLS;
	shared->vcpu_info[0].evtchn_pending_sel = 0;
	shared->vcpu_info[0].evtchn_upcall_pending = 0;
}

#define SEND(port) on_port("send", EVTCHNOP_send, port)
#define CLOSE(port) on_port("close", EVTCHNOP_close, port)
#define UNMASK(port) on_port("unmask", EVTCHNOP_unmask, port)

void run(void)
{
	shared->vcpu_info[0].evtchn_upcall_mask = 1;
	clear();
	print("store %u console %u\n", start_info->store_evtchn, start_info->console.domU.evtchn);

	print("-- allocate and bind\n");
	int one = allocate(DOMID_SELF, DOMID_SELF);
	allocate(0, 0);
	allocate(77, 0);
	allocate(DOMID_SELF, 77);
	allocate(DOMID_SELF, 0x7ff4);
	status(DOMID_SELF, one);
	clear();
	int two = interdomain(DOMID_SELF, one);
	bits("bound");
	interdomain(DOMID_SELF, one);
	interdomain(DOMID_SELF, 5);
	interdomain(DOMID_SELF, 100000);
	interdomain(77, 1);
	interdomain(0, 5000);
	status(DOMID_SELF, one);
	status(DOMID_SELF, two);
	status(DOMID_SELF, 0);
	status(DOMID_SELF, 60);
	status(DOMID_SELF, 63);
	status(DOMID_SELF, 64);
	status(DOMID_SELF, 1000);
	status(0, 1);
	status(0, 0xffffffff);
	status(77, 1);

	print("-- send\n");
	clear();
	SEND(two);
	bits("sent");
	clear();
	shared->evtchn_mask[0] |= 1ul << one;
	SEND(two);
	bits("sent to a masked port");
	UNMASK(one);
	bits("unmasked");
	UNMASK(one);
	clear();
	shared->evtchn_pending[0] |= 1ul << one;
	SEND(two);
	bits("sent what is pending");
	clear();
	SEND(0);
	SEND(50);
	SEND(64);
	SEND(0xffffffff);
	SEND(one);
	bits("sent back");
	UNMASK(0);
	UNMASK(50);
	UNMASK(63);
	UNMASK(64);
	UNMASK(5000);
	clear();
	shared->evtchn_mask[0] |= 1ul << 30;
	UNMASK(30);
	bits("unmasked a free port");

	print("-- virqs and ipis\n");
	virq(VIRQ_DEBUG, 0);
	virq(VIRQ_DEBUG, 0);
	virq(VIRQ_DEBUG, 1);
	virq(VIRQ_CONSOLE, 0);
	virq(VIRQ_CONSOLE, 1);
	virq(VIRQ_XENOPROF, 1);
	virq(VIRQ_ARCH_0, 0);
	virq(12, 0);
	virq(13, 1);
	virq(23, 1);
	virq(24, 0);
	virq(0xffffffff, 0);
	ipi(0);
	ipi(1);
	ipi(0xffffffff);
	pirq(0);
	pirq(9);
	pirq(40);
	pirq(1000);
	pirq(100000);
	for (int port = 3; port < 14; port++)
		status(DOMID_SELF, port);
	clear();
	SEND(9);
	bits("sent an ipi");
	SEND(5);

	print("-- vcpus and priorities\n");
	for (int port = 0; port < 14; port++)
		vcpu(port, 0);
	vcpu(one, 1);
	vcpu(one, 0xffffffff);
	vcpu(1000, 0);
	priority(one, 1);
	priority(one, 100);
	priority(50, 1);
	priority(1000, 1);

	print("-- close\n");
	clear();
	CLOSE(0);
	CLOSE(50);
	CLOSE(64);
	CLOSE(0xffffffff);
	CLOSE(one);
	CLOSE(one);
	status(DOMID_SELF, two);
	SEND(two);
	bits("closed");
	interdomain(DOMID_SELF, two);
	CLOSE(5);
	virq(VIRQ_DEBUG, 0);

	print("-- arguments\n");
	SHOW(op(15, 0));
	SHOW(op(99, 0));
	SHOW(op(-1, 0));
	SHOW_BAD(op(EVTCHNOP_send, BAD));
	SHOW_BAD(op(EVTCHNOP_close, (void *)-64));
	SHOW_BAD(op(EVTCHNOP_alloc_unbound, (void *)-8));
	SHOW(CALL2(event_channel_op_compat, 0, 0));

	print("-- all ports\n");
	struct evtchn_alloc_unbound a = { .dom = DOMID_SELF, .remote_dom = 0 };
	int result, count = 0;
	while ((result = op(EVTCHNOP_alloc_unbound, &a)) == 0)
		count++;
	print("%d at port %u after %d\n", result, a.port, count);
	interdomain(DOMID_SELF, 50000);
	virq(VIRQ_TIMER, 0);
	ipi(0);
	status(DOMID_SELF, 1023);
	status(DOMID_SELF, 1024);
	CLOSE(700);
	allocate(DOMID_SELF, 0);
}

/*
 * Asks for hypercalls with arguments that nearly make sense, most of them wrong. The numbers on the command line: a seed, and how
 * many. It ends well, or Xen ends it: it may well take its own memory away.
 */
#include "pv.h"

#define PAGES 16
static char pages[PAGES][4096] PAGE;
static uint32_t state;

static uint32_t next(void)
{
	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state;
}

static unsigned below(unsigned n)
{
	return (next() >> 8) % n;
}

static char *page(void)
{
	return pages[below(PAGES)];
}

/* What may stand in an argument or in a struct. */
static unsigned long word(void)
{
	switch (below(12)) {
	case 0: return next();
	case 1: return -(long)below(100);
	case 2: return mfn_of(page());
	case 3: return (unsigned long)page() + below(4096);
	case 4: return (uint64_t)mfn_of(page()) << 12 | below(8);
	case 5: return DOMID_SELF;
	case 6: return mfn_of((void *)(start_info->pt_base + below(start_info->nr_pt_frames) * 4096));
	case 7: return start_info->shared_info >> 12;
	case 8: return HYPERVISOR_VIRT_START + below(65536) * 8;
	default: return below(40);
	}
}

static void fill(char *at)
{
	for (unsigned i = 0; i < 128; i++)
		((uint16_t *)at)[i] = below(3) ? 0 : below(2) ? below(20) : next();
	for (unsigned i = 0; i < 6; i++)
		*(unsigned long *)(at + below(30) * sizeof(long)) = word();
}

/* Not those that end or stop the guest, or change what it goes on with. */
static int is_left_out(unsigned number, unsigned long first)
{
	switch (number) {
	case __HYPERVISOR_iret:
	case __HYPERVISOR_sched_op_compat:
	case __HYPERVISOR_stack_switch:
	case __HYPERVISOR_set_gdt:
	case __HYPERVISOR_set_segment_base:
	case __HYPERVISOR_fpu_taskswitch:
	case __HYPERVISOR_multicall:
		return 1;
	case __HYPERVISOR_sched_op:
		return first == SCHEDOP_block || first == SCHEDOP_shutdown || first == SCHEDOP_poll ||
		       first == SCHEDOP_watchdog;
	case __HYPERVISOR_vcpu_op:
		return first == VCPUOP_down || first == VCPUOP_send_nmi;
	case __HYPERVISOR_event_channel_op:
		return first == EVTCHNOP_reset || first == EVTCHNOP_close;
	}
	return 0;
}

static unsigned number_of(const char **text)
{
	unsigned number = 0;
	while (**text && (**text < '0' || **text > '9'))
		++*text;
	for (; **text >= '0' && **text <= '9'; ++*text)
		number = number * 10 + **text - '0';
	return number;
}

void run(void)
{
	const char *line = (const char *)start_info->cmd_line;
	state = number_of(&line) * 2 + 1;
	unsigned count = number_of(&line), good = 0, bad = 0;
	shared->evtchn_mask[0] = -1ul;
	for (unsigned i = 0; i < count; i++) {
		unsigned number = below(43);
		unsigned long first = below(4) ? below(20) : word();
		char *at = page();
		/* Whatever has become of it; where it is gone, another. */
		if (map_page(at, (uint64_t)mfn_of(at) << 12 | 7) != 0)
			continue;
		fill(at);
		/* Some take their struct first, most second. */
		unsigned long a = below(3) ? first : (unsigned long)at;
		unsigned long b = below(8) ? (unsigned long)at : word();
		if (is_left_out(number, a & 0xffffffff))
			continue;
		long result = hypercall(number, a, b, below(3) ? below(4) : word(), below(3) ? DOMID_SELF : word(), word());
		if (result < 0 && result > -200)
			bad++;
		else
			good++;
	}
	print("done %u %u\n", good, bad);
}

/*
 * What asking costs: `calls COUNT` asks Xen for its version, `events COUNT` sends itself events, each of which it takes as an
 * upcall, and `programs COUNT` has a program that asks its kernel.
 */
#include "traps.h"

extern volatile unsigned upcalls;

static unsigned count_of(const char *text)
{
	unsigned number = 0;
	for (; *text; text++)
		if (*text >= '0' && *text <= '9')
			number = number * 10 + *text - '0';
	return number;
}

static void events(unsigned count)
{
	vcpu_info_t *info = &shared->vcpu_info[0];
	struct evtchn_bind_ipi ipi = { .vcpu = 0 };
	CALL2(event_channel_op, EVTCHNOP_bind_ipi, &ipi);
	struct evtchn_send send = { .port = ipi.port };
	unsigned before = upcalls;
	for (unsigned i = 0; i < count; i++) {
		info->evtchn_upcall_pending = 0;
		info->evtchn_pending_sel = 0;
		shared->evtchn_pending[0] = 0;
		info->evtchn_upcall_mask = 0;
		CALL2(event_channel_op, EVTCHNOP_send, &send);
	}
	info->evtchn_upcall_mask = 1;
	print("%u events, %u upcalls\n", count, upcalls - before);
}

volatile unsigned programs_left;
unsigned kernel_pages[8][1024] PAGE, program_pages[8][1024] PAGE;
static char kernel_stack[4096] PAGE, program_stack[4096] PAGE;
void run_program(void *frame);
extern char program[], program_asks[];

static struct {
	WORD below[16], eax_or_kind, ip, cs, flags, sp, ss;
} way_in;

#ifdef __x86_64__
static uint64_t root[512] PAGE;

/* Tables of its own, which lead to all that the kernel has. */
static void make_tables(void)
{
	struct mmuext_op op = { .cmd = MMUEXT_NEW_USER_BASEPTR, .arg1.mfn = mfn_of(root) };
	root[0] = *(uint64_t *)start_info->pt_base;
	map_page(root, (uint64_t)mfn_of(root) << 12 | 5);
	CALL4(mmuext_op, &op, 1, 0, DOMID_SELF);
	CALL3(set_callbacks, entry(0x90), entry(0x92), program_asks);
}
#define USER_CS 0xe033
#define USER_SS 0xe02b
#else
static void make_tables(void)
{
	static struct trap_info traps[] = { { .vector = 0x80, .flags = 3, .cs = KERNEL_CS }, { 0 } };
	traps[0].address = (WORD)program_asks;
	CALL1(set_trap_table, traps);
	for (char *page = (char *)((WORD)program & ~4095ul); page < program + 4096; page += 4096)
		map_page(page, (uint64_t)mfn_of(page) << 12 | 5);
	for (unsigned i = 0; i < 8; i++)
		map_page(program_pages[i], (uint64_t)mfn_of(program_pages[i]) << 12 | 7);
	map_page(program_stack, (uint64_t)mfn_of(program_stack) << 12 | 7);
}
#define USER_CS 0xe02b
#define USER_SS 0xe033
#endif

static void programs(unsigned count)
{
	make_tables();
	CALL2(stack_switch, FLAT_KERNEL_SS, kernel_stack + sizeof kernel_stack);
	programs_left = count;
	way_in.ip = (WORD)program;
	way_in.cs = USER_CS;
	way_in.flags = 2;
	way_in.sp = (WORD)(program_stack + sizeof program_stack);
	way_in.ss = USER_SS;
#ifdef __x86_64__
	run_program(&way_in.eax_or_kind);
#else
	run_program(&way_in.ip);
#endif
	print("%u programs, %u %u %u\n", count, kernel_pages[7][0], program_pages[0][0], program_pages[7][0]);
}

void run(void)
{
	const char *line = (const char *)start_info->cmd_line;
	unsigned count = count_of(line);
	if (line[0] == 'e') {
		events(count);
		return;
	}
	if (line[0] == 'p') {
		programs(count);
		return;
	}
	unsigned answered = 0;
	for (unsigned i = 0; i < count; i++)
		answered += CALL2(xen_version, 0, 0) > 0;
	print("%u calls, %u answered\n", count, answered);
}

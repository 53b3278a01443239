/*
 * Suspends when control/shutdown asks for it, and says each time what it finds behind the call: the domain that it was, of which
 * a copy was saved (1 comes back), or another one with its memory (0). With `careless` as command line it leaves a mapping of a
 * frame that is not its memory the first time; of such a table Xen's tools would save nothing, and say so to nobody.
 */
#include "traps.h"
#include <xen/physdev.h>
#include "blkfront.h"
#include "store.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))
#define MS 1000000ull
#define PATTERN(page) ((page) * 0x9e3779b1u + 7)

static volatile uint64_t last_level[512] PAGE;
static uint64_t gdt[512] PAGE, ldt[512] PAGE;
static char info_page[4096] PAGE, grant_page[4096] PAGE;
static unsigned pages[16][1024] PAGE;
static unsigned long frame_list[4096 / sizeof(long)] PAGE, list_of_lists[4096 / sizeof(long)] PAGE;
static vcpu_info_t *info;
static vcpu_runstate_info_t runstate;
static evtchn_port_t ipi_port, timer_port;
static volatile struct { unsigned faults, breakpoints, skip; } seen;

/* What faults is left out, by its length. */
void handle(struct frame *frame)
{
	if (frame->vector == 3) {
		seen.breakpoints++;
		return;
	}
	seen.faults++;
	frame->ip += seen.skip;
}

static uint64_t now(void)
{
	struct vcpu_time_info *time = &info->time;
	uint64_t delta, result;
	uint32_t version, low, high;
	do {
		version = time->version;
		__asm__ volatile("rdtsc" : "=a"(low), "=d"(high)::"memory");
		delta = ((uint64_t)high << 32 | low) - time->tsc_timestamp;
		if (time->tsc_shift >= 0)
			delta <<= time->tsc_shift;
		else
			delta >>= -time->tsc_shift;
		result = time->system_time + ((delta & 0xffffffff) * time->tsc_to_system_mul >> 32) +
			 (delta >> 32) * time->tsc_to_system_mul;
		__asm__ volatile("" ::: "memory");
	} while ((version & 1) || version != time->version);
	return result;
}

static void sleep_for(uint64_t nanoseconds)
{
	uint64_t until = now() + nanoseconds;
	while (now() < until) {
		struct sched_poll poll = { .timeout = until };
		CALL2(sched_op, SCHEDOP_poll, &poll);
	}
}

static long extended(unsigned cmd, unsigned long first, unsigned long second)
{
	struct mmuext_op op = { .cmd = cmd };
	op.arg1.linear_addr = first;
	op.arg2.nr_ents = second;
	return CALL4(mmuext_op, &op, 1, 0, DOMID_SELF);
}

static void set_traps(void)
{
	static struct trap_info traps[] = {
		{ .vector = 3, .flags = 3, .cs = KERNEL_CS }, { .vector = 13, .cs = KERNEL_CS },
		{ .vector = 14, .cs = KERNEL_CS }, { .vector = 0 },
	};
	for (unsigned i = 0; i + 1 < COUNT(traps); i++)
		traps[i].address = entry(traps[i].vector);
	CALL1(set_trap_table, traps);
}

static void make_read_only(void *page)
{
	map_page(page, (uint64_t)mfn_of(page) << 12 | 5);
}

static unsigned status_of(unsigned port)
{
	struct evtchn_status status = { .dom = DOMID_SELF, .port = port };
	long result = CALL2(event_channel_op, EVTCHNOP_status, &status);
	return result ? 100 - result : status.status;
}

static evtchn_port_t bind_timer(void)
{
	struct evtchn_bind_virq virq = { .virq = VIRQ_TIMER };
	long result = CALL2(event_channel_op, EVTCHNOP_bind_virq, &virq);
	return result ? 0 : virq.port;
}

/* The list of frames is where Xen's tools look for it. */
static void tell_frames(void)
{
	unsigned long per_page = 4096 / sizeof(long);
	unsigned count = (start_info->nr_pages + per_page - 1) / per_page;
	for (unsigned i = 0; i < count; i++)
		frame_list[i] = mfn_of((char *)start_info->mfn_list + 4096 * i);
	list_of_lists[0] = mfn_of(frame_list);
	shared->arch.max_pfn = start_info->nr_pages;
	shared->arch.pfn_to_mfn_frame_list_list = mfn_of(list_of_lists);
}

static long register_info(void)
{
	struct vcpu_register_vcpu_info place = { .mfn = mfn_of(info_page) };
	return CALL3(vcpu_op, VCPUOP_register_vcpu_info, 0, &place);
}

/* All that there is to lose. */
static void set_up(void)
{
	set_traps();
	tell_frames();
	memset(shared->evtchn_mask, 0xff, sizeof shared->evtchn_mask);
	SHOW(register_info());
	info = (vcpu_info_t *)info_page;
	SHOW(CALL3(vcpu_op, VCPUOP_stop_periodic_timer, 0, 0));
	struct vcpu_register_runstate_memory_area area = { .addr.v = &runstate };
	SHOW(CALL3(vcpu_op, VCPUOP_register_runstate_memory_area, 0, &area));
	struct evtchn_bind_ipi ipi = { .vcpu = 0 };
	SHOW(CALL2(event_channel_op, EVTCHNOP_bind_ipi, &ipi));
	ipi_port = ipi.port;
	timer_port = bind_timer();
	print("ports %u %u\n", ipi_port, timer_port);
	SHOW(CALL2(set_debugreg, 1, pages));
	SHOW(CALL2(vm_assist, VMASST_CMD_enable, VMASST_TYPE_writable_pagetables));
	make_read_only((void *)last_level);
	SHOW(extended(MMUEXT_PIN_L1_TABLE, mfn_of((void *)last_level), 0));
	gdt[1] = ldt[1] = 0x00cff2000000ffff | 1ull << 45;
	make_read_only(gdt);
	unsigned long gdt_frame = mfn_of(gdt);
	SHOW(CALL2(set_gdt, &gdt_frame, 2));
	make_read_only(ldt);
	SHOW(extended(MMUEXT_SET_LDT, (unsigned long)ldt, 2));
	struct physdev_set_iopl level = { .iopl = 1 };
	SHOW(CALL2(physdev_op, PHYSDEVOP_set_iopl, &level));
#ifdef __x86_64__
	SHOW(CALL2(set_segment_base, SEGBASE_FS, 0x123456));
	SHOW(CALL2(set_segment_base, SEGBASE_GS_USER, 0x234567));
	SHOW(CALL2(set_segment_base, SEGBASE_GS_KERNEL, 0x345678));
#endif
	SHOW(CALL2(stack_switch, FLAT_KERNEL_SS, pages));
	for (unsigned page = 0; page < 16; page++)
		for (unsigned word = 0; word < 1024; word++)
			pages[page][word] = PATTERN(page << 10 | word);
}

#define FAULTS_OF(length, code)                                                                    \
	({                                                                                         \
		seen.skip = (length);                                                              \
		seen.faults = 0;                                                                   \
		__asm__ volatile(code ::: "memory", "eax");                                        \
		seen.faults;                                                                     \
	})

/* What of the vCPU there is still. */
static void vcpu(void)
{
	seen.breakpoints = 0;
	__asm__ volatile("int3");
	print("breakpoints %u\n", seen.breakpoints);
#ifdef __x86_64__
	SHOW(CALL1(get_debugreg, 1) == (long)pages);
	for (unsigned which = 0; which < 3; which++) {
		uint32_t low, high;
		__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(0xc0000100 + which));
		print("base %u: %x\n", which, low);
	}
	print("GDT: %u\n", FAULTS_OF(2, "mov $0xb, %%eax\n mov %%eax, %%es"));
	print("LDT: %u\n", FAULTS_OF(2, "mov $0xf, %%eax\n mov %%eax, %%es"));
	__asm__ volatile("mov %0, %%es" ::"r"(0));
#else
	SHOW(CALL1(get_debugreg, 1) == (long)pages);
	print("GDT: %u\n", FAULTS_OF(2, "mov $0x9, %%eax\n mov %%eax, %%fs"));
	print("LDT: %u\n", FAULTS_OF(2, "mov $0xd, %%eax\n mov %%eax, %%fs"));
	__asm__ volatile("mov %0, %%fs" ::"r"(0));
#endif
	print("CLI: %u\n", FAULTS_OF(1, "cli"));
#ifdef __x86_64__
	print("table written: %u\n", FAULTS_OF(12, "movq $0, last_level"));
#else
	print("table written: %u\n", FAULTS_OF(10, "movl $0, last_level"));
#endif
	SHOW(extended(MMUEXT_UNPIN_TABLE, mfn_of((void *)last_level), 0));
	SHOW(extended(MMUEXT_PIN_L1_TABLE, mfn_of((void *)last_level), 0));
}

static void ports(void)
{
	print("ports:");
	for (unsigned port = 0; port < 8; port++)
		print(" %u", status_of(port));
	print(", masked %d, pending %lx\n", shared->evtchn_mask[0] == ~0ul, shared->evtchn_pending[0] & ~7ul);
	struct evtchn_send send = { .port = ipi_port };
	print("an event: %ld", CALL2(event_channel_op, EVTCHNOP_send, &send));
	print(", pending %lu\n", shared->evtchn_pending[0] >> ipi_port & 1);
	shared->evtchn_pending[0] &= 7;
	evtchn_port_t timer = bind_timer();
	print("the timer's event: %u\n", timer);
	if (timer)
		timer_port = timer;
	sleep_for(50 * MS);
	print("a tick by itself: %lu\n", shared->evtchn_pending[0] >> timer_port & 1);
}

static void areas(void)
{
	memset(&runstate, 0xff, sizeof runstate);
	sleep_for(10 * MS);
	print("runstate is told: %d\n", runstate.state == RUNSTATE_running);
	struct vcpu_register_runstate_memory_area area = { .addr.v = &runstate };
	SHOW(CALL3(vcpu_op, VCPUOP_register_runstate_memory_area, 0, &area));
}

/* The entries for domain 0, and one of our own. */
static void shares(int is_first)
{
	unsigned long frame = 0;
	struct gnttab_setup_table setup = { .dom = DOMID_SELF, .nr_frames = 1 };
	set_xen_guest_handle(setup.frame_list, &frame);
	struct gnttab_query_size size = { .dom = DOMID_SELF };
	SHOW(CALL3(grant_table_op, GNTTABOP_query_size, &size, 1));
	print("frames %u of %u, status %d\n", size.nr_frames, size.max_nr_frames, size.status);
	SHOW(CALL3(grant_table_op, GNTTABOP_setup_table, &setup, 1));
	grant_entry_v1_t *entry = (grant_entry_v1_t *)grant_page;
	map_page(grant_page, (uint64_t)frame << 12 | 7);
	for (unsigned i = 0; i < 8; i++)
		if (entry[i].flags)
			print("grant %u: flags %x to %u, our frame %d\n", i, entry[i].flags, entry[i].domid,
			      entry[i].frame == mfn_of((char *)start_info + 4096 * (i ? 1 : 2)) ||
				      entry[i].frame == mfn_of(pages));
	if (is_first) {
		entry[5].domid = 0;
		entry[5].frame = mfn_of(pages);
		entry[5].flags = GTF_permit_access;
	}
	map_page(grant_page, 0);
}

static void memory(void)
{
	unsigned long *machine_to_physical = (unsigned long *)
#ifdef __x86_64__
		MACH2PHYS_VIRT_START;
#else
		0xf5800000;
#endif
	unsigned wrong = 0, changed = 0;
	for (unsigned long page = 0; page < start_info->nr_pages; page++)
		wrong += machine_to_physical[mfn_of((void *)(page << 12))] != page;
	print("frames that are not as the two tables say: %u\n", wrong);
	for (unsigned i = 0; i < 16 * 1024; i++)
		changed += pages[i >> 10][i & 1023] != PATTERN(i);
	print("words that have changed: %u\n", changed);
	print("entries: %d\n", (last_level[1] & 0xffffffffff000) == (uint64_t)mfn_of(pages) << 12);
}

static void read_node(const char *path)
{
	char value[80];
	int is_there = store_read(path, value, sizeof value);
	print("%s: %s%s\n", path, is_there ? "= " : "", value);
}

static void nodes(void)
{
	read_node("domid");
	read_node("data/mine");
	read_node("control/shutdown");
	read_node("control/feature-suspend");
	read_node("name");
}

static struct disk disk;
static unsigned block[1024] PAGE, ring_page[1024] PAGE;
#define XVDA 51712

/* The block of that number, on the ring that there is. */
static void read_block(unsigned number)
{
	unsigned sum = 0;
	blkif_request_t *request = next_request(&disk, BLKIF_OP_READ, number, number * 8);
	request->nr_segments = 1;
	request->seg[0].gref = grant(block, 0, 0);
	request->seg[0].last_sect = 7;
	memset(block, 0, sizeof block);
	print("block %u: %d, ", number, status_of_one(&disk));
	for (unsigned i = 0; i < 1024; i++)
		sum = sum * 31 + block[i];
	print("%x\n", sum);
}

static void connect(void)
{
	print("disk: %d, ", connect_disk(&disk, XVDA, ring_page));
	print("%lu sectors\n", disk.sectors);
}

static void info_of_start(void)
{
	start_info_t *i = start_info;
	print("start_info: %s, %lu pages, flags %x, command line \"%s\"\n", i->magic, i->nr_pages, i->flags,
	      i->cmd_line);
	print("store %d %u, console %d %u, list %d, tables %d %lu\n", i->store_mfn == mfn_of((char *)i + 4096),
	      i->store_evtchn, i->console.domU.mfn == mfn_of((char *)i + 8192), i->console.domU.evtchn,
	      (char *)i->mfn_list < (char *)i, (char *)i->pt_base > (char *)i, i->nr_pt_frames);
}

static unsigned long pfn_of(unsigned long mfn)
{
	for (unsigned long page = 0; page < start_info->nr_pages; page++)
		if (mfn_of((void *)(page << 12)) == mfn)
			return page;
	return ~0ul;
}

static void wait_until_asked(void)
{
	char value[80];
	store_write("data/mine", "1");
	store_write("control/feature-suspend", "1");
	do
		sleep_for(5 * MS);
	while (!store_read("control/shutdown", value, sizeof value) || value[0] != 's');
	print("asked to %s\n", value);
	store_write("control/shutdown", "");
	drain();
}

/* What of other's frames is mapped goes, and the frames that start_info names become the guest's own numbers. */
static long suspend(int is_careful)
{
	struct sched_shutdown shutdown = { .reason = SHUTDOWN_suspend };
	unsigned long old = start_info->shared_info;
	start_info->store_mfn = pfn_of(start_info->store_mfn);
	start_info->console.domU.mfn = pfn_of(start_info->console.domU.mfn);
	info->evtchn_upcall_mask = 1;
	unmap_grants();
	if (is_careful)
		map_page(shared, 0);
	unsigned word = 0x1234567, same;
	long result;
	__asm__ volatile("fninit\n fildl %0\n movd %0, %%xmm7" ::"m"(word));
	result = CALL3(sched_op, SCHEDOP_shutdown, &shutdown, mfn_of(start_info));
	__asm__ volatile("movd %%xmm7, %0" : "=r"(same));
	__asm__ volatile("fistpl %0" : "=m"(word));
	map_page(shared, start_info->shared_info | 7);
	if (result) {
		start_info->store_mfn = mfn_of((void *)(start_info->store_mfn << 12));
		start_info->console.domU.mfn = mfn_of((void *)(start_info->console.domU.mfn << 12));
	} else
		info = &shared->vcpu_info[0];
	print("suspended: %ld, x87 %x, SSE %x, the same shared_info's frame or not: %d\n", result, word, same,
	      result ? start_info->shared_info == old : 1);
	return result;
}

static void look(long result)
{
	print("events are masked: %u\n", info->evtchn_upcall_mask);
	info_of_start();
	memory();
	vcpu();
	ports();
	areas();
	shares(0);
	nodes();
	if (result)
		map_grants();
	else {
		forget_grants();
		connect();
	}
	tell_frames();
	print("vcpu_info again: %ld\n", register_info());
	info = (vcpu_info_t *)info_page;
}

void run(void)
{
	info = &shared->vcpu_info[0];
	set_up();
	last_level[1] = 0;
	struct mmu_update update = { .ptr = (uint64_t)mfn_of((void *)last_level) << 12 | 8,
				     .val = (uint64_t)mfn_of(pages) << 12 | 0x63 };
	SHOW(CALL4(mmu_update, &update, 1, 0, DOMID_SELF));
	shares(1);
	connect();
	read_block(0);
	info_of_start();
	int is_careful = memcmp(start_info->cmd_line, "careless", 8) != 0;
	for (unsigned time = 1; time <= 3; time++) {
		wait_until_asked();
		print("-- time %u\n", time);
		drain();
		look(suspend(is_careful || time > 1));
		read_block(time);
		print("-- looked\n");
	}
}

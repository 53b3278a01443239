/* Lists of requests: where an interrupted one goes on, how long ones end, and events that come in the midst of one. */
#include "traps.h"
#include <xen/callback.h>

#define MANY 100000
static char room[MANY * 64] PAGE;
static char page[4096] PAGE;

/* -- Lists of page-table requests. */

static unsigned done_at;

static void updates(const char *what, void *list, unsigned count, unsigned done)
{
	done_at = done;
	long result = CALL4(mmu_update, list, count, &done_at, DOMID_SELF);
	print("mmu_update %s: %ld, done %u\n", what, result, done_at);
}

static void extended(const char *what, void *list, unsigned count, unsigned done)
{
	done_at = done;
	long result = CALL4(mmuext_op, list, count, &done_at, DOMID_SELF);
	print("mmuext_op %s: %ld, done %u\n", what, result, done_at);
}

/* Of Xen itself: the rest of a list. */
#define PREEMPTED 0x80000000u

static void page_tables(void)
{
	print("-- page tables\n");
	mmu_update_t *list = (void *)room;
	for (unsigned i = 0; i < MANY; i++) {
		list[i].ptr = (uint64_t)mfn_of(page) << 12 | MMU_MACHPHYS_UPDATE;
		list[i].val = (unsigned long)page >> 12;
	}
	updates("of none", list, 0, 5);
	updates("of two", list, 2, 5);
	updates("that goes on with none", list, PREEMPTED, 5);
	updates("that goes on with two", list, PREEMPTED | 2, 5);
	updates("of nothing that goes on with none", 0, PREEMPTED, 5);
	updates("of nothing that goes on with two", BAD, PREEMPTED | 2, 5);
	updates("of many", list, MANY, 5);
	updates("that goes on with many", list, PREEMPTED | MANY, 5);
	list[MANY - 1].ptr = 1;
	updates("of many, the last one bad", list, MANY, 5);
	list[3].ptr = 1;
	updates("that goes on with a bad one", list, PREEMPTED | 5, 5);
	print("without a place for it: %ld\n", CALL4(mmu_update, list, PREEMPTED | 2, 0, DOMID_SELF));
	print("with a bad place: %ld\n", CALL4(mmu_update, list, 2, BAD, DOMID_SELF));
	print("with a bad place for what goes on: %ld\n", CALL4(mmu_update, list, PREEMPTED | 2, BAD, DOMID_SELF));

	struct mmuext_op *ops = (void *)room;
	memset(room, 0, 4096);
	for (unsigned i = 0; i < MANY; i++)
		ops[i] = (struct mmuext_op){ .cmd = MMUEXT_INVLPG_LOCAL, .arg1.linear_addr = (unsigned long)page };
	extended("of none", ops, 0, 5);
	extended("of two", ops, 2, 5);
	extended("that goes on with none", ops, PREEMPTED, 5);
	extended("that goes on with two", ops, PREEMPTED | 2, 5);
	extended("of nothing that goes on with none", 0, PREEMPTED, 5);
	extended("of many", ops, MANY, 5);
	ops[MANY - 1].cmd = 99;
	extended("of many, the last one bad", ops, MANY, 5);
	extended("that goes on with many", ops, PREEMPTED | MANY, 5);
	print("without a place for it: %ld\n", CALL4(mmuext_op, ops, PREEMPTED | 2, 0, DOMID_SELF));
}

/* -- Memory. */

static unsigned long frames[16];

static void adjust(const char *what, unsigned op, unsigned from, unsigned long count)
{
	static const char *names[] = { "increase", "decrease" };
	struct xen_memory_reservation a = { .nr_extents = count, .domid = DOMID_SELF };
	set_xen_guest_handle(a.extent_start, frames);
	print("%s from %u of %lx (%s): %ld\n", op < 2 ? names[op] : "populate", from, count, what,
	      CALL2(memory_op, op | from << 6, &a));
}

static void memory(void)
{
	print("-- memory\n");
	static const unsigned ops[] = { XENMEM_increase_reservation, XENMEM_decrease_reservation, XENMEM_populate_physmap };
	for (unsigned i = 0; i < 3; i++) {
		memset(frames, 0xff, sizeof frames);
		adjust("none", ops[i], 0, 0);
		adjust("none", ops[i], 1, 0);
		adjust("past its end", ops[i], 3, 2);
		adjust("at its end", ops[i], 2, 2);
		adjust("too long", ops[i], 0, 0x4000000);
		adjust("too long", ops[i], 2, 0x4000000);
#ifdef __x86_64__
		adjust("too long", ops[i], 2, 0x4000000000);
#endif
		print("of nothing from 3: %ld\n", CALL2(memory_op, ops[i] | 3 << 6, BAD));
	}
	memset(frames, 0, sizeof frames);
	adjust("two left", XENMEM_increase_reservation, 1, 3);
	print("frames %d %d %d\n", frames[0] != 0, frames[1] != 0, frames[2] != 0);
	frames[0] = 0;
	adjust("two left", XENMEM_decrease_reservation, 1, 3);
	frames[1] = (unsigned long)page >> 12;
	adjust("one left", XENMEM_populate_physmap, 1, 2);
	print("frames %d %d\n", frames[0] != 0, frames[1] != (unsigned long)page >> 12);
	adjust("one left", XENMEM_decrease_reservation, 1, 2);
	for (unsigned op = 3; op < 29; op++) {
		memset(page, 0, sizeof page);
		*(uint16_t *)page = DOMID_SELF;
		/*
		 * Machine's numbers are not everywhere the same. XENMEM_access_op, XENMEM_machphys_compat_mfn_list, XENMEM_get_vnumainfo,
		 * XENMEM_reserved_device_memory_map and XENMEM_acquire_resource are asked for here alone.
		 */
		long plain = CALL2(memory_op, op, page);
		memset(page, 0, sizeof page);
		*(uint16_t *)page = DOMID_SELF;
		long later = CALL2(memory_op, op | 1 << 6, page);
		print("operation %u from 1: %ld%s\n", op, later > 0 ? 1 : later, later == plain ? ", as from 0" : "");
	}
}

/* -- Calls in calls. */

static multicall_entry_t *calls = (void *)room;

static void entry_of(unsigned i, unsigned op, unsigned long a, unsigned long b, unsigned long c, unsigned long d)
{
	calls[i] = (multicall_entry_t){ .op = op, .result = 0x55, .args = { a, b, c, d } };
}

static void results(const char *what, long result, unsigned count)
{
	print("%s: %ld;", what, result);
	for (unsigned i = 0; i < count; i++)
		print(" %ld", (long)calls[i].result);
	print("\n");
}

static volatile unsigned came;
static long inside[8];

void handle(struct frame *frame)
{
	came++;
	for (int i = 0; i < 8; i++)
		inside[i] = calls[i].result;
	shared->vcpu_info[0].evtchn_upcall_pending = 0;
	shared->vcpu_info[0].evtchn_pending_sel = 0;
	shared->evtchn_pending[0] = 0;
}

static long multicall_iret(void)
{
	long result;
#ifdef __x86_64__
	asm volatile("mov %%rsp, %%rdx\n push $0xe02b\n push %%rdx\n push $2\n push $0xe030\n lea 1f(%%rip), %%rdx\n push %%rdx\n"
		     "push $0\n push $0\n push $0\n push $77\n mov %2, %%rdi\n mov $3, %%esi\n mov $13, %%eax\n syscall\n ud2\n 1:"
		     : "=a"(result), "=m"(*calls)
		     : "r"(calls)
		     : "rcx", "rdx", "rdi", "rsi", "r11", "memory");
#else
	asm volatile("push $2\n push $0xe019\n push $1f\n push $77\n mov %2, %%ebx\n mov $3, %%ecx\n mov $13, %%eax\n int $0x82\n ud2\n 1:"
		     : "=a"(result), "=m"(*calls)
		     : "r"(calls)
		     : "ebx", "ecx", "memory");
#endif
	return result;
}

static void multicalls(void)
{
	print("-- multicall\n");
	entry_of(0, __HYPERVISOR_xen_version, 0, 0, 0, 0);
	entry_of(1, 99, 0, 0, 0, 0);
	entry_of(2, __HYPERVISOR_memory_op, 77, 0, 0, 0);
	entry_of(3, __HYPERVISOR_multicall, 0, 0, 0, 0);
	results("plain", CALL2(multicall, calls, 4), 4);
	entry_of(0, __HYPERVISOR_xen_version, 0, 0, 0, 0);
	entry_of(1, __HYPERVISOR_iret, 0, 0, 0, 0);
	entry_of(2, __HYPERVISOR_xen_version, 0, 0, 0, 0);
	results("with an iret", multicall_iret(), 3);
	entry_of(0, __HYPERVISOR_mmu_update, (unsigned long)(room + 65536), PREEMPTED | 2, (unsigned long)&done_at, DOMID_SELF);
	mmu_update_t *list = (void *)(room + 65536);
	for (int i = 0; i < 2; i++) {
		list[i].ptr = (uint64_t)mfn_of(page) << 12 | MMU_MACHPHYS_UPDATE;
		list[i].val = (unsigned long)page >> 12;
	}
	done_at = 7;
	results("with a list", CALL2(multicall, calls, 1), 1);
	print("done %u\n", done_at);
	for (unsigned i = 0; i < MANY; i++)
		entry_of(i, __HYPERVISOR_xen_version, 0, 0, 0, 0);
	long result = CALL2(multicall, calls, MANY);
	unsigned right = 0;
	for (unsigned i = 0; i < MANY; i++)
		right += calls[i].result == calls[0].result && calls[0].result != 0x55;
	print("many: %ld, right %u\n", result, right);

	struct callback_register c = { .type = CALLBACKTYPE_event };
#ifdef __x86_64__
	c.address = entry(0x90);
#else
	c.address.cs = KERNEL_CS;
	c.address.eip = entry(0x90);
#endif
	SHOW(CALL2(callback_op, CALLBACKOP_register, &c));
	struct evtchn_bind_ipi ipi = { .vcpu = 0 };
	SHOW(CALL2(event_channel_op, EVTCHNOP_bind_ipi, &ipi));
	struct evtchn_send send = { .port = ipi.port };
	memset(shared->evtchn_mask, 0xff, sizeof shared->evtchn_mask);
	shared->evtchn_mask[0] = ~(1ul << ipi.port);
	shared->evtchn_pending[0] = 0;
	shared->vcpu_info[0].evtchn_pending_sel = 0;
	shared->vcpu_info[0].evtchn_upcall_pending = 0;
	for (int masked = 1; masked >= 0; masked--) {
		for (unsigned i = 0; i < 8; i++)
			entry_of(i, __HYPERVISOR_xen_version, 0, 0, 0, 0);
		entry_of(2, __HYPERVISOR_event_channel_op, EVTCHNOP_send, (unsigned long)&send, 0, 0);
		came = 0;
		shared->vcpu_info[0].evtchn_upcall_mask = masked;
		results("with an event", CALL2(multicall, calls, 5), 8);
		print("came %u", came);
		for (int i = 0; i < 5 && came; i++)
			print(" %ld", inside[i]);
		print("\n");
		shared->vcpu_info[0].evtchn_upcall_mask = 1;
		shared->evtchn_pending[0] = 0;
		shared->vcpu_info[0].evtchn_pending_sel = 0;
		shared->vcpu_info[0].evtchn_upcall_pending = 0;
	}
}

/* -- Other lists. */

static void others(void)
{
	print("-- others\n");
	struct trap_info *traps = (void *)room;
	for (unsigned i = 0; i < MANY; i++)
		traps[i] = (struct trap_info){ .vector = 0x77, .cs = KERNEL_CS, .address = entry(0x77) };
	traps[MANY - 1].address = 0;
	SHOW(CALL1(set_trap_table, traps));
	memset(page, 0, sizeof page);
	for (unsigned op = 0; op < 14; op++) {
		long one = CALL3(grant_table_op, op, page, 0), other = CALL3(grant_table_op, op | 1 << 12, page, 0);
		print("grant_table_op %u of none: %ld, that goes on %ld, of many %ld\n", op, one, other,
		      CALL3(grant_table_op, op, page, 0x80000000));
	}
	for (unsigned i = 0; i < sizeof room; i++)
		room[i] = 0;
	SHOW(CALL3(grant_table_op, GNTTABOP_unmap_grant_ref, room, MANY));
	print("status %d %d\n", ((struct gnttab_unmap_grant_ref *)room)[0].status,
	      ((struct gnttab_unmap_grant_ref *)room)[MANY - 1].status);
}

void run(void)
{
	page_tables();
	memory();
	multicalls();
	others();
}

/* Page tables through Xen: mmu_update, update_va_mapping, mmuext_op, multicall; what may be mapped, pinned and written. */
#include "pv.h"

#define PTE_PRESENT 1ull
#define PTE_RW 2ull
#define PTE_USER 4ull
#define PTE_LARGE 0x80ull

static char data[4096] PAGE, other[4096] PAGE, table[4096] PAGE, second[4096] PAGE;
static unsigned long *m2p;

static uint64_t entry_of(const void *page, uint64_t flags)
{
	return (uint64_t)mfn_of(page) << 12 | flags;
}

/* The table that maps the guest's first 2 MiB. */
static uint64_t *l1(void)
{
	uint64_t *root = (uint64_t *)start_info->pt_base;
	int levels = sizeof(long) == 8 ? 4 : 3;
	for (int level = levels; level > 1; level--) {
		unsigned long mfn = (root[0] & 0xfffffffffull << 12) >> 12;
		root = (uint64_t *)(m2p[mfn] << 12);
	}
	return root;
}

static void update(const char *what, uint64_t address, uint64_t value)
{
	struct mmu_update a = { address, value };
	unsigned done = 77;
	long result = CALL4(mmu_update, &a, 1, &done, DOMID_SELF);
	print("mmu_update %s: %ld, done %u\n", what, result, done);
}

static void map(const char *what, void *page, uint64_t entry)
{
	print("update_va_mapping %s: %ld\n", what, map_page(page, entry));
}

static long ext(unsigned command, unsigned long one, const void *two)
{
	struct mmuext_op a = { .cmd = command };
	a.arg1.mfn = one;
	if (command == MMUEXT_SET_LDT)
		a.arg2.nr_ents = (unsigned long)two;
	else
		set_xen_guest_handle(a.arg2.vcpumask, (void *)two);
	return CALL4(mmuext_op, &a, 1, 0, DOMID_SELF);
}

static void updates(void)
{
	print("-- mmu_update\n");
	uint64_t *entries = l1();
	uint64_t base = (uint64_t)mfn_of(entries) << 12;
	unsigned long index = (unsigned long)data >> 12;
	uint64_t place = base + index * 8;
	uint64_t good = entry_of(data, PTE_PRESENT | PTE_RW | PTE_USER | 0x60);
	update("the same", place, good);
	update("to read", place, good & ~PTE_RW);
	update("to write", place, good);
	update("nothing", place, 0);
	update("back", place, good);
	update("another page", place, entry_of(other, PTE_PRESENT | PTE_RW | PTE_USER));
	*(volatile int *)data = 77;
	print("written %d %d\n", *(volatile int *)other == 77, 0);
	update("back", place | MMU_PT_UPDATE_PRESERVE_AD, good);
	update("reserved flags", place, good | 1ull << 51);
	update("a bit for avail", place, good | 0x200);
	update("global", place, good | 0x100);
	update("no frame", place, 0x1000 | PTE_PRESENT);
	update("a table to write", place, entry_of(entries, PTE_PRESENT | PTE_RW | PTE_USER));
	update("a table to read", place, entry_of(entries, PTE_PRESENT | PTE_USER));
	update("start_info's shared_info", place, start_info->shared_info | PTE_PRESENT | PTE_RW | PTE_USER);
	update("back", place, good);
	update("an odd place", place | 4, good);
	update("an unknown command", place | 3, good);
	update("no table, but data", ((uint64_t)mfn_of(other) << 12) + 8, 0x1234567);
	print("written %lx\n", ((unsigned long *)other)[8 / sizeof(long)]);
	update("no frame's entry", 0x1000, good);
	update("m2p", (uint64_t)mfn_of(other) << 12 | MMU_MACHPHYS_UPDATE, 0x123);
	print("m2p %lx\n", m2p[mfn_of(other)]);
	update("m2p back", (uint64_t)mfn_of(other) << 12 | MMU_MACHPHYS_UPDATE, (unsigned long)other >> 12);
	update("m2p of no frame", 0x1000 | MMU_MACHPHYS_UPDATE, 1);
	struct mmu_update three[3] = { { place, good }, { 0x1000, good }, { place, good } };
	unsigned done = 77;
	long result = CALL4(mmu_update, three, 3, &done, DOMID_SELF);
	print("three: %ld, done %u\n", result, done);
	result = CALL4(mmu_update, three, 1, 0, DOMID_SELF);
	print("without a count: %ld\n", result);
	result = CALL4(mmu_update, three, 1, &done, 77);
	print("of nobody: %ld\n", result);
	result = CALL4(mmu_update, three, 1, &done, 0);
	print("of dom0: %ld\n", result);
	result = CALL4(mmu_update, three, 0, &done, DOMID_SELF);
	print("none: %ld, done %u\n", result, done);
	SHOW_BAD(CALL4(mmu_update, BAD, 1, &done, DOMID_SELF));
}

/* Of `data`; `dom` below 0 is nobody in particular. */
static long mapping(uint64_t entry, unsigned long flags, int dom)
{
	unsigned number = dom < 0 ? __HYPERVISOR_update_va_mapping : __HYPERVISOR_update_va_mapping_otherdomain;
#ifdef __x86_64__
	return hypercall(number, (unsigned long)data, entry, flags, dom, 0);
#else
	return hypercall(number, (unsigned long)data, entry, entry >> 32, flags, dom);
#endif
}

static void mappings(void)
{
	print("-- update_va_mapping\n");
	uint64_t good = entry_of(data, PTE_PRESENT | PTE_RW | PTE_USER | 0x60);
	map("the same", data, good);
	map("nothing", data, 0);
	map("back", data, good);
	map("a page table to write", data, entry_of(l1(), PTE_PRESENT | PTE_RW | PTE_USER));
	map("a page table to read", data, entry_of(l1(), PTE_PRESENT | PTE_USER));
	map("no frame", data, 0x1000 | PTE_PRESENT);
	map("back", data, good);
	map("where no table is", (void *)0x30000000, good);
	map("Xen's", (void *)HYPERVISOR_VIRT_START, good);
	print("flags 3: %ld\n", mapping(good, 3, -1));
	print("flush of all: %ld\n", mapping(good, UVMF_TLB_FLUSH | UVMF_ALL, -1));
	print("invlpg of all: %ld\n", mapping(good, UVMF_INVLPG | UVMF_ALL, -1));
	print("of itself: %ld\n", mapping(good, UVMF_INVLPG, DOMID_SELF));
	print("of nobody: %ld\n", mapping(good, UVMF_INVLPG, 77));
	print("of dom0: %ld\n", mapping(good, UVMF_INVLPG, 0));
}

static void pins(void)
{
	print("-- mmuext_op\n");
	unsigned long frame = mfn_of(table);
	memset(table, 0, sizeof table);
	print("pin what is mapped to write: %ld\n", ext(MMUEXT_PIN_L1_TABLE, frame, 0));
	((uint64_t *)table)[3] = entry_of(data, PTE_PRESENT | PTE_USER);
	map("to read", table, entry_of(table, PTE_PRESENT | PTE_USER));
	print("pin: %ld\n", ext(MMUEXT_PIN_L1_TABLE, frame, 0));
	print("pin again: %ld\n", ext(MMUEXT_PIN_L1_TABLE, frame, 0));
	print("pin as another: %ld\n", ext(MMUEXT_PIN_L2_TABLE, frame, 0));
	map("to write", table, entry_of(table, PTE_PRESENT | PTE_USER | PTE_RW));
	print("entry 3 %llx, by Xen %llx\n", (unsigned long long)((uint64_t *)table)[3] & 0xfff,
	      (unsigned long long)((uint64_t *)table)[4]);
	update("its entry", ((uint64_t)frame << 12) + 4 * 8, entry_of(other, PTE_PRESENT | PTE_USER));
	update("its entry to itself", ((uint64_t)frame << 12) + 5 * 8,
	       entry_of(table, PTE_PRESENT | PTE_USER | PTE_RW));
	update("its entry to itself to read", ((uint64_t)frame << 12) + 5 * 8,
	       entry_of(table, PTE_PRESENT | PTE_USER));
	update("its entry to nothing", ((uint64_t)frame << 12) + 5 * 8, 0);
	print("unpin: %ld\n", ext(MMUEXT_UNPIN_TABLE, frame, 0));
	print("unpin again: %ld\n", ext(MMUEXT_UNPIN_TABLE, frame, 0));
	map("to write", table, entry_of(table, PTE_PRESENT | PTE_USER | PTE_RW));
	memset(table, 0, sizeof table);
	((uint64_t *)table)[0] = 0x1000 | PTE_PRESENT;
	map("to read", table, entry_of(table, PTE_PRESENT | PTE_USER));
	print("pin with a bad entry: %ld\n", ext(MMUEXT_PIN_L1_TABLE, frame, 0));
	map("to write", table, entry_of(table, PTE_PRESENT | PTE_USER | PTE_RW));
	((uint64_t *)table)[0] = entry_of(data, PTE_PRESENT | PTE_USER | PTE_LARGE);
	map("to read", table, entry_of(table, PTE_PRESENT | PTE_USER));
	print("pin as level 2 with a large page: %ld\n", ext(MMUEXT_PIN_L2_TABLE, frame, 0));
	map("to write", table, entry_of(table, PTE_PRESENT | PTE_USER | PTE_RW));
	memset(table, 0, sizeof table);
	memset(second, 0, sizeof second);
	((uint64_t *)second)[7] = entry_of(table, PTE_PRESENT | PTE_USER | PTE_RW);
	map("to read", table, entry_of(table, PTE_PRESENT | PTE_USER));
	map("to read", second, entry_of(second, PTE_PRESENT | PTE_USER));
	print("pin level 2: %ld\n", ext(MMUEXT_PIN_L2_TABLE, mfn_of(second), 0));
	map("its table to write", table, entry_of(table, PTE_PRESENT | PTE_USER | PTE_RW));
	print("unpin level 2: %ld\n", ext(MMUEXT_UNPIN_TABLE, mfn_of(second), 0));
	map("its table to write", table, entry_of(table, PTE_PRESENT | PTE_USER | PTE_RW));
	map("to write", second, entry_of(second, PTE_PRESENT | PTE_USER | PTE_RW));
	print("pin no frame: %ld\n", ext(MMUEXT_PIN_L1_TABLE, 1, 0));
	print("unpin no frame: %ld\n", ext(MMUEXT_UNPIN_TABLE, 1, 0));
	print("unpin data: %ld\n", ext(MMUEXT_UNPIN_TABLE, mfn_of(data), 0));
	print("new base of data: %ld\n", ext(MMUEXT_NEW_BASEPTR, mfn_of(data), 0));
	print("new base of no frame: %ld\n", ext(MMUEXT_NEW_BASEPTR, 1, 0));
	print("the base again: %ld\n", ext(MMUEXT_NEW_BASEPTR, mfn_of((void *)start_info->pt_base), 0));
	print("flush: %ld\n", ext(MMUEXT_TLB_FLUSH_LOCAL, 0, 0));
	print("flush all: %ld\n", ext(MMUEXT_TLB_FLUSH_ALL, 0, 0));
	print("invlpg: %ld\n", ext(MMUEXT_INVLPG_LOCAL, (unsigned long)data, 0));
	print("invlpg of all: %ld\n", ext(MMUEXT_INVLPG_ALL, (unsigned long)data, 0));
	unsigned long mask = 1;
	print("flush of some: %ld\n", ext(MMUEXT_TLB_FLUSH_MULTI, 0, &mask));
	print("invlpg of some: %ld\n", ext(MMUEXT_INVLPG_MULTI, (unsigned long)data, &mask));
	print("flush cache: %ld\n", ext(MMUEXT_FLUSH_CACHE, 0, 0));
	print("flush caches: %ld\n", ext(MMUEXT_FLUSH_CACHE_GLOBAL, 0, 0));
	data[5] = 5;
	print("clear: %ld", ext(MMUEXT_CLEAR_PAGE, mfn_of(other), 0));
	print(" %d\n", other[8]);
	struct mmuext_op copy = { .cmd = MMUEXT_COPY_PAGE };
	copy.arg1.mfn = mfn_of(other);
	copy.arg2.src_mfn = mfn_of(data);
	print("copy: %ld", CALL4(mmuext_op, &copy, 1, 0, DOMID_SELF));
	print(" %d\n", other[5]);
	print("clear a table: %ld\n", ext(MMUEXT_CLEAR_PAGE, mfn_of(l1()), 0));
	print("clear no frame: %ld\n", ext(MMUEXT_CLEAR_PAGE, 1, 0));
	print("no ldt: %ld\n", ext(MMUEXT_SET_LDT, 0, 0));
	print("an ldt: %ld\n", ext(MMUEXT_SET_LDT, (unsigned long)second, (void *)16));
	print("an odd ldt: %ld\n", ext(MMUEXT_SET_LDT, (unsigned long)second + 8, (void *)16));
	print("a long ldt: %ld\n", ext(MMUEXT_SET_LDT, (unsigned long)second, (void *)8193));
	print("no ldt: %ld\n", ext(MMUEXT_SET_LDT, 0, 0));
	for (unsigned command = 14; command < 24; command++)
		if (command < 15 || command > 20)
			print("command %u: %ld\n", command, ext(command, 0, 0));
	print("mark super: %ld\n", ext(MMUEXT_MARK_SUPER, 0, 0));
	struct mmuext_op flush = { .cmd = MMUEXT_TLB_FLUSH_LOCAL };
	unsigned done = 77;
	print("of nobody: %ld\n", CALL4(mmuext_op, &flush, 1, &done, 77));
	print("of dom0: %ld\n", CALL4(mmuext_op, &flush, 1, &done, 0));
	print("none: %ld\n", CALL4(mmuext_op, &flush, 0, &done, DOMID_SELF));
	struct mmuext_op two[2] = { { .cmd = MMUEXT_TLB_FLUSH_LOCAL }, { .cmd = 99 } };
	print("two: %ld", CALL4(mmuext_op, two, 2, &done, DOMID_SELF));
	print(" done %u\n", done);
	SHOW_BAD(CALL4(mmuext_op, BAD, 1, &done, DOMID_SELF));
}

static void multicalls(void)
{
	print("-- multicall\n");
	multicall_entry_t calls[4] = {
		{ .op = __HYPERVISOR_xen_version, .args = { XENVER_pagesize, 0 } },
		{ .op = 99 },
		{ .op = __HYPERVISOR_event_channel_op, .args = { 99, 0 } },
		{ .op = __HYPERVISOR_multicall, .args = { 0, 0 } },
	};
	SHOW(CALL2(multicall, calls, 4));
	for (int i = 0; i < 4; i++)
		print("%ld\n", (long)calls[i].result);
	SHOW(CALL2(multicall, calls, 0));
	SHOW_BAD(CALL2(multicall, BAD, 1));
}

static void assists(void)
{
	print("-- vm_assist\n");
	for (unsigned type = 0; type < 8; type++)
		print("type %u: enable %ld", type, CALL2(vm_assist, VMASST_CMD_enable, type)),
			print(" disable %ld\n", CALL2(vm_assist, VMASST_CMD_disable, type));
	SHOW(CALL2(vm_assist, 2, 0));
	SHOW(CALL2(vm_assist, 0, 32));
	SHOW(CALL2(vm_assist, 1, 32));
	SHOW(CALL2(vm_assist, 0, 63));
	SHOW(CALL2(vm_assist, 0, 99));
}

void run(void)
{
	struct xen_machphys_mapping mapping = { 0 };
	CALL2(memory_op, XENMEM_machphys_mapping, &mapping);
	m2p = (unsigned long *)(long)mapping.v_start;
	updates();
	mappings();
	pins();
	multicalls();
	assists();
}

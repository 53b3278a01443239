/*
 * Page tables: what may stand in them, what a frame may be at one time, and how the guest sees what it changed: mmu_update,
 * update_va_mapping, mmuext_op. A guest of its own in a table of its own at the end.
 */
#include "pv.h"

#define P 1ull
#define W 2ull
#define U 4ull
#define A 0x20ull
#define D 0x40ull

static char data[4][4096] PAGE;
static uint64_t tables[8][512] PAGE;

static uint64_t ma(const void *page)
{
	return (uint64_t)mfn_of(page) << 12;
}

static unsigned done;

static long update(uint64_t ptr, uint64_t val)
{
	struct mmu_update u = { .ptr = ptr, .val = val };
	done = 77;
	return CALL4(mmu_update, &u, 1, &done, DOMID_SELF);
}

static long extended(unsigned cmd, unsigned long arg1, unsigned long arg2)
{
	struct mmuext_op op = { .cmd = cmd };
	op.arg1.mfn = arg1;
	op.arg2.src_mfn = arg2;
	return CALL4(mmuext_op, &op, 1, 0, DOMID_SELF);
}

static void protect(const void *page, int writable)
{
	map_page((void *)page, ma(page) | P | (writable ? W | U : U));
}

#define STEP(expression) print("%s = %ld\n", #expression, (long)(expression))

static void plain(void)
{
	print("-- plain memory\n");
	STEP(update(ma(data[0]) + 8, 0x1122334455667788));
	print("done %u, %llx\n", done, *(unsigned long long *)(data[0] + 8));
	STEP(update(ma(data[0]) + 4, 1));
	STEP(update((uint64_t)1 << 12, 1));
	STEP(update(ma(data[0]) + 3, 1));
	STEP(extended(MMUEXT_CLEAR_PAGE, mfn_of(data[0]), 0));
	print("%llx\n", *(unsigned long long *)(data[0] + 8));
	data[1][7] = 0x5a;
	STEP(extended(MMUEXT_COPY_PAGE, mfn_of(data[0]), mfn_of(data[1])));
	print("%x\n", data[0][7]);
	STEP(extended(MMUEXT_COPY_PAGE, mfn_of(data[0]), 1));
	STEP(extended(MMUEXT_CLEAR_PAGE, 1, 0));
	STEP(extended(MMUEXT_CLEAR_PAGE, mfn_of((void *)start_info->pt_base), 0));
}

static void entries(void)
{
	print("-- last-level entries\n");
	uint64_t *l1 = tables[0];
	memset(l1, 0, 4096);
	STEP(extended(MMUEXT_PIN_L1_TABLE, mfn_of(l1), 0));
	protect(l1, 0);
	STEP(extended(MMUEXT_PIN_L1_TABLE, mfn_of(l1), 0));
	STEP(extended(MMUEXT_PIN_L1_TABLE, mfn_of(l1), 0));
	STEP(extended(MMUEXT_PIN_L2_TABLE, mfn_of(l1), 0));
	STEP(map_page(l1, ma(l1) | P | W | U));
	STEP(update(ma(l1), ma(data[1]) | P));
	print("%llx\n", (unsigned long long)(l1[0] ^ ma(data[1])));
	STEP(update(ma(l1), ma(data[1]) | P | W | U));
	STEP(update(ma(l1), ma(data[1]) | P | W | U | A | D));
	STEP(update(ma(l1) | MMU_PT_UPDATE_PRESERVE_AD, ma(data[1]) | P));
	print("%llx\n", (unsigned long long)(l1[0] ^ ma(data[1])));
	STEP(update(ma(l1), ma(l1) | P | W));
	STEP(update(ma(l1), ma(l1) | P));
	STEP(update(ma(l1), ma((void *)start_info->pt_base) | P | W));
	STEP(update(ma(l1), 1 << 12 | P));
	STEP(update(ma(l1), 0xfffffull << 12 | P));
	STEP(update(ma(l1), ma(data[1]) | P | 0x80));
	STEP(update(ma(l1), ma(data[1]) | P | 0x100));
	STEP(update(ma(l1), ma(data[1]) | P | 0x10));
	STEP(update(ma(l1), ma(data[1]) | P | 0xe00));
	STEP(update(ma(l1), ma(data[1]) | P | 1ull << 62));
	STEP(update(ma(l1), ma(data[1]) | P | 1ull << 58));
	STEP(update(ma(l1), ma(data[1]) | P | 1ull << 63));
	STEP(update(ma(l1) | 3, 0));
	STEP(update(ma(l1), 0x123456789abcdef0 & ~P));
	print("%llx\n", (unsigned long long)l1[0]);
	STEP(update(ma(l1), 0));
	STEP(extended(MMUEXT_UNPIN_TABLE, mfn_of(l1), 0));
	STEP(extended(MMUEXT_UNPIN_TABLE, mfn_of(l1), 0));
	protect(l1, 1);
	l1[3] = 1 << 12 | P;
	protect(l1, 0);
	STEP(extended(MMUEXT_PIN_L1_TABLE, mfn_of(l1), 0));
	protect(l1, 1);
	l1[3] = 0;
	STEP(extended(MMUEXT_PIN_L1_TABLE, 1, 0));
	STEP(extended(MMUEXT_UNPIN_TABLE, 1, 0));
	STEP(extended(99, 0, 0));
	STEP(extended(MMUEXT_TLB_FLUSH_LOCAL, 0, 0));
	STEP(extended(MMUEXT_TLB_FLUSH_ALL, 0, 0));
	STEP(extended(MMUEXT_INVLPG_LOCAL, (unsigned long)data, 0));
	STEP(extended(MMUEXT_INVLPG_ALL, (unsigned long)data, 0));
	STEP(extended(MMUEXT_FLUSH_CACHE, 0, 0));
	STEP(extended(MMUEXT_SET_LDT, 0, 0));
	STEP(extended(MMUEXT_SET_LDT, (unsigned long)data + 8, 1));
	STEP(extended(MMUEXT_SET_LDT, (unsigned long)data, 9000));
	STEP(extended(MMUEXT_MARK_SUPER, 0, 0));
	STEP(extended(MMUEXT_NEW_BASEPTR, mfn_of(data[0]), 0));
	STEP(extended(MMUEXT_NEW_BASEPTR, 1, 0));
}

static void mappings(void)
{
	print("-- mappings\n");
	volatile char *page = data[2];
	page[0] = 1;
	data[3][0] = 2;
	uint64_t old = ma(data[2]);
	STEP(map_page((void *)page, ma(data[3]) | P | W | U));
	print("%d\n", page[0]);
	STEP(map_page((void *)page, old | P | W | U));
	print("%d\n", page[0]);
#ifdef __x86_64__
	STEP(CALL3(update_va_mapping, 0x40000000, old | P, UVMF_INVLPG));
	STEP(CALL3(update_va_mapping, 1ul << 63, old | P, UVMF_INVLPG));
	STEP(CALL3(update_va_mapping, HYPERVISOR_VIRT_START, old | P, UVMF_INVLPG));
	STEP(CALL3(update_va_mapping, page, 1 << 12 | P, UVMF_INVLPG));
	STEP(CALL3(update_va_mapping, page, old | P | 0x80, UVMF_INVLPG));
	STEP(CALL3(update_va_mapping, page, old | P | W | U, UVMF_TLB_FLUSH | UVMF_ALL));
	STEP(CALL3(update_va_mapping, page, old | P | W | U, UVMF_NONE));
	STEP(CALL4(update_va_mapping_otherdomain, page, old | P | W | U, UVMF_INVLPG, DOMID_SELF));
	STEP(CALL4(update_va_mapping_otherdomain, page, old | P | W | U, UVMF_INVLPG, 0));
	STEP(CALL4(update_va_mapping_otherdomain, page, old | P | W | U, UVMF_INVLPG, 77));
#endif
	struct mmu_update list[3] = {
		{ .ptr = ma(data[0]), .val = 1 },
		{ .ptr = (uint64_t)1 << 12, .val = 1 },
		{ .ptr = ma(data[0]) + 8, .val = 1 },
	};
	STEP(CALL4(mmu_update, list, 3, &done, DOMID_SELF));
	print("done %u\n", done);
	STEP(CALL4(mmu_update, list, 1, 0, DOMID_SELF));
	STEP(CALL4(mmu_update, list, 0, &done, DOMID_SELF));
#ifdef __x86_64__
	/* In the shim, where 32-bit guests run, there is none. */
	STEP(CALL4(mmu_update, list, 1, &done, 0));
#endif
	STEP(CALL4(mmu_update, list, 1, &done, 77));
	STEP(CALL4(mmu_update, list, 1, &done, DOMID_IO));
	STEP(CALL4(mmu_update, list, 1, &done, DOMID_XEN));
	unsigned long mfn = mfn_of(data[0]);
#ifdef __x86_64__
	unsigned long *m2p = (unsigned long *)HYPERVISOR_VIRT_START;
#else
	unsigned long *m2p = (unsigned long *)MACH2PHYS_VIRT_START;
#endif
	unsigned long pfn = m2p[mfn];
	print("m2p %d\n", pfn == (unsigned long)data[0] >> 12);
	STEP(update((uint64_t)mfn << 12 | MMU_MACHPHYS_UPDATE, 0x1234));
	print("m2p %lx\n", m2p[mfn]);
	STEP(update((uint64_t)mfn << 12 | MMU_MACHPHYS_UPDATE, pfn));
	STEP(update((uint64_t)1 << 12 | MMU_MACHPHYS_UPDATE, 1));
	SHOW_BAD(CALL4(mmu_update, BAD, 1, 0, DOMID_SELF));
	SHOW_BAD(CALL4(mmuext_op, BAD, 1, 0, DOMID_SELF));
}

#ifdef __x86_64__
static uint64_t own[4][512] PAGE;

/* A copy of the topmost table, with a branch of its own. */
static void roots(void)
{
	print("-- roots\n");
	uint64_t *l4 = own[0], *l3 = own[1], *l2 = own[2], *l1 = own[3];
	uint64_t *current = (uint64_t *)start_info->pt_base;
	for (int i = 0; i < 512; i++)
		l4[i] = i < 256 || i >= 272 ? current[i] : 0;
	memset(l3, 0, 4096);
	memset(l2, 0, 4096);
	memset(l1, 0, 4096);
	l4[5] = ma(l3) | P | W | U;
	l3[0] = ma(l2) | P | W | U;
	l2[0] = ma(l1) | P | W | U;
	l1[0] = ma(data[1]) | P | W | U;
	STEP(extended(MMUEXT_PIN_L4_TABLE, mfn_of(l4), 0));
	protect(l4, 0);
	STEP(extended(MMUEXT_PIN_L4_TABLE, mfn_of(l4), 0));
	protect(l3, 0);
	protect(l2, 0);
	protect(l1, 0);
	l4 = own[0];
	STEP(extended(MMUEXT_PIN_L4_TABLE, mfn_of(l4), 0));
	print("%llx %llx %llx\n", (unsigned long long)(l4[5] ^ ma(l3)),
	      (unsigned long long)(l3[0] ^ ma(l2)), (unsigned long long)(l1[0] ^ ma(data[1])));
	STEP(update(ma(l4) + 256 * 8, 0));
	STEP(update(ma(l4) + 271 * 8, 0));
	STEP(update(ma(l4) + 6 * 8, ma(l2) | P | W | U));
	STEP(update(ma(l4) + 6 * 8, ma(l3) | P | W | U | 0x80));
	STEP(update(ma(l4) + 6 * 8, ma(l3) | P | W | U));
	STEP(update(ma(l3) + 8, ma(l2) | P | W | U | 0x80));
	STEP(update(ma(l3) + 8, ma(data[0]) | P | W | U));
	STEP(update(ma(l2) + 8, ma(data[0]) | P | W | U | 0x80));
	STEP(update(ma(l2) + 8, ma(l1) | P | U));
	STEP(extended(MMUEXT_NEW_BASEPTR, mfn_of(l4), 0));
	volatile char *far = (char *)(5ul << 39);
	far[9] = 0x66;
	print("%x %x\n", data[1][9], ((volatile char *)(6ul << 39))[9]);
	STEP(extended(MMUEXT_UNPIN_TABLE, mfn_of(l4), 0));
	STEP(map_page(l4, ma(l4) | P | W | U));
	STEP(extended(MMUEXT_NEW_BASEPTR, mfn_of(current), 0));
	STEP(map_page(l4, ma(l4) | P | W | U));
	STEP(map_page(l1, ma(l1) | P | W | U));
	STEP(extended(MMUEXT_NEW_USER_BASEPTR, mfn_of(data[0]), 0));
	STEP(extended(MMUEXT_NEW_USER_BASEPTR, 0, 0));
}
#else
static void roots(void)
{
}
#endif

void run(void)
{
	plain();
	entries();
	mappings();
	roots();
}

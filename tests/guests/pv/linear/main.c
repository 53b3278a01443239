/* Page tables that lead to themselves, or to others of their level: read-only, and of one step. */
#include "pv.h"

#ifdef __x86_64__
#define TOP 4
#define SLOT 5
#else
#define TOP 3
#define SLOT 0
#endif

static unsigned done;
static uint64_t other_root[512] PAGE, third_root[512] PAGE, level2[512] PAGE, level2_too[512] PAGE;

static uint64_t entry(const void *page, unsigned flags)
{
	return (uint64_t)mfn_of(page) << 12 | flags;
}

static long update(uint64_t *table, unsigned index, uint64_t value)
{
	mmu_update_t u = { .ptr = ((uint64_t)mfn_of(table) << 12) + index * 8, .val = value };
	return CALL4(mmu_update, &u, 1, &done, DOMID_SELF);
}

static long extended(unsigned cmd, const void *page)
{
	struct mmuext_op op = { .cmd = cmd, .arg1.mfn = mfn_of(page) };
	return CALL4(mmuext_op, &op, 1, 0, DOMID_SELF);
}

#define TRY(what, call)                                                     \
	do {                                                                \
		long result_ = (call);                                      \
		print("%s: %ld\n", what, result_);                          \
	} while (0)

static void protect(void *page)
{
	TRY("to read", map_page(page, entry(page, 5)));
}

/* Level 2, of which both widths' are alike. */
static void second_level(void)
{
	print("-- level 2\n");
	level2[0] = entry(level2, 7);
	protect(level2);
	TRY("pin, leading to itself to write", extended(MMUEXT_PIN_L2_TABLE, level2));
	map_page(level2, entry(level2, 7));
	level2[0] = entry(level2, 5);
	protect(level2);
	TRY("pin, leading to itself to read", extended(MMUEXT_PIN_L2_TABLE, level2));
	TRY("its entry to nothing", update(level2, 0, 0));
	TRY("its entry to itself to write", update(level2, 0, entry(level2, 7)));
	TRY("its entry to itself to read", update(level2, 0, entry(level2, 5)));
	TRY("another, too", update(level2, 1, entry(level2, 5)));
	level2_too[3] = entry(level2, 5);
	protect(level2_too);
	TRY("pin, leading to the first", extended(MMUEXT_PIN_L2_TABLE, level2_too));
	TRY("the first to it", update(level2, 2, entry(level2_too, 5)));
	TRY("unpin the first", extended(MMUEXT_UNPIN_TABLE, level2));
	TRY("the first to write", map_page(level2, entry(level2, 7)));
	TRY("unpin the second", extended(MMUEXT_UNPIN_TABLE, level2_too));
	TRY("the first to write", map_page(level2, entry(level2, 7)));
	TRY("the second to write", map_page(level2_too, entry(level2_too, 7)));
}

#ifdef __x86_64__
static void top_level(void)
{
	uint64_t *root = (uint64_t *)start_info->pt_base;
	print("-- level 4\n");
	TRY("to write", update(root, SLOT, entry(root, 7)));
	TRY("to read", update(root, SLOT, entry(root, 5)));
	/* Its tables by four steps through itself, then three, two and one. */
	uint64_t *self = (uint64_t *)(0xffff000000000000ul * (SLOT > 255) + ((uint64_t)SLOT << 39 | (uint64_t)SLOT << 30 |
								     (uint64_t)SLOT << 21 | (uint64_t)SLOT << 12));
	print("itself %d %d\n", (self[SLOT] >> 12) == mfn_of(root), (int)(self[SLOT] & 0x7));
	print("as it is elsewhere %d\n", (self[0] & ~0x60ul) == (root[0] & ~0x60ul));
	uint64_t *first = (uint64_t *)((uint64_t)SLOT << 39);
	print("the last entry of run %d\n", (first[(uint64_t)run >> 12] >> 12 & 0xffffffffff) == mfn_of((void *)run));
	TRY("another's entry", update(root, SLOT + 1, entry(other_root, 5)));
	protect(other_root);
	TRY("pin another", extended(MMUEXT_PIN_L4_TABLE, other_root));
	TRY("the other's entry to this", update(other_root, 1, entry(root, 5)));
	TRY("this to the other", update(root, SLOT + 1, entry(other_root, 5)));
	TRY("the other's entry to itself", update(other_root, 2, entry(other_root, 5)));
	protect(third_root);
	TRY("pin a third", extended(MMUEXT_PIN_L4_TABLE, third_root));
	TRY("the third to the other", update(third_root, 1, entry(other_root, 5)));
	TRY("the other to the third", update(other_root, 3, entry(third_root, 5)));
	TRY("the other's entry to nothing", update(other_root, 1, 0));
	TRY("the third to the other again", update(third_root, 1, entry(other_root, 5)));
	TRY("unpin the other", extended(MMUEXT_UNPIN_TABLE, other_root));
	TRY("the other to write", map_page(other_root, entry(other_root, 7)));
	TRY("the third to nothing", update(third_root, 1, 0));
	TRY("the other to write", map_page(other_root, entry(other_root, 7)));
	TRY("this to nothing", update(root, SLOT, 0));
}
#else
static void top_level(void)
{
	uint64_t *root = (uint64_t *)start_info->pt_base;
	print("-- level 3\n");
	TRY("to itself to read", update(root, 3, entry(root, 5)));
	(void)other_root;
	(void)third_root;
}
#endif

void run(void)
{
	second_level();
	top_level();
}

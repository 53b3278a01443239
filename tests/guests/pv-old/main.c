/*
 * What an image of Mini-OS's forms finds at its start, and what Mini-OS does of it first: it takes all but a few tables for
 * those of level 1, from their number how much is mapped, and adds a table of its own behind that.
 */
#include "pv.h"

#define ENTRIES 512
#define ADDRESS 0xffffffffff000ull
#define FLAGS(entry) ((unsigned)(entry) & 0xfff)
/* Mini-OS up to 4.5 takes this many for other than level 1's; later ones look. */
#define OLD_OTHERS 3

extern const unsigned is_old;
static char table[4096] PAGE, page[4096] PAGE;

static const char *frame(uint64_t entry)
{
	const unsigned long *list = (void *)start_info->mfn_list;
	for (unsigned long pfn = 0; pfn < start_info->nr_pages; pfn++)
		if (list[pfn] == (entry & ADDRESS) >> 12)
			return (const char *)(pfn << 12);
	return 0;
}

static const uint64_t *below(const uint64_t *entries, unsigned index)
{
	return (const uint64_t *)frame(entries[index]);
}

/* The tables of the upper levels, counted; the one of level 2 for what is mapped. */
static const uint64_t *walk(unsigned *others)
{
	const uint64_t *entries = (void *)start_info->pt_base;
	*others = 1;
#ifdef __x86_64__
	entries = below(entries, 0);
	++*others;
#endif
	print("level 3 has");
	for (unsigned i = 0; i < (sizeof(long) == 8 ? ENTRIES : 4); i++)
		if (entries[i] & 1) {
			++*others;
			print(" %u", i);
		}
	print("\n");
	return below(entries, 0);
}

static void add_table(const uint64_t *directory, unsigned long address)
{
	struct mmu_update updates[2];
	unsigned slot = address >> 21;
	print("level 2 has %x there, %x before it\n", FLAGS(directory[slot]), FLAGS(directory[slot - 1] & ~0x60));
	SHOW(map_page(table, (uint64_t)mfn_of(table) << 12 | 5));
	updates[0].ptr = ((uint64_t)mfn_of(directory) << 12 | slot * 8) | MMU_NORMAL_PT_UPDATE;
	updates[0].val = (uint64_t)mfn_of(table) << 12 | 7;
	updates[1].ptr = ((uint64_t)mfn_of(table) << 12) | MMU_NORMAL_PT_UPDATE;
	updates[1].val = (uint64_t)mfn_of(page) << 12 | 7;
	SHOW(CALL4(mmu_update, updates, 2, 0, DOMID_SELF));
	*(volatile unsigned *)(address + 8) = 0x1234;
	print("written there, found here: %x\n", *(volatile unsigned *)(page + 8));
}

void run(void)
{
	unsigned others;
	unsigned frames = start_info->nr_pt_frames;
	const char *list = (const char *)start_info->mfn_list;
	print("%s\n", start_info->magic);
	print("the list before start info %d, tables behind the console %d\n", list < (char *)start_info,
	      start_info->pt_base == (unsigned long)start_info + 3 * 4096);
	const uint64_t *directory = walk(&others);
	print("tables %u, others than level 1's %u\n", frames, others);
	if (is_old)
		others = OLD_OTHERS;
	unsigned long end = (frames - others) * ENTRIES * 4096ul;
	unsigned pages = 0;
	for (unsigned long address = 0; address < end; address += 4096, pages++)
		*(volatile char *)address;
	print("mapped to %lx, pages read %u\n", end, pages);
	add_table(directory, end);
}

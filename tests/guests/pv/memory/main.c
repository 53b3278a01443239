/* memory_op: reservations given back and taken again, exchanged, and what there is to know of them. */
#include "pv.h"

#define PAGES 8
static char pages[PAGES][4096] PAGE;
static unsigned long frames[64];

static long op(int number, void *argument)
{
	return CALL2(memory_op, number, argument);
}

/* The list of numbers from `first` on, in `frames`. */
static struct xen_memory_reservation reservation(unsigned count, unsigned order, unsigned dom)
{
	struct xen_memory_reservation a = { .nr_extents = count, .extent_order = order, .domid = dom };
	set_xen_guest_handle(a.extent_start, frames);
	return a;
}

static long current(void)
{
	domid_t dom = DOMID_SELF;
	return op(XENMEM_current_reservation, &dom);
}

/* One after the other: C does not say which argument comes first. */
static void change(const char *what, int number, void *argument)
{
	long before = current();
	long result = op(number, argument);
	print("%s: %ld, pages %ld\n", what, result, current() - before);
}

static unsigned long *m2p;

static unsigned long pfn_of(unsigned long mfn)
{
	return m2p[mfn];
}

static void asked(void)
{
	print("-- asked\n");
	long pages = start_info->nr_pages;
	domid_t dom = DOMID_SELF;
	print("current %d\n", current() == pages);
	long maximum = op(XENMEM_maximum_reservation, &dom);
	print("maximum at least that: %d\n", maximum >= pages);
	print("maximum_gpfn %d\n", (int)op(XENMEM_maximum_gpfn, &dom) >= pages - 1);
	dom = 0;
	SHOW(op(XENMEM_current_reservation, &dom));
	SHOW(op(XENMEM_maximum_reservation, &dom));
	SHOW(op(XENMEM_maximum_gpfn, &dom));
	dom = 77;
	SHOW(op(XENMEM_current_reservation, &dom));
	SHOW(op(XENMEM_maximum_gpfn, &dom));
	print("maximum_ram_page %d\n", op(XENMEM_maximum_ram_page, 0) > pages);
	struct xen_machphys_mapping mapping = { 0 };
	SHOW(op(XENMEM_machphys_mapping, &mapping));
	print("from %lx to %lx, frames %d\n", (long)mapping.v_start, (long)mapping.v_end,
	      mapping.max_mfn > (xen_ulong_t)pages);
	m2p = (unsigned long *)(long)mapping.v_start;
	struct xen_machphys_mfn_list list = { .max_extents = 64 };
	set_xen_guest_handle(list.extent_start, frames);
	print("machphys_mfn_list %ld", op(XENMEM_machphys_mfn_list, &list));
	print(" some %d\n", list.nr_extents > 0);
	struct xen_memory_map map = { .nr_entries = 1 };
	SHOW(op(XENMEM_memory_map, &map));
	SHOW(op(XENMEM_machine_memory_map, &map));
	struct xen_add_to_physmap add = { .domid = DOMID_SELF, .space = XENMAPSPACE_shared_info };
	SHOW(op(XENMEM_add_to_physmap, &add));
	add.space = 99;
	SHOW(op(XENMEM_add_to_physmap, &add));
	struct xen_remove_from_physmap remove = { .domid = DOMID_SELF, .gpfn = 1 };
	SHOW(op(XENMEM_remove_from_physmap, &remove));
	struct xen_foreign_memory_map foreign = { .domid = DOMID_SELF };
	SHOW(op(XENMEM_set_memory_map, &foreign));
	struct xen_pod_target pod = { .domid = DOMID_SELF };
	SHOW(op(XENMEM_get_pod_target, &pod));
	SHOW(op(XENMEM_set_pod_target, &pod));
	SHOW(op(18, 0));
	SHOW(op(19, 0));
	SHOW(op(99, 0));
	SHOW(op(60, 0));
	SHOW_BAD(op(XENMEM_current_reservation, BAD));
	SHOW_BAD(op(XENMEM_decrease_reservation, BAD));
	SHOW_BAD(op(XENMEM_exchange, BAD));
	SHOW_BAD(op(XENMEM_machphys_mapping, BAD));
}

static void given(void)
{
	print("-- given back\n");
	long before = current();
	unsigned long mfn[PAGES];
	for (int i = 0; i < PAGES; i++)
		mfn[i] = mfn_of(pages[i]);
	print("m2p %d\n", pfn_of(mfn[0]) == (unsigned long)pages[0] >> 12);
	struct xen_memory_reservation a = reservation(2, 0, DOMID_SELF);
	frames[0] = mfn[0];
	frames[1] = mfn[1];
	change("mapped", XENMEM_decrease_reservation, &a);
	for (int i = 0; i < 4; i++)
		map_page(pages[i], 0);
	print("after unmapping: pages fewer %ld\n", before - current());
	a = reservation(2, 0, DOMID_SELF);
	frames[0] = mfn[2];
	frames[1] = mfn[3];
	change("unmapped", XENMEM_decrease_reservation, &a);
	frames[0] = mfn[2];
	frames[1] = 1;
	change("no frames", XENMEM_decrease_reservation, &a);
	a = reservation(1, 0, 0);
	change("dom0's", XENMEM_decrease_reservation, &a);
	a = reservation(1, 0, 77);
	change("nobody's", XENMEM_decrease_reservation, &a);
	a = reservation(0, 0, DOMID_SELF);
	change("none", XENMEM_decrease_reservation, &a);
	a = reservation(1, 99, DOMID_SELF);
	change("order 99", XENMEM_decrease_reservation, &a);
	a = reservation(1, 20, DOMID_SELF);
	change("order 20", XENMEM_decrease_reservation, &a);
	unsigned long table = mfn_of((void *)start_info->pt_base);
	frames[0] = table;
	a = reservation(1, 0, DOMID_SELF);
	change("a page table", XENMEM_decrease_reservation, &a);

	print("-- taken\n");
	a = reservation(2, 0, DOMID_SELF);
	frames[0] = (unsigned long)pages[0] >> 12;
	frames[1] = (unsigned long)pages[1] >> 12;
	change("populate", XENMEM_populate_physmap, &a);
	print("m2p %d %d\n", pfn_of(frames[0]) == (unsigned long)pages[0] >> 12,
	      pfn_of(frames[1]) == (unsigned long)pages[1] >> 12);
	SHOW(map_page(pages[0], (uint64_t)frames[0] << 12 | 7));
	pages[0][0] = 1;
	print("zeroed %d\n", pages[0][1] == 0 && pages[0][4095] == 0);
	a = reservation(2, 0, DOMID_SELF);
	frames[0] = frames[1] = 0;
	change("increase", XENMEM_increase_reservation, &a);
	print("frames %d %d\n", frames[0] != 0, frames[1] != 0);
	a = reservation(1, 0, 0);
	change("dom0's", XENMEM_populate_physmap, &a);
	a = reservation(1, 99, DOMID_SELF);
	change("order 99", XENMEM_populate_physmap, &a);
	a = reservation(1, 10, DOMID_SELF);
	change("order 10", XENMEM_populate_physmap, &a);
	a = reservation(0, 0, DOMID_SELF);
	change("none", XENMEM_populate_physmap, &a);
}

static void exchanged(void)
{
	print("-- exchanged\n");
	static unsigned long in[4], out[4];
	struct xen_memory_exchange a = {
		.in = { .nr_extents = 4, .extent_order = 0, .domid = DOMID_SELF },
		.out = { .nr_extents = 1, .extent_order = 2, .domid = DOMID_SELF },
	};
	set_xen_guest_handle(a.in.extent_start, in);
	set_xen_guest_handle(a.out.extent_start, out);
	for (int i = 0; i < 4; i++) {
		in[i] = mfn_of(pages[4 + i]);
		map_page(pages[4 + i], 0);
	}
	out[0] = (unsigned long)pages[4] >> 12;
	change("four for one of four", XENMEM_exchange, &a);
	print("exchanged %lu\n", (long)a.nr_exchanged);
	print("m2p %d %d, aligned %d\n", pfn_of(out[0]) == (unsigned long)pages[4] >> 12,
	      pfn_of(out[0] + 3) == (unsigned long)pages[7] >> 12, (out[0] & 3) == 0);
	SHOW(map_page(pages[7], (uint64_t)(out[0] + 3) << 12 | 7));
	pages[7][0] = 1;
	a.in.domid = 0;
	a.nr_exchanged = 0;
	change("dom0's", XENMEM_exchange, &a);
	a.in.domid = DOMID_SELF;
	a.out.domid = 0;
	change("for dom0", XENMEM_exchange, &a);
	a.out.domid = DOMID_SELF;
	a.out.nr_extents = 2;
	change("four for eight", XENMEM_exchange, &a);
	a.out.nr_extents = 1;
	a.nr_exchanged = 9;
	change("exchanged already", XENMEM_exchange, &a);
	a.nr_exchanged = 0;
	for (int i = 0; i < 4; i++)
		in[i] = 1;
	change("no frames", XENMEM_exchange, &a);
	print("exchanged %lu\n", (long)a.nr_exchanged);
}

void run(void)
{
	asked();
	given();
	exchanged();
}

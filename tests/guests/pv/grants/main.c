/* grant_table_op, both versions: a guest that grants to itself, maps, copies, and what it may not. */
#include "pv.h"

static char granted[4096] PAGE, target[4096] PAGE, table[4][4096] PAGE, status_page[4096] PAGE;
static char own[4096] PAGE;
static grant_entry_v1_t *v1;
static grant_entry_v2_t *v2;
static grant_status_t *used;
static domid_t me;

static long op(int number, void *argument, unsigned count)
{
	return CALL3(grant_table_op, number, argument, count);
}

static void setup(unsigned dom, unsigned count, int at)
{
	unsigned long frames[80] = { 0 };
	struct gnttab_setup_table a = { .dom = dom, .nr_frames = count, .status = 77 };
	set_xen_guest_handle(a.frame_list, frames);
	long result = op(GNTTABOP_setup_table, &a, 1);
	print("setup_table %x %u: %ld status %d, frames %d %d %d\n", dom, count, result, a.status,
	      frames[0] != 0, frames[1] != 0, frames[2] != 0);
	if (at >= 0)
		for (unsigned i = 0; i < count && i < 4; i++)
			print("map: %ld\n", map_page(table[i], (uint64_t)frames[i] << 12 | 7));
}

static void query(unsigned dom)
{
	struct gnttab_query_size a = { .dom = dom, .nr_frames = 77, .max_nr_frames = 77, .status = 77 };
	long result = op(GNTTABOP_query_size, &a, 1);
	print("query_size %x: %ld status %d frames %u of %u\n", dom, result, a.status, a.nr_frames,
	      a.max_nr_frames);
}

static void version(unsigned number)
{
	struct gnttab_set_version a = { .version = number };
	long result = CALL2(grant_table_op, GNTTABOP_set_version, &a);
	print("set_version %u: %ld version %u\n", number, result, a.version);
}

static void get_version(unsigned dom)
{
	struct gnttab_get_version a = { .dom = dom, .version = 77 };
	long result = CALL2(grant_table_op, GNTTABOP_get_version, &a);
	print("get_version %x: %ld version %u\n", dom, result, a.version);
}

static unsigned map(const char *what, void *at, unsigned flags, unsigned ref, unsigned dom)
{
	struct gnttab_map_grant_ref a = { .host_addr = (unsigned long)at, .flags = flags, .ref = ref,
					  .dom = dom, .status = 77, .handle = 77 };
	long result = op(GNTTABOP_map_grant_ref, &a, 1);
	print("map %s: %ld status %d handle %u bus %d\n", what, result, a.status, a.handle,
	      a.dev_bus_addr == (uint64_t)mfn_of(granted) << 12);
	return a.handle;
}

static void unmap(const char *what, void *at, uint64_t bus, unsigned handle)
{
	struct gnttab_unmap_grant_ref a = { .host_addr = (unsigned long)at, .dev_bus_addr = bus,
					    .handle = handle, .status = 77 };
	long result = op(GNTTABOP_unmap_grant_ref, &a, 1);
	print("unmap %s: %ld status %d\n", what, result, a.status);
}

static void copy(const char *what, unsigned flags, unsigned long from, unsigned from_dom,
		 unsigned from_offset, unsigned long to, unsigned to_dom, unsigned to_offset, unsigned length)
{
	struct gnttab_copy a = { .len = length, .flags = flags, .status = 77 };
	if (flags & GNTCOPY_source_gref)
		a.source.u.ref = from;
	else
		a.source.u.gmfn = from;
	if (flags & GNTCOPY_dest_gref)
		a.dest.u.ref = to;
	else
		a.dest.u.gmfn = to;
	a.source.domid = from_dom;
	a.source.offset = from_offset;
	a.dest.domid = to_dom;
	a.dest.offset = to_offset;
	memset(target, 0, sizeof target);
	long result = op(GNTTABOP_copy, &a, 1);
	print("copy %s: %ld status %d, then %x %x %x\n", what, result, a.status, target[0] & 0xff,
	      target[8] & 0xff, target[4095] & 0xff);
}

static void swap(unsigned a, unsigned b)
{
	struct gnttab_swap_grant_ref swap = { .ref_a = a, .ref_b = b, .status = 77 };
	long result = op(GNTTABOP_swap_grant_ref, &swap, 1);
	print("swap %u %u: %ld status %d\n", a, b, result, swap.status);
}

static void flush(const char *what, uint64_t bus, unsigned offset, unsigned length, unsigned how)
{
	struct gnttab_cache_flush a = { .offset = offset, .length = length, .op = how };
	a.a.dev_bus_addr = bus;
	print("cache_flush %s: %ld\n", what, op(GNTTABOP_cache_flush, &a, 1));
}

static void status_frames(unsigned dom, unsigned count)
{
	uint64_t frames[4] = { 0 };
	struct gnttab_get_status_frames a = { .dom = dom, .nr_frames = count, .status = 77 };
	set_xen_guest_handle(a.frame_list, frames);
	long result = op(GNTTABOP_get_status_frames, &a, 1);
	print("get_status_frames %x %u: %ld status %d, frame %d\n", dom, count, result, a.status,
	      frames[0] != 0);
	if (dom == DOMID_SELF && count == 1 && a.status == 0)
		print("map: %ld\n", map_page(status_page, frames[0] << 12 | 7));
}

static domid_t domid(void)
{
	struct evtchn_alloc_unbound a = { .dom = DOMID_SELF, .remote_dom = DOMID_SELF };
	CALL2(event_channel_op, EVTCHNOP_alloc_unbound, &a);
	struct evtchn_status status = { .dom = DOMID_SELF, .port = a.port };
	CALL2(event_channel_op, EVTCHNOP_status, &status);
	return status.u.unbound.dom;
}

static void grant1(unsigned ref, unsigned flags, unsigned dom, unsigned long frame)
{
	v1[ref] = (grant_entry_v1_t){ .flags = flags, .domid = dom, .frame = frame };
}

#define HOST GNTMAP_host_map
#define RO GNTMAP_readonly

static void tables(void)
{
	print("-- tables\n");
	get_version(DOMID_SELF);
	get_version(0);
	get_version(77);
	query(DOMID_SELF);
	query(0);
	query(77);
	setup(0, 1, -1);
	setup(77, 1, -1);
	setup(DOMID_SELF, 0, -1);
	setup(DOMID_SELF, 65, -1);
	setup(DOMID_SELF, 1000000, -1);
	setup(DOMID_SELF, 2, 0);
	query(DOMID_SELF);
	status_frames(DOMID_SELF, 1);
	status_frames(DOMID_SELF, 0);
	status_frames(0, 1);
	status_frames(77, 1);
	struct gnttab_setup_table a = { .dom = DOMID_SELF, .nr_frames = 1 };
	SHOW(op(GNTTABOP_setup_table, &a, 0));
	SHOW(op(GNTTABOP_setup_table, &a, 2));
	SHOW_BAD(op(GNTTABOP_setup_table, BAD, 1));
	*(void **)&a.frame_list = BAD;
	SHOW_BAD(op(GNTTABOP_setup_table, &a, 1));
	print("bad pointer: status %d\n", a.status);
	SHOW(op(GNTTABOP_query_size, &a, 2));
	SHOW(op(GNTTABOP_dump_table, &a, 1));
	SHOW(op(13, &a, 1));
	SHOW(op(99, &a, 1));
	SHOW(op(-1, &a, 1));
	SHOW(op(0x1000 | GNTTABOP_copy, &a, 1));
	SHOW(op(GNTTABOP_copy, &a, -1));
	SHOW(op(GNTTABOP_copy, &a, 0));
	SHOW_BAD(op(GNTTABOP_copy, BAD, 1));
	SHOW_BAD(op(GNTTABOP_map_grant_ref, BAD, 1));
	SHOW_BAD(op(GNTTABOP_set_version, BAD, 1));
	version(0);
	version(3);
	version(1);
}

static void one(void)
{
	v1 = (void *)table[0];
	print("-- version 1\n");
	memset(granted, 0x11, sizeof granted);
	unsigned long frame = mfn_of(granted);
	grant1(8, GTF_permit_access, me, frame);
	grant1(9, GTF_permit_access | GTF_readonly, me, frame);
	grant1(10, GTF_permit_access, 0, frame);
	grant1(11, GTF_accept_transfer, me, frame);
	grant1(12, GTF_permit_access, me, 1);
	grant1(13, GTF_permit_access, me, mfn_of((void *)start_info->pt_base));
	unsigned handle = map("8", own, HOST, 8, me);
	print("flags %x, seen %x\n", v1[8].flags, own[0]);
	own[0] = 0x22;
	print("written %x\n", granted[0]);
	unsigned second = map("8 again, to read", target, HOST | RO, 8, me);
	print("flags %x\n", v1[8].flags);
	map("with no flags", own, 0, 8, me);
	map("nobody's", own, HOST, 8, 77);
	map("dom0's", own, HOST, 8, 0);
	map("beyond the table", own, HOST, 1024, me);
	map("far beyond the table", own, HOST, 0xffffffff, me);
	map("9 to write", own, HOST, 9, me);
	map("10, another's", own, HOST, 10, me);
	map("11, a transfer", own, HOST, 11, me);
	map("12, no frame", own, HOST, 12, me);
	map("13, a page table", own, HOST, 13, me);
	map("20, free", own, HOST, 20, me);
	map("DOMID_SELF's", own, HOST, 8, DOMID_SELF);
	map("9 at a bad address", (void *)0x40000000, HOST | RO, 9, me);
	print("flags %x %x %x %x %x %x\n", v1[9].flags, v1[10].flags, v1[11].flags, v1[12].flags,
	      v1[13].flags, v1[20].flags);
	unmap("a bad handle", own, 0, 1000);
	unmap("a bad address", status_page, 0, handle);
	unmap("nothing", 0, 0, handle);
	unmap("with a bus address", own, 4096, handle);
	print("flags %x\n", v1[8].flags);
	unmap("it again", own, 0, handle);
	unmap("the other", target, 0, second);
	print("flags %x\n", v1[8].flags);
	SHOW(map_page(own, (uint64_t)mfn_of(own) << 12 | 7));
	SHOW(map_page(target, (uint64_t)mfn_of(target) << 12 | 7));
	unsigned device = map("for a device", 0, GNTMAP_device_map, 8, me);
	print("flags %x\n", v1[8].flags);
	unmap("a bad bus address", 0, 4096, device);
	unmap("for a device", 0, (uint64_t)frame << 12, device);
	print("flags %x\n", v1[8].flags);
	swap(8, 9);
	print("flags %x %x\n", v1[8].flags, v1[9].flags);
	swap(8, 9);
	swap(8, 8);
	swap(8, 1024);
	swap(1024, 8);

	print("-- copies\n");
	memset(granted, 0x33, sizeof granted);
	unsigned long to = mfn_of(target);
	copy("a page", GNTCOPY_source_gref, 9, me, 0, to, DOMID_SELF, 0, 4096);
	copy("some bytes", GNTCOPY_source_gref, 9, me, 100, to, DOMID_SELF, 8, 16);
	copy("nothing", GNTCOPY_source_gref, 9, me, 0, to, DOMID_SELF, 0, 0);
	copy("too much", GNTCOPY_source_gref, 9, me, 1, to, DOMID_SELF, 0, 4096);
	copy("far too much", GNTCOPY_source_gref, 9, me, 0, to, DOMID_SELF, 0, 65535);
	copy("too much from nowhere", GNTCOPY_source_gref, 900, me, 1, to, DOMID_SELF, 0, 4096);
	copy("from beyond", GNTCOPY_source_gref, 5000, me, 0, to, DOMID_SELF, 0, 16);
	copy("from a free one", GNTCOPY_source_gref, 20, me, 0, to, DOMID_SELF, 0, 16);
	copy("from nobody", GNTCOPY_source_gref, 9, 77, 0, to, DOMID_SELF, 0, 16);
	copy("frames", 0, frame, DOMID_SELF, 0, to, DOMID_SELF, 0, 16);
	copy("frames by number", 0, frame, me, 0, to, me, 0, 16);
	copy("of no frame", 0, 1, DOMID_SELF, 0, to, DOMID_SELF, 0, 16);
	copy("to no frame", 0, frame, DOMID_SELF, 0, 1, DOMID_SELF, 0, 16);
	copy("to a page table", 0, frame, DOMID_SELF, 0, mfn_of((void *)start_info->pt_base), DOMID_SELF,
	     0, 16);
	grant1(21, GTF_permit_access, me, to);
	grant1(22, GTF_permit_access | GTF_readonly, me, to);
	copy("to a grant", GNTCOPY_dest_gref, frame, DOMID_SELF, 0, 21, me, 0, 16);
	copy("to a grant to read", GNTCOPY_dest_gref, frame, DOMID_SELF, 0, 22, me, 0, 16);
	copy("from grant to grant", 3, 9, me, 0, 21, me, 0, 16);
	copy("from self's grant", GNTCOPY_source_gref, 9, DOMID_SELF, 0, to, DOMID_SELF, 0, 16);
	print("flags %x %x %x\n", v1[9].flags, v1[21].flags, v1[22].flags);

	print("-- caches\n");
	uint64_t bus = (uint64_t)frame << 12;
	flush("clean", bus, 0, 64, GNTTAB_CACHE_CLEAN);
	flush("throw away", bus, 0, 64, GNTTAB_CACHE_INVAL);
	flush("both", bus, 0, 64, GNTTAB_CACHE_CLEAN | GNTTAB_CACHE_INVAL);
	flush("nothing", bus, 0, 64, 0);
	flush("no bytes", bus, 0, 0, GNTTAB_CACHE_CLEAN);
	flush("too much", bus, 4095, 2, GNTTAB_CACHE_CLEAN);
	flush("beyond", bus, 4096, 0, GNTTAB_CACHE_CLEAN);
	flush("otherwise", bus, 0, 64, 4);
	flush("by reference", 8, 0, 64, GNTTAB_CACHE_CLEAN | GNTTAB_CACHE_SOURCE_GREF);
	flush("no frame", 1ull << 50, 0, 64, GNTTAB_CACHE_CLEAN);
}

static void grant2(unsigned ref, unsigned flags, unsigned dom, uint64_t frame)
{
	memset(&v2[ref], 0, sizeof v2[ref]);
	v2[ref].full_page.frame = frame;
	v2[ref].hdr = (grant_entry_header_t){ .flags = flags, .domid = dom };
}

static void two(void)
{
	v2 = (void *)table[0];
	used = (void *)status_page;
	print("-- version 2\n");
	unsigned handle = map("9 of version 1", own, HOST | RO, 9, me);
	version(2);
	unmap("9 of version 1", own, 0, handle);
	map_page(own, (uint64_t)mfn_of(own) << 12 | 7);
	print("entry 1: flags %x dom %u\n", v1[1].flags, v1[1].domid);
	version(2);
	get_version(DOMID_SELF);
	print("entry 1: flags %x dom %u used %x; entry 8: flags %x\n", v2[1].hdr.flags, v2[1].hdr.domid, 0,
	      v2[8].hdr.flags);
	status_frames(DOMID_SELF, 1);
	status_frames(DOMID_SELF, 2);
	setup(DOMID_SELF, 2, -1);
	print("used 1: %x\n", used[1]);
	unsigned long frame = mfn_of(granted);
	grant2(8, GTF_permit_access, me, frame);
	grant2(9, GTF_permit_access | GTF_readonly, me, frame);
	grant2(10, GTF_permit_access | GTF_sub_page, me, frame);
	v2[10].sub_page.page_off = 100;
	v2[10].sub_page.length = 50;
	grant2(11, GTF_transitive, me, 0);
	v2[11].transitive.trans_domid = me;
	v2[11].transitive.gref = 9;
	grant2(12, GTF_transitive, me, 0);
	v2[12].transitive.trans_domid = 77;
	grant2(13, GTF_transitive, me, 0);
	v2[13].transitive.trans_domid = 0;
	v2[13].transitive.gref = 9;
	grant2(14, GTF_permit_access, me, 1ull << 40);
	handle = map("8", own, HOST, 8, me);
	print("flags %x used %x, seen %x\n", v2[8].hdr.flags, used[8], own[0]);
	version(1);
	unmap("8", own, 0, handle);
	print("used %x\n", used[8]);
	map_page(own, (uint64_t)mfn_of(own) << 12 | 7);
	map("9 to write", own, HOST, 9, me);
	map("10, a part", own, HOST, 10, me);
	map("11, transitive", own, HOST | RO, 11, me);
	map("14, no frame", own, HOST, 14, me);
	map("beyond the table", own, HOST, 512, me);
	print("used %x %x %x %x\n", used[9], used[10], used[11], used[14]);

	print("-- copies\n");
	memset(granted, 0x44, sizeof granted);
	unsigned long to = mfn_of(target);
	copy("a page", GNTCOPY_source_gref, 9, me, 0, to, DOMID_SELF, 0, 4096);
	copy("a part", GNTCOPY_source_gref, 10, me, 100, to, DOMID_SELF, 8, 50);
	copy("before a part", GNTCOPY_source_gref, 10, me, 99, to, DOMID_SELF, 8, 10);
	copy("beyond a part", GNTCOPY_source_gref, 10, me, 145, to, DOMID_SELF, 8, 10);
	copy("more than a part", GNTCOPY_source_gref, 10, me, 100, to, DOMID_SELF, 8, 51);
	copy("of itself", GNTCOPY_source_gref, 11, me, 0, to, DOMID_SELF, 0, 16);
	copy("of nobody's", GNTCOPY_source_gref, 12, me, 0, to, DOMID_SELF, 0, 16);
	copy("of dom0's", GNTCOPY_source_gref, 13, me, 0, to, DOMID_SELF, 0, 16);
	copy("of no frame", GNTCOPY_source_gref, 14, me, 0, to, DOMID_SELF, 0, 16);
	print("used %x %x %x %x %x %x\n", used[9], used[10], used[11], used[12], used[13], used[14]);
	swap(8, 10);
	print("flags %x %x\n", v2[8].hdr.flags, v2[10].hdr.flags);

	grant2(2, GTF_permit_access, me, 1ull << 33);
	version(1);
	grant2(2, GTF_transitive, me, 0);
	version(1);
	grant2(2, 0, 0, 0);
	version(1);
	map_page(status_page, (uint64_t)mfn_of(status_page) << 12 | 7);
	version(1);
	print("entry 8: flags %x, entry 1: flags %x dom %u\n", v1[8].flags, v1[1].flags, v1[1].domid);
	get_version(DOMID_SELF);
	status_frames(DOMID_SELF, 0);
}

static void transfer(const char *what, unsigned long frame, unsigned dom, unsigned ref)
{
	struct gnttab_transfer a = { .mfn = frame, .domid = dom, .ref = ref, .status = 77 };
	long result = op(GNTTABOP_transfer, &a, 1);
	print("transfer %s: %ld status %d\n", what, result, a.status);
}

static void transfers(void)
{
	print("-- transfers\n");
	transfer("what is mapped", mfn_of(own), me, 8);
	transfer("no frame", 1, me, 8);
	transfer("a page table", mfn_of((void *)start_info->pt_base), me, 8);
	unsigned long frame = mfn_of(own);
	map_page(own, 0);
	grant1(8, GTF_accept_transfer, me, (unsigned long)own >> 12);
	transfer("to itself", frame, me, 8);
	print("flags %x, another frame %d\n", v1[8].flags, v1[8].frame != (unsigned long)own >> 12);
	if (v1[8].flags & GTF_transfer_completed)
		print("map: %ld\n", map_page(own, (uint64_t)v1[8].frame << 12 | 7));
}

void run(void)
{
	me = domid();
	tables();
	one();
	two();
	transfers();
}

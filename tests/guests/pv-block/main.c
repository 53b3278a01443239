/*
 * A block front-end in every way, good and bad. By the first word of the command line: nothing: asks xvda for all there is, and
 * prints what comes of it; `copy`: copies xvda to xvdb; `read` or `write` and a number: so many requests of 44 KiB, the ring kept full.
 */
#include "blkfront.h"
#include "store.h"

#define XVDA 51712
#define XVDB 51728
#define PAGES 352
static char pages[PAGES][4096] PAGE;
static char ring_page[4096] PAGE, other_ring[4096] PAGE, list[4096] PAGE;
static unsigned references[PAGES];
static struct disk xvda, xvdb;

static void grant_pages(unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		references[i] = grant(pages[i], 0, 0);
}

static void fill(unsigned page, unsigned seed)
{
	for (unsigned i = 0; i < 1024; i++)
		((volatile uint32_t *)pages[page])[i] = seed * 1024 + i;
}

static int is_filled(unsigned page, unsigned first, unsigned count, unsigned seed)
{
	for (unsigned i = first; i < first + count; i++)
		if (((volatile uint32_t *)pages[page])[i] != seed * 1024 + i)
			return 0;
	return 1;
}

static void whole_pages(struct blkif_request_segment *segments, unsigned from, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		segments[i] = (struct blkif_request_segment){ references[from + i], 0, 7 };
}

/* Queues a transfer of whole pages. */
static void queue(struct disk *disk, unsigned operation, uint64_t id, uint64_t sector, unsigned from, unsigned count)
{
	blkif_request_t *request = next_request(disk, operation, id, sector);
	request->nr_segments = count;
	whole_pages(request->seg, from, count);
}

static int transfer(unsigned operation, uint64_t sector, unsigned from, unsigned count)
{
	queue(&xvda, operation, 1, sector, from, count);
	return status_of_one(&xvda);
}

/* One segment of its own making. */
static int segment(unsigned operation, uint64_t sector, unsigned reference, unsigned first, unsigned last)
{
	blkif_request_t *request = next_request(&xvda, operation, 2, sector);
	request->nr_segments = 1;
	request->seg[0] = (struct blkif_request_segment){ reference, first, last };
	return status_of_one(&xvda);
}

/* As many segments as it says there are; the list's page is `from`, or whatever else is given for it. */
static int indirect(unsigned operation, uint64_t sector, unsigned from, unsigned count, unsigned list_reference)
{
	blkif_request_indirect_t *request = (void *)next_request(&xvda, BLKIF_OP_INDIRECT, 0, 0);
	for (unsigned i = 0; i < count && i < 512; i++)
		((struct blkif_request_segment *)list)[i] =
			(struct blkif_request_segment){ references[(from + i) % PAGES], 0, 7 };
	request->indirect_op = operation;
	request->nr_segments = count;
	request->id = 3;
	request->sector_number = sector;
	for (unsigned i = 0; i < BLKIF_MAX_INDIRECT_PAGES_PER_REQUEST; i++)
		request->indirect_grefs[i] = list_reference;
	return status_of_one(&xvda);
}

static int discard(uint64_t sector, uint64_t count, unsigned flag)
{
	blkif_request_discard_t *request = (void *)next_request(&xvda, BLKIF_OP_DISCARD, 4, sector);
	request->flag = flag;
	request->nr_sectors = count;
	return status_of_one(&xvda);
}

#define STATUS(call) print("%s = %d\n", #call, call)

static void features(void)
{
	static const char *const names[] = {
		"sectors", "sector-size", "info", "feature-flush-cache", "feature-barrier", "feature-discard",
		"discard-secure", "feature-persistent", "feature-max-indirect-segments", "max-ring-page-order",
	};
	for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
		print("%s %u\n", names[i], backend_number(&xvda, names[i]));
}

static void transfers(void)
{
	for (unsigned i = 0; i < 11; i++)
		fill(i, 100 + i);
	STATUS(transfer(BLKIF_OP_WRITE, 0, 0, 11));
	STATUS(transfer(BLKIF_OP_READ, 0, 11, 11));
	unsigned same = 0;
	for (unsigned i = 0; i < 11; i++)
		same += is_filled(11 + i, 0, 1024, 100 + i);
	print("pages read back: %u\n", same);
	memset(pages[0], 0xee, 4096);
	STATUS(segment(BLKIF_OP_READ, 2, references[0], 2, 5));
	print("sectors of the middle: %d, around it %x %x\n", is_filled(0, 256, 512, 100),
	      ((uint32_t *)pages[0])[255], ((uint32_t *)pages[0])[768]);
	fill(0, 7);
	STATUS(segment(BLKIF_OP_WRITE, 8191, references[0], 7, 7));
	STATUS(segment(BLKIF_OP_READ, 8191, references[0], 0, 0));
	print("the last sector: %u\n", ((uint32_t *)pages[0])[0]);
	STATUS(transfer(BLKIF_OP_FLUSH_DISKCACHE, 0, 0, 0));
	STATUS(transfer(BLKIF_OP_FLUSH_DISKCACHE, 99999, 0, 0));
	fill(0, 8);
	STATUS(transfer(BLKIF_OP_WRITE_BARRIER, 800, 0, 1));
	STATUS(transfer(BLKIF_OP_WRITE_BARRIER, 0, 0, 0));
	STATUS(transfer(BLKIF_OP_READ, 800, 1, 1));
	print("behind a barrier: %d\n", is_filled(1, 0, 1024, 8));
}

static void lies(void)
{
	static char read_only[4096] PAGE, foreign[4096] PAGE;
	unsigned to_read = grant(read_only, 0, GTF_readonly), to_other = grant(foreign, 7, 0);
	STATUS(segment(BLKIF_OP_READ, 8192, references[0], 0, 0));
	STATUS(segment(BLKIF_OP_WRITE, 8192, references[0], 0, 0));
	STATUS(segment(BLKIF_OP_READ, 8191, references[0], 0, 1));
	STATUS(segment(BLKIF_OP_READ, 1ull << 55, references[0], 0, 0));
	STATUS(segment(BLKIF_OP_READ, -1ull, references[0], 0, 7));
	STATUS(segment(BLKIF_OP_WRITE, -1ull, references[0], 0, 7));
	STATUS(segment(BLKIF_OP_READ, 0, references[0], 5, 4));
	STATUS(segment(BLKIF_OP_READ, 0, references[0], 0, 8));
	STATUS(segment(BLKIF_OP_READ, 0, references[0], 255, 255));
	STATUS(segment(BLKIF_OP_READ, 0, 7, 0, 0));
	STATUS(segment(BLKIF_OP_READ, 0, 2000, 0, 0));
	STATUS(segment(BLKIF_OP_READ, 0, 100000, 0, 0));
	STATUS(segment(BLKIF_OP_READ, 0, -1u, 0, 0));
	STATUS(segment(BLKIF_OP_READ, 0, to_read, 0, 0));
	STATUS(segment(BLKIF_OP_READ, 0, to_other, 0, 0));
	STATUS(segment(BLKIF_OP_WRITE, 0, to_other, 0, 0));
	STATUS(transfer(BLKIF_OP_READ, 0, 0, 0));
	STATUS(transfer(BLKIF_OP_WRITE, 0, 0, 0));
	blkif_request_t *request = next_request(&xvda, BLKIF_OP_READ, 5, 0);
	whole_pages(request->seg, 0, 11);
	request->nr_segments = 12;
	print("12 segments = %d\n", status_of_one(&xvda));
	request = next_request(&xvda, BLKIF_OP_WRITE, 5, 0);
	whole_pages(request->seg, 0, 11);
	request->nr_segments = 255;
	print("255 segments = %d\n", status_of_one(&xvda));
	STATUS(transfer(4, 0, 0, 0));
	STATUS(transfer(77, 0, 0, 1));
	STATUS(transfer(255, 0, 0, 1));
	STATUS(transfer(BLKIF_OP_READ, 0, 11, 11));
	print("what was there: %d\n", is_filled(11, 0, 1024, 100));
}

static void indirect_lies(void)
{
	unsigned of_list = grant(list, 0, 0);
	for (unsigned i = 0; i < 256; i++)
		fill(i, 1000 + i);
	STATUS(indirect(BLKIF_OP_WRITE, 1024, 0, 32, of_list));
	STATUS(indirect(BLKIF_OP_WRITE, 1024, 0, 256, of_list));
	for (unsigned i = 0; i < 256; i++)
		memset(pages[i], 0, 4096);
	STATUS(indirect(BLKIF_OP_READ, 1024, 0, 256, of_list));
	unsigned same = 0;
	for (unsigned i = 0; i < 256; i++)
		same += is_filled(i, 0, 1024, 1000 + i);
	print("pages read back: %u\n", same);
	STATUS(indirect(BLKIF_OP_READ, 1024, 0, 257, of_list));
	STATUS(indirect(BLKIF_OP_READ, 1024, 0, 65535, of_list));
	STATUS(indirect(BLKIF_OP_READ, 1024, 0, 0, of_list));
	STATUS(indirect(BLKIF_OP_READ, 1024, 0, 11, 2000));
	STATUS(indirect(BLKIF_OP_READ, 8191, 0, 1, of_list));
	STATUS(indirect(BLKIF_OP_FLUSH_DISKCACHE, 0, 0, 1, of_list));
	STATUS(indirect(BLKIF_OP_INDIRECT, 0, 0, 1, of_list));
	STATUS(indirect(99, 0, 0, 1, of_list));
	references[5] = 2001;
	STATUS(indirect(BLKIF_OP_READ, 1024, 0, 11, of_list));
	references[5] = grant(pages[5], 0, 0);
	STATUS(indirect(BLKIF_OP_READ, 1024, 0, 11, of_list));
}

static void discards(void)
{
	STATUS(discard(1024, 64, 0));
	STATUS(transfer(BLKIF_OP_READ, 1024, 0, 8));
	STATUS(transfer(BLKIF_OP_READ, 1088, 8, 1));
	print("discarded: %x %x, behind it %d\n", ((uint32_t *)pages[0])[0], ((uint32_t *)pages[7])[1023],
	      is_filled(8, 0, 1024, 1008));
	STATUS(discard(1089, 3, 0));
	STATUS(transfer(BLKIF_OP_READ, 1088, 8, 1));
	print("less than a block: %d\n", is_filled(8, 0, 512, 1008));
	STATUS(discard(8192, 1, 0));
	STATUS(discard(8191, 2, 0));
	STATUS(discard(1ull << 63, 1ull << 63, 0));
	STATUS(discard(1, -1ull, 0));
	STATUS(discard(4096, 64, BLKIF_DISCARD_SECURE));
}

/* The same grants again and again, which stay mapped; the guest may not end them. */
static void persistence(void)
{
	unsigned good = 0;
	for (unsigned round = 0; round < 500; round++) {
		fill(round % 16, round);
		good += transfer(BLKIF_OP_WRITE, 2048 + round % 16 * 8, round % 16, 1) == 0;
		good += transfer(BLKIF_OP_READ, 2048 + round % 16 * 8, 16, 1) == 0;
		good += is_filled(16, 0, 1024, round);
	}
	print("the same pages again: %u\n", good);
	print("in use: %x, ended %d\n", grant_flags(references[16]), end_grant(references[16]));
	unsigned all = 0;
	for (unsigned i = 0; i < PAGES; i += 11)
		queue(&xvda, BLKIF_OP_READ, i, i * 8, i, 11);
	push_requests(&xvda);
	for (unsigned i = 0; i < PAGES; i += 11)
		all += next_response(&xvda).status == BLKIF_RSP_OKAY;
	print("a full ring: %u\n", all);
}

static void last_lie(void)
{
	char path[128] = "", value[64];
	xvda.ring.sring->req_prod = xvda.ring.req_prod_pvt + 33;
	struct evtchn_send send = { .port = xvda.port };
	CALL2(event_channel_op, EVTCHNOP_send, &send);
	for (unsigned i = 0; i < 100; i++)
		CALL2(sched_op, SCHEDOP_yield, 0);
	xvda.ring.sring->req_prod = xvda.ring.req_prod_pvt;
	queue(&xvda, BLKIF_OP_READ, 9, 0, 0, 1);
	push_requests(&xvda);
	for (unsigned i = 0; i < 100; i++)
		CALL2(sched_op, SCHEDOP_yield, 0);
	print("a ring with too much: answered %d\n", RING_HAS_UNCONSUMED_RESPONSES(&xvda.ring) != 0);
	store_read(append(append(path, xvda.backend), "/mode"), value, sizeof value);
	print("mode %s\n", value);
}

/* In requests of all sizes, with a flush or a barrier now and then. */
static void copy_disk(void)
{
	connect_disk(&xvdb, XVDB, other_ring);
	unsigned of_list = grant(list, 0, 0), barriers = 0, flushes = 0, failures = 0;
	uint64_t sector = 0;
	for (unsigned round = 0; sector < xvda.sectors; round++) {
		unsigned most = round % 3 ? 11 : 128, left = (xvda.sectors - sector) / 8;
		unsigned count = left < most ? left : most;
		if (count > 11)
			failures += indirect(BLKIF_OP_READ, sector, 0, count, of_list) != 0;
		else
			failures += transfer(BLKIF_OP_READ, sector, 0, count) != 0;
		int is_barrier = round % 7 == 3;
		for (unsigned done = 0; done < count; done += 11) {
			unsigned some = count - done < 11 ? count - done : 11;
			queue(&xvdb, is_barrier ? BLKIF_OP_WRITE_BARRIER : BLKIF_OP_WRITE, done, sector + done * 8, done, some);
			barriers += is_barrier;
			failures += status_of_one(&xvdb) != 0;
		}
		if (round % 5 == 0) {
			next_request(&xvdb, BLKIF_OP_FLUSH_DISKCACHE, 0, 0);
			flushes++;
			failures += status_of_one(&xvdb) != 0;
		}
		sector += count * 8;
	}
	print("copied %u sectors, %u barriers, %u flushes, %u failures\n", (unsigned)sector, barriers, flushes, failures);
}

static void keep_full(unsigned operation, unsigned count)
{
	unsigned asked = 0, failures = 0;
	for (unsigned answered = 0; answered < count; answered++) {
		while (asked < count && asked - answered < RING_SIZE(&xvda.ring)) {
			unsigned slot = asked % RING_SIZE(&xvda.ring);
			queue(&xvda, operation, slot, asked++ * 88 % (unsigned)(xvda.sectors - 88), slot * 11, 11);
		}
		push_requests(&xvda);
		failures += next_response(&xvda).status != 0;
	}
	print("%u requests, %u failures\n", count, failures);
}

void run(void)
{
	const char *line = (const char *)start_info->cmd_line;
	if (!connect_disk(&xvda, XVDA, ring_page)) {
		print("there is no xvda\n");
		return;
	}
	grant_pages(PAGES);
	if (line[0] == 'c') {
		copy_disk();
		return;
	}
	if (line[0] == 'r' || line[0] == 'w') {
		keep_full(line[0] == 'r' ? BLKIF_OP_READ : BLKIF_OP_WRITE, number_of(line + (line[0] == 'r' ? 5 : 6)));
		return;
	}
	features();
	transfers();
	lies();
	indirect_lies();
	discards();
	persistence();
	last_lie();
}

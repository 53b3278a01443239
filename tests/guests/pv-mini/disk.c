/* A thread of the Mini-OS-like guest that reads a disk, one block at a time, and sleeps until an upcall says that it is there. */
#include "blkfront.h"
#include "mini.h"

#define XVDA 51712
#define SECTORS 8

static struct disk disk;
static char ring[4096] PAGE, block[4096] PAGE;
static unsigned blocks, failures, early, sum;

static unsigned connect(void)
{
	return connect_disk(&disk, XVDA, ring) ? disk.port : 0;
}

static void read_block(unsigned reference)
{
	unsigned before = front_end_events;
	int is_there;
	/* Asks for an event with the next response. */
	RING_FINAL_CHECK_FOR_RESPONSES(&disk.ring, is_there);
	early += is_there;
	blkif_request_t *request = next_request(&disk, BLKIF_OP_READ, blocks, (uint64_t)blocks * SECTORS);
	request->nr_segments = 1;
	request->seg[0] = (struct blkif_request_segment){ .gref = reference, .last_sect = SECTORS - 1 };
	push_requests(&disk);
	while (front_end_events == before)
		give_way();
	if (!RING_HAS_UNCONSUMED_RESPONSES(&disk.ring))
		early++;
	blkif_response_t response = next_response(&disk);
	failures += response.status != BLKIF_RSP_OKAY || response.id != blocks;
}

static void run_disk(void)
{
	unsigned reference = grant(block, 0, 0);
	for (; blocks < disk.sectors / SECTORS; blocks++) {
		memset(block, 0, sizeof block);
		read_block(reference);
		for (unsigned i = 0; i < sizeof block / 4; i++)
			sum = sum * 31 + ((unsigned *)block)[i];
	}
}

static void report(void)
{
	print("blocks %u, events for each %d, none too early %d, failures %u\n", blocks, front_end_events == blocks,
	      early == 0, failures);
	print("sum %x\n", sum);
}

const struct front_end front_end = { connect, run_disk, report };

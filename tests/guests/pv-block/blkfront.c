/* Grants, the handshake, and requests on a ring of one page. */
#include "blkfront.h"
#include "store.h"
#include <xen/io/protocols.h>
#include <xen/io/xenbus.h>

#define TABLES 4
static char tables[TABLES][4096] PAGE;
static unsigned granted;
#define FIRST_REFERENCE 8

static grant_entry_v1_t *entry(unsigned reference)
{
	return (grant_entry_v1_t *)tables + reference;
}

void map_grants(void)
{
	xen_pfn_t frames[TABLES];
	struct gnttab_setup_table setup = { .dom = DOMID_SELF, .nr_frames = TABLES };
	set_xen_guest_handle(setup.frame_list, frames);
	CALL3(grant_table_op, GNTTABOP_setup_table, &setup, 1);
	for (unsigned i = 0; i < TABLES; i++)
		map_page(tables[i], (uint64_t)frames[i] << 12 | 7);
}

void unmap_grants(void)
{
	for (unsigned i = 0; i < TABLES; i++)
		map_page(tables[i], 0);
}

void forget_grants(void)
{
	granted = 0;
}

unsigned grant(const void *page, unsigned domain, unsigned flags)
{
	if (granted == 0) {
		map_grants();
		granted = FIRST_REFERENCE;
	}
	unsigned reference = granted++;
	entry(reference)->frame = mfn_of(page);
	entry(reference)->domid = domain;
	__asm__ volatile("" ::: "memory");
	entry(reference)->flags = GTF_permit_access | flags;
	return reference;
}

int end_grant(unsigned reference)
{
	if (grant_flags(reference) & (GTF_reading | GTF_writing))
		return 0;
	entry(reference)->flags = 0;
	return 1;
}

unsigned grant_flags(unsigned reference)
{
	return *(volatile uint16_t *)&entry(reference)->flags;
}

unsigned backend_number(const struct disk *disk, const char *name)
{
	char path[128] = "", value[32];
	append(append(append(path, disk->backend), "/"), name);
	return store_read(path, value, sizeof value) ? number_of(value) : 0;
}

static char *own_path(const struct disk *disk, char *path, const char *name)
{
	path[0] = 0;
	return append(append(append_number(append(path, "device/vbd/"), disk->id), "/"), name);
}

static void write_number(const struct disk *disk, const char *name, unsigned number)
{
	char path[64], value[16] = "";
	store_write(own_path(disk, path, name), append_number(value, number));
}

static void wait_for_state(const struct disk *disk, unsigned state)
{
	while (backend_number(disk, "state") != state)
		CALL2(sched_op, SCHEDOP_yield, 0);
}

int connect_disk(struct disk *disk, unsigned id, void *ring_page)
{
	char path[64];
	disk->id = id;
	if (!store_read(own_path(disk, path, "backend"), disk->backend, sizeof disk->backend))
		return 0;
	wait_for_state(disk, XenbusStateInitWait);
	struct evtchn_alloc_unbound port = { .dom = DOMID_SELF, .remote_dom = 0 };
	CALL2(event_channel_op, EVTCHNOP_alloc_unbound, &port);
	disk->port = port.port;
	memset(ring_page, 0, 4096);
	SHARED_RING_INIT((blkif_sring_t *)ring_page);
	FRONT_RING_INIT(&disk->ring, (blkif_sring_t *)ring_page, 4096);
	write_number(disk, "ring-ref", grant(ring_page, 0, 0));
	write_number(disk, "event-channel", disk->port);
	write_number(disk, "feature-persistent", 1);
	store_write(own_path(disk, path, "protocol"), XEN_IO_PROTO_ABI_NATIVE);
	write_number(disk, "state", XenbusStateInitialised);
	wait_for_state(disk, XenbusStateConnected);
	disk->sectors = backend_number(disk, "sectors");
	write_number(disk, "state", XenbusStateConnected);
	return 1;
}

blkif_request_t *next_request(struct disk *disk, unsigned operation, uint64_t id, uint64_t sector)
{
	blkif_request_t *request = RING_GET_REQUEST(&disk->ring, disk->ring.req_prod_pvt++);
	memset(request, 0, sizeof *request);
	request->operation = operation;
	request->id = id;
	request->sector_number = sector;
	return request;
}

static void notify(struct disk *disk)
{
	struct evtchn_send send = { .port = disk->port };
	CALL2(event_channel_op, EVTCHNOP_send, &send);
}

void push_requests(struct disk *disk)
{
	int is_wanted;
	RING_PUSH_REQUESTS_AND_CHECK_NOTIFY(&disk->ring, is_wanted);
	if (is_wanted)
		notify(disk);
}

blkif_response_t next_response(struct disk *disk)
{
	while (!RING_HAS_UNCONSUMED_RESPONSES(&disk->ring)) {
		CALL2(sched_op, SCHEDOP_yield, 0);
		__asm__ volatile("" ::: "memory");
	}
	return *RING_GET_RESPONSE(&disk->ring, disk->ring.rsp_cons++);
}

int status_of_one(struct disk *disk)
{
	uint64_t id = RING_GET_REQUEST(&disk->ring, disk->ring.req_prod_pvt - 1)->id;
	push_requests(disk);
	blkif_response_t response = next_response(disk);
	if (response.id != id)
		print("answered is %llu, not %llu\n", (unsigned long long)response.id, (unsigned long long)id);
	return response.status;
}

/* Operations that no other of these guests has a reason to ask for. */
#include "pv.h"

/* Headers have them for tools alone. */
#ifndef XENMEM_get_sharing_freed_pages
#define XENMEM_get_sharing_freed_pages 18
#define XENMEM_get_sharing_shared_pages 19
#endif
#ifndef XENMEM_claim_pages
#define XENMEM_claim_pages 24
#endif

static uint64_t page[512] PAGE;

static long extended(unsigned cmd, unsigned long mfn)
{
	struct mmuext_op op = { .cmd = cmd, .arg1.mfn = mfn };
	return CALL4(mmuext_op, &op, 1, 0, DOMID_SELF);
}

static void reset(unsigned dom)
{
	struct evtchn_reset a = { .dom = dom };
	print("reset of %x: %ld\n", dom, CALL2(event_channel_op, EVTCHNOP_reset, &a));
}

void run(void)
{
	SHOW(extended(MMUEXT_PIN_L3_TABLE, 1));
	SHOW(extended(MMUEXT_UNMARK_SUPER, mfn_of(page)));
	struct gnttab_unmap_and_replace replace = { .host_addr = (unsigned long)page, .handle = 77 };
	SHOW(CALL3(grant_table_op, GNTTABOP_unmap_and_replace, &replace, 0));
	SHOW(CALL3(grant_table_op, GNTTABOP_unmap_and_replace, &replace, 1));
	print("status %d\n", replace.status);
	reset(0);
	reset(77);
	SHOW(CALL2(memory_op, XENMEM_get_sharing_freed_pages, 0));
	SHOW(CALL2(memory_op, XENMEM_get_sharing_shared_pages, 0));
	struct xen_memory_reservation claim = { .nr_extents = 1, .domid = DOMID_SELF };
	SHOW(CALL2(memory_op, XENMEM_claim_pages, &claim));
	SHOW_BAD(CALL2(memory_op, XENMEM_claim_pages, BAD));
	claim.domid = 1;
	SHOW(CALL2(memory_op, XENMEM_claim_pages, &claim));
	claim.domid = 0;
	SHOW(CALL2(memory_op, XENMEM_claim_pages, &claim));
	claim.domid = 77;
	SHOW(CALL2(memory_op, XENMEM_claim_pages, &claim));
	claim.domid = 1;
	claim.extent_order = 1;
	SHOW(CALL2(memory_op, XENMEM_claim_pages, &claim));
	claim.extent_order = 0;
	claim.mem_flags = 1;
	SHOW(CALL2(memory_op, XENMEM_claim_pages, &claim));
	/* But XENOPROF_init and XENOPROF_get_buffer, which are for machines with counters. */
	for (int op = -1; op < 20; op++)
		if (op != 0 && op != 14)
			print("xenoprof_op %d: %ld %ld\n", op, CALL2(xenoprof_op, op, 0), CALL2(xenoprof_op, op, page));
	struct xen_add_to_physmap_batch batch = { .domid = DOMID_SELF, .space = XENMAPSPACE_gmfn };
	SHOW(CALL2(memory_op, XENMEM_add_to_physmap_batch, &batch));
	batch.size = 1;
	SHOW(CALL2(memory_op, XENMEM_add_to_physmap_batch, &batch));
}

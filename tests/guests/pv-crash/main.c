/* Goes wrong in the way that its command line names, several calls deep. */
#include "pv.h"

static char page[4096] PAGE;

__attribute__((noinline)) void write_to(volatile uint32_t *where)
{
	*where = 0xdead;
	print("written\n");
}

__attribute__((noinline)) void go_wrong(char how)
{
	switch (how) {
	case 'n': /* nowhere */
		write_to((uint32_t *)0x40000000);
		break;
	case 'r': /* a page that may be read alone */
		map_page(page, (uint64_t)mfn_of(page) << 12 | 5);
		write_to((uint32_t *)page);
		break;
	case 's': { /* what the page was given back for is not there, though it was known as writable and never flushed */
		xen_pfn_t frame = mfn_of(page);
		struct xen_memory_reservation back = { .nr_extents = 1, .domid = DOMID_SELF };
		write_to((uint32_t *)page);
		CALL4(update_va_mapping, page, 0, 0, 0);
		set_xen_guest_handle(back.extent_start, &frame);
		print("given back: %ld\n", CALL2(memory_op, XENMEM_decrease_reservation, &back));
		write_to((uint32_t *)page);
		break;
	}
	case 'u': /* no instruction */
		__asm__ volatile("ud2");
		break;
	case 'p': /* the processor's own */
		__asm__ volatile("lgdt 0");
		break;
	case 'x': /* no code */
		((void (*)(void))0x40000000)();
		break;
	case 'j': /* Xen's */
		write_to((uint32_t *)HYPERVISOR_VIRT_START);
		break;
	}
}

void run(void)
{
	go_wrong(((const char *)start_info->cmd_line)[0]);
	print("nothing went wrong\n");
}

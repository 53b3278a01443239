/*
 * What a Mini-OS does all the time: upcalls, a heap that is copied when it is first written, threads. A number on the command
 * line says how many of each. Each must come once, and nothing else. `region` makes the critical region long, and counts how
 * often an upcall meets it.
 */
#include "mini.h"
#include "pv.h"

#define HEAP 64
#define POOL 16
extern char event_entry[], page_fault_entry[], failsafe[];
void switch_to(void **from, void *to);

vcpu_info_t *info;
volatile unsigned in_region, delay_left;
unsigned delay;
static volatile unsigned served, timers, strays, faults, bad_codes, bad_addresses;
volatile unsigned front_end_events;
static unsigned port, timer, front_end_port, other;
/* The heap's pages begin as one page of zeros that may only be read. */
static char heap[HEAP][4096] PAGE, zeros[4096] PAGE;
static char pool[POOL][4096] PAGE;
static unsigned next_page;
static char *volatile touching;
static unsigned expected, wrong;

void serve_events(void)
{
	info->evtchn_upcall_pending = 0;
	unsigned long words = __atomic_exchange_n(&info->evtchn_pending_sel, 0, __ATOMIC_SEQ_CST);
	/* A word without bits is none: an event that came behind the exchange has been served with those before it. */
	if (words == 0)
		strays++;
	if (words & 1) {
		unsigned long bits = shared->evtchn_pending[0] & ~shared->evtchn_mask[0];
		__atomic_fetch_and(&shared->evtchn_pending[0], ~bits, __ATOMIC_SEQ_CST);
		if (bits & 1ul << port)
			served++;
		if (bits & 1ul << timer)
			timers++;
		bits &= ~(1ul << port | 1ul << timer);
		if (front_end_port && bits & 1ul << front_end_port) {
			front_end_events++;
			bits &= ~(1ul << front_end_port);
		}
		if (bits)
			other++;
	}
}

void page_fault(unsigned long code)
{
	char *address = (char *)info->arch.cr2;
	faults++;
	/* A write to what is there: whatever ring Xen runs us in, a kernel's. */
	if (code != 3)
		bad_codes++;
	if (address < touching || address >= touching + 8192)
		bad_addresses++;
	char *page = (char *)((unsigned long)address & ~4095ul);
	char *fresh = pool[next_page++ % POOL];
	memset(fresh, 0, 64);
	map_page(page, (uint64_t)mfn_of(fresh) << 12 | 7);
}

static void protect(unsigned page)
{
	map_page(heap[page], (uint64_t)mfn_of(zeros) << 12 | 5);
}

static void send(void)
{
	struct evtchn_send a = { .port = port };
	CALL2(event_channel_op, EVTCHNOP_send, &a);
	expected++;
}

/* One page by a store, two by a string instruction that begins in one and ends in the next. */
static void touch(unsigned round)
{
	unsigned page = round % (HEAP - 2);
	touching = heap[page];
	volatile unsigned *word = (unsigned *)(heap[page] + round % 1000 * 4);
	wrong += *word != 0;
	*word = round;
	wrong += *word != round;
	protect(page);
	if (round % 4 == 0) {
		char *at = heap[page + 1] - 32;
		size_t length = 64;
		__asm__ volatile("rep stosb" : "+D"(at), "+c"(length) : "a"(round) : "memory");
		wrong += (heap[page][4095] & 0xff) != (round & 0xff) || (heap[page + 1][31] & 0xff) != (round & 0xff);
		protect(page);
		protect(page + 1);
	}
}

#define STACK 16384
static void *main_stack, *thread_stack, *front_end_stack;
static char stacks[2][STACK] __attribute__((aligned(16)));
static unsigned thread_rounds;
static volatile int is_front_end_done = 1;

static void *new_thread(char *stack, void (*begin)(void))
{
	void **top = (void **)(stack + STACK - 64);
	*--top = 0;
	*--top = begin;
	return top - (sizeof(long) == 8 ? 6 : 4);
}

static void thread(void)
{
	for (;;) {
		thread_rounds++;
		send();
		switch_to(&thread_stack, main_stack);
	}
}

void give_way(void)
{
	switch_to(&front_end_stack, main_stack);
}

static void front_end_thread(void)
{
	front_end.run();
	is_front_end_done = 1;
	for (;;)
		give_way();
}

/* Before events are let through: the handshake waits by yields. */
static void begin_front_end(void)
{
	if (!&front_end)
		return;
	front_end_port = front_end.connect();
	is_front_end_done = front_end_port == 0;
	front_end_stack = new_thread(stacks[1], front_end_thread);
}

static unsigned rounds(void)
{
	unsigned number = 0;
	for (const char *c = (const char *)start_info->cmd_line; *c; c++)
		if (*c >= '0' && *c <= '9')
			number = number * 10 + *c - '0';
	return number ? number : 1000;
}

/* A word is part of the command line. */
static int is_told(const char *word)
{
	unsigned length = 0;
	while (word[length])
		length++;
	for (const char *c = (const char *)start_info->cmd_line; *c; c++)
		if (memcmp(c, word, length) == 0)
			return 1;
	return 0;
}

static unsigned bind(unsigned virq)
{
	struct evtchn_bind_virq a = { .virq = virq };
	CALL2(event_channel_op, EVTCHNOP_bind_virq, &a);
	return a.port;
}

void run(void)
{
	struct evtchn_bind_ipi ipi = { .vcpu = 0 };
	struct trap_info traps[2] = { { .vector = 14, .cs = FLAT_KERNEL_CS, .address = (unsigned long)page_fault_entry } };
	unsigned count = rounds();
	int is_region_long = is_told("region");
	delay = is_region_long ? 30000 : 0;
	info = &shared->vcpu_info[0];
	/* Those of the console and the store are not ours. */
	shared->evtchn_mask[0] = 6;
	CALL2(event_channel_op, EVTCHNOP_bind_ipi, &ipi);
	port = ipi.port;
	timer = bind(VIRQ_TIMER);
	SHOW(CALL1(set_trap_table, traps));
#ifdef __x86_64__
	CALL3(set_callbacks, event_entry, failsafe, 0);
#else
	CALL4(set_callbacks, FLAT_KERNEL_CS, event_entry, FLAT_KERNEL_CS, failsafe);
#endif
	for (unsigned page = 0; page < HEAP; page++)
		protect(page);
	thread_stack = new_thread(stacks[0], thread);
	begin_front_end();
	info->evtchn_pending_sel = 0;
	info->evtchn_upcall_pending = 0;
	shared->evtchn_pending[0] = 0;
	/* A tick each millisecond, wherever the guest then is. */
	struct vcpu_set_periodic_timer period = { .period_ns = 1000000 };
	SHOW(CALL3(vcpu_op, VCPUOP_set_periodic_timer, 0, &period));
	info->evtchn_upcall_mask = 0;
	for (unsigned round = 1; round <= count; round++) {
		touch(round);
		send();
		switch_to(&main_stack, thread_stack);
		if (!is_front_end_done)
			switch_to(&main_stack, front_end_stack);
	}
	while (!is_front_end_done) {
		/* The next tick ends it at the latest. */
		CALL2(sched_op, SCHEDOP_block, 0);
		switch_to(&main_stack, front_end_stack);
	}
	info->evtchn_upcall_mask = 1;
	if (served != expected || faults != count + count / 4 * 2)
		print("served %u of %u, faults %u\n", served, expected, faults);
	print("rounds %u, threads %d\n", count, thread_rounds == count);
	print("upcalls for each event %d, ticks %d, strays %u, others %u\n", served == expected, timers > 0, strays,
	      other);
	print("faults %d, of another kind %u, elsewhere %u\n", faults == count + count / 4 * 2, bad_codes, bad_addresses);
	print("wrong %u\n", wrong);
	if (front_end_port)
		front_end.report();
	if (is_region_long)
		print("begun again %u\n", in_region);
}

/* vcpu_op, sched_op and set_timer_op: results, runstates, timers and their events, the copies of vcpu_info and times. */
#include "pv.h"

static char area[4096] PAGE;
static char moved[4096] PAGE;
static vcpu_info_t *info;

static long vcpu(int number, int id, void *argument)
{
	return CALL3(vcpu_op, number, id, argument);
}

static long sched(int number, const void *argument)
{
	return CALL2(sched_op, number, argument);
}

static long set_timer(int64_t at)
{
#ifdef __x86_64__
	return CALL1(set_timer_op, at);
#else
	return CALL2(set_timer_op, at, at >> 32);
#endif
}

static uint64_t rdtsc(void)
{
	uint32_t low, high;
	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

/* System time as a guest computes it. */
static uint64_t now(void)
{
	struct vcpu_time_info *time = &info->time;
	uint64_t delta, result;
	uint32_t version;
	do {
		version = time->version;
		__asm__ volatile("" ::: "memory");
		delta = rdtsc() - time->tsc_timestamp;
		if (time->tsc_shift >= 0)
			delta <<= time->tsc_shift;
		else
			delta >>= -time->tsc_shift;
		uint64_t low = (delta & 0xffffffff) * time->tsc_to_system_mul >> 32;
		result = time->system_time + low + (delta >> 32) * time->tsc_to_system_mul;
		__asm__ volatile("" ::: "memory");
	} while ((version & 1) || version != time->version);
	return result;
}

static unsigned bind(unsigned virq)
{
	struct evtchn_bind_virq a = { .virq = virq };
	CALL2(event_channel_op, EVTCHNOP_bind_virq, &a);
	return a.port;
}

static int pending(unsigned port)
{
	return shared->evtchn_pending[0] >> port & 1;
}

/* The console's ports stay pending and masked: their events would end waits early. */
static void clear(void)
{
	shared->evtchn_pending[0] = 7;
	info->evtchn_pending_sel = 0;
	info->evtchn_upcall_pending = 0;
}

#define MS 1000000ull

/* Whether a wait took as long as it should: never less, and not 100 times as long. */
static const char *took(uint64_t since, uint64_t least)
{
	uint64_t time = now() - since;
	return time + MS / 100 < least ? "too short" : time > 100 * least + 5000 * MS ? "too long" : "right";
}

static long poll(unsigned port, int count, uint64_t timeout)
{
	evtchn_port_t ports[200];
	for (unsigned i = 0; i < 200; i++)
		ports[i] = port;
	struct sched_poll a = { .nr_ports = count, .timeout = timeout };
	set_xen_guest_handle(a.ports, ports);
	return sched(SCHEDOP_poll, &a);
}

static void results(void)
{
	print("-- results\n");
	for (int number = 0; number < 16; number++)
		if (number != VCPUOP_down && number != VCPUOP_send_nmi)
			print("vcpu_op %d of vcpu 1: %ld, of vcpu -1: %ld\n", number, vcpu(number, 1, area),
			      vcpu(number, -1, area));
	SHOW_BAD(vcpu(VCPUOP_initialise, 0, BAD));
	SHOW(vcpu(VCPUOP_up, 0, 0));
	SHOW(vcpu(VCPUOP_is_up, 0, 0));
	SHOW(vcpu(VCPUOP_get_physid, 0, area));
	SHOW_BAD(vcpu(VCPUOP_get_physid, 0, BAD));
	SHOW(vcpu(VCPUOP_send_nmi, 0, area));
	SHOW(vcpu(14, 0, area));
	SHOW(vcpu(15, 0, area));
	SHOW(vcpu(99, 0, area));
	SHOW(vcpu(-1, 0, area));
	for (int number = 4; number < 14; number++)
		if (number != VCPUOP_stop_periodic_timer && number != VCPUOP_stop_singleshot_timer &&
		    number != VCPUOP_send_nmi)
			print("vcpu_op %d with a bad pointer: %ld\n", number,
			      vcpu(number, 0, BAD));
	SHOW(sched(8, 0));
	SHOW(sched(99, 0));
	SHOW(sched(-1, 0));
	SHOW(sched(SCHEDOP_yield, 0));
	SHOW_BAD(sched(SCHEDOP_shutdown, BAD));
	SHOW_BAD(sched(SCHEDOP_shutdown_code, BAD));
	SHOW_BAD(sched(SCHEDOP_poll, BAD));
	SHOW_BAD(sched(SCHEDOP_watchdog, BAD));
	SHOW_BAD(sched(SCHEDOP_remote_shutdown, BAD));
	SHOW_BAD(sched(SCHEDOP_pin_override, BAD));
	struct sched_pin_override pin = { .pcpu = 0 };
	SHOW(sched(SCHEDOP_pin_override, &pin));
	struct sched_remote_shutdown remote = { .domain_id = 0 };
	SHOW(sched(SCHEDOP_remote_shutdown, &remote));
	remote.domain_id = DOMID_SELF;
	SHOW(sched(SCHEDOP_remote_shutdown, &remote));
	remote.domain_id = 77;
	SHOW(sched(SCHEDOP_remote_shutdown, &remote));
	SHOW(CALL2(sched_op_compat, SCHEDOP_yield, 0));
	SHOW(CALL2(sched_op_compat, SCHEDOP_poll, area));
	SHOW(CALL2(sched_op_compat, 99, 0));
}

static void watchdogs(void)
{
	print("-- watchdogs\n");
	struct sched_watchdog dog = { .id = 3, .timeout = 100 };
	SHOW(sched(SCHEDOP_watchdog, &dog));
	dog.id = 2;
	SHOW(sched(SCHEDOP_watchdog, &dog));
	dog.id = 0;
	SHOW(sched(SCHEDOP_watchdog, &dog));
	SHOW(sched(SCHEDOP_watchdog, &dog));
	SHOW(sched(SCHEDOP_watchdog, &dog));
	dog.id = 1;
	SHOW(sched(SCHEDOP_watchdog, &dog));
	dog.timeout = 0;
	SHOW(sched(SCHEDOP_watchdog, &dog));
	SHOW(sched(SCHEDOP_watchdog, &dog));
	dog.id = 2;
	SHOW(sched(SCHEDOP_watchdog, &dog));
	dog.id = 3;
	SHOW(sched(SCHEDOP_watchdog, &dog));
	dog.id = 4;
	SHOW(sched(SCHEDOP_watchdog, &dog));
}

static void timers(void)
{
	unsigned port = bind(VIRQ_TIMER);
	print("-- timers\n");
	clear();
	uint64_t start = now();
	while (!pending(port) && now() < start + 2000 * MS)
		;
	print("a tick by itself: %d\n", pending(port));
	SHOW(vcpu(VCPUOP_stop_periodic_timer, 0, 0));
	clear();
	start = now();
	while (!pending(port) && now() < start + 100 * MS)
		;
	print("a tick when stopped: %d\n", pending(port));

	struct vcpu_set_periodic_timer period = { .period_ns = MS - 1 };
	SHOW(vcpu(VCPUOP_set_periodic_timer, 0, &period));
	period.period_ns = 0;
	SHOW(vcpu(VCPUOP_set_periodic_timer, 0, &period));
	period.period_ns = ~0ull;
	SHOW(vcpu(VCPUOP_set_periodic_timer, 0, &period));
	period.period_ns = 1ull << 62;
	SHOW(vcpu(VCPUOP_set_periodic_timer, 0, &period));
	period.period_ns = 1ull << 56;
	SHOW(vcpu(VCPUOP_set_periodic_timer, 0, &period));
	period.period_ns = MS;
	SHOW(vcpu(VCPUOP_set_periodic_timer, 0, &period));
	start = now();
	clear();
	while (!pending(port) && now() < start + 1000 * MS)
		;
	print("a tick of 1 ms: %d %s\n", pending(port), took(start, 0));
	SHOW(vcpu(VCPUOP_stop_periodic_timer, 0, 0));

	clear();
	start = now();
	struct vcpu_set_singleshot_timer shot = { .timeout_abs_ns = start + 20 * MS };
	SHOW(vcpu(VCPUOP_set_singleshot_timer, 0, &shot));
	info->evtchn_upcall_mask = 1;
	SHOW(sched(SCHEDOP_block, 0));
	print("blocked until %d %s masked %u\n", pending(port), took(start, 20 * MS),
	      info->evtchn_upcall_mask);
	info->evtchn_upcall_mask = 1;
	clear();
	shot.timeout_abs_ns = start;
	shot.flags = VCPU_SSHOTTMR_future;
	SHOW(vcpu(VCPUOP_set_singleshot_timer, 0, &shot));
	shot.flags = 0;
	SHOW(vcpu(VCPUOP_set_singleshot_timer, 0, &shot));
	start = now();
	while (!pending(port) && now() < start + 1000 * MS)
		;
	print("a timer in the past: %d\n", pending(port));
	clear();
	shot.timeout_abs_ns = now() + 2000 * MS;
	SHOW(vcpu(VCPUOP_set_singleshot_timer, 0, &shot));
	SHOW(vcpu(VCPUOP_stop_singleshot_timer, 0, 0));
	start = now();
	while (!pending(port) && now() < start + 2100 * MS)
		;
	print("a timer that was stopped: %d\n", pending(port));

	clear();
	start = now();
	SHOW(set_timer(start + 20 * MS));
	SHOW(sched(SCHEDOP_block, 0));
	print("blocked until %d %s\n", pending(port), took(start, 20 * MS));
	info->evtchn_upcall_mask = 1;
	SHOW(set_timer(0));
	clear();
	start = now();
	SHOW(set_timer(-1));
	SHOW(sched(SCHEDOP_block, 0));
	info->evtchn_upcall_mask = 1;
	print("a negative timer: %d %s\n", pending(port), took(start, 100 * MS));
	clear();
	start = now();
	SHOW(set_timer(start + (1ull << 51)));
	SHOW(sched(SCHEDOP_block, 0));
	info->evtchn_upcall_mask = 1;
	print("a timer far away: %d %s\n", pending(port), took(start, 100 * MS));
	clear();
	SHOW(set_timer(1));
	SHOW(sched(SCHEDOP_block, 0));
	info->evtchn_upcall_mask = 1;
	print("a timer long ago: %d\n", pending(port));
}

static void polls(void)
{
	print("-- polls\n");
	struct evtchn_bind_ipi ipi = { .vcpu = 0 };
	CALL2(event_channel_op, EVTCHNOP_bind_ipi, &ipi);
	struct evtchn_send send = { .port = ipi.port };
	clear();
	uint64_t start = now();
	SHOW(poll(ipi.port, 1, start + 20 * MS));
	print("alone: %s\n", took(start, 20 * MS));
	shared->evtchn_mask[0] |= 1ul << ipi.port;
	CALL2(event_channel_op, EVTCHNOP_send, &send);
	SHOW(poll(ipi.port, 1, 0));
	SHOW(poll(ipi.port, 128, 0));
	SHOW(poll(ipi.port, 129, 0));
	SHOW(poll(0, 129, 0));
	SHOW(poll(100000, 1, 0));
	SHOW(poll(4096, 1, 0));
	start = now();
	SHOW(poll(1000, 1, start + MS));
	SHOW(poll(0, 1, start + MS));
	SHOW(poll(50, 1, start + MS));
	SHOW(poll(1, 1, start + MS));
	clear();
	struct sched_poll a = { .nr_ports = 1 };
	*(void **)&a.ports = BAD;
	SHOW_BAD(sched(SCHEDOP_poll, &a));
	a.nr_ports = 0;
	a.timeout = now() + 5 * MS;
	start = now();
	SHOW(sched(SCHEDOP_poll, &a));
	print("for nothing: %s\n", took(start, 5 * MS));
	a.timeout = 1;
	SHOW(sched(SCHEDOP_poll, &a));
	shared->evtchn_mask[0] = 7;
	info->evtchn_upcall_pending = 1;
	info->evtchn_upcall_mask = 1;
	start = now();
	SHOW(poll(ipi.port, 1, start + 5 * MS));
	print("with a masked upcall: %s\n", took(start, 5 * MS));
	clear();
}

static void runstates(void)
{
	print("-- runstates\n");
	vcpu_runstate_info_t state, later;
	memset(&state, 0x55, sizeof state);
	SHOW(vcpu(VCPUOP_get_runstate_info, 0, &state));
	print("state %d\n", state.state);
	struct sched_poll a = { .nr_ports = 0, .timeout = now() + 200 * MS };
	sched(SCHEDOP_poll, &a);
	SHOW(vcpu(VCPUOP_get_runstate_info, 0, &later));
	print("state %d, blocked: %d, offline longer: %d, entered later: %d\n", later.state,
	      later.time[RUNSTATE_blocked] - state.time[RUNSTATE_blocked] > MS,
	      later.time[RUNSTATE_offline] > state.time[RUNSTATE_offline],
	      later.state_entry_time > state.state_entry_time);
	uint64_t sum = 0, before = 0;
	for (int i = 0; i < 4; i++) {
		sum += later.time[i];
		before += state.time[i];
	}
	print("all of the time: %d\n", sum - before > 150 * MS);
	struct vcpu_register_runstate_memory_area where = { 0 };
	where.addr.v = (void *)area;
	memset(area, 0, sizeof area);
	SHOW(vcpu(VCPUOP_register_runstate_memory_area, 0, &where));
	vcpu_runstate_info_t *seen = (void *)area;
	print("state %d, time running: %d\n", seen->state, seen->time[0] > 0);
	uint64_t entry = seen->state_entry_time;
	a.timeout = now() + 200 * MS;
	sched(SCHEDOP_poll, &a);
	print("state %d, entered later: %d\n", seen->state, seen->state_entry_time > entry);
	where.addr.v = BAD;
	SHOW_BAD(vcpu(VCPUOP_register_runstate_memory_area, 0, &where));
	where.addr.v = (void *)-64;
	SHOW_BAD(vcpu(VCPUOP_register_runstate_memory_area, 0, &where));
	where.addr.v = (void *)HYPERVISOR_VIRT_START;
	SHOW_BAD(vcpu(VCPUOP_register_runstate_memory_area, 0, &where));
	where.addr.v = (void *)area;
	SHOW(vcpu(VCPUOP_register_runstate_memory_area, 0, &where));
}

static void times(void)
{
	print("-- times\n");
	struct vcpu_register_time_memory_area where = { 0 };
	struct vcpu_time_info *copy = (void *)(area + 2048);
	where.addr.v = copy;
	SHOW(vcpu(VCPUOP_register_vcpu_time_memory_area, 0, &where));
	print("version even: %d, scale as in vcpu_info: %d\n", !(copy->version & 1),
	      copy->tsc_to_system_mul == info->time.tsc_to_system_mul);
	where.addr.v = (void *)-64;
	SHOW_BAD(vcpu(VCPUOP_register_vcpu_time_memory_area, 0, &where));
	where.addr.v = (void *)HYPERVISOR_VIRT_START;
	SHOW_BAD(vcpu(VCPUOP_register_vcpu_time_memory_area, 0, &where));
	uint64_t first = now(), last = first;
	int backwards = 0;
	for (int i = 0; i < 1000; i++) {
		uint64_t time = now();
		backwards += time < last;
		last = time;
	}
	print("backwards: %d, on: %d\n", backwards, last > first);
	print("wall clock even: %d, of this century: %d, nanoseconds: %d\n", !(shared->wc_version & 1),
	      shared->wc_sec > 946684800, shared->wc_nsec < 1000000000);
}

static void infos(void)
{
	print("-- vcpu_info\n");
	struct vcpu_register_vcpu_info where = { .mfn = 1, .offset = 0 };
	SHOW(vcpu(VCPUOP_register_vcpu_info, 0, &where));
	where.mfn = ~0ull;
	SHOW(vcpu(VCPUOP_register_vcpu_info, 0, &where));
	where.mfn = mfn_of(moved);
	where.offset = 4096 - 63;
	SHOW(vcpu(VCPUOP_register_vcpu_info, 0, &where));
	where.offset = 4096;
	SHOW(vcpu(VCPUOP_register_vcpu_info, 0, &where));
	where.offset = 130;
	SHOW(vcpu(VCPUOP_register_vcpu_info, 0, &where));
	where.offset = 2;
	SHOW(vcpu(VCPUOP_register_vcpu_info, 0, &where));
	where.mfn = mfn_of((void *)start_info->pt_base);
	where.offset = 0;
	SHOW(vcpu(VCPUOP_register_vcpu_info, 0, &where));
	where.mfn = mfn_of(moved);
	clear();
	where.offset = 256;
	SHOW(vcpu(VCPUOP_register_vcpu_info, 0, &where));
	info = (vcpu_info_t *)(moved + 256);
	print("selector %lx upcall %u masked %u\n", info->evtchn_pending_sel, info->evtchn_upcall_pending,
	      info->evtchn_upcall_mask);
	SHOW(vcpu(VCPUOP_register_vcpu_info, 0, &where));
	struct evtchn_bind_ipi ipi = { .vcpu = 0 };
	CALL2(event_channel_op, EVTCHNOP_bind_ipi, &ipi);
	struct evtchn_send send = { .port = ipi.port };
	clear();
	CALL2(event_channel_op, EVTCHNOP_send, &send);
	print("selector %lx upcall %u\n", info->evtchn_pending_sel, info->evtchn_upcall_pending);
	uint64_t first = now();
	print("time goes on: %d\n", now() > first);
}

void run(void)
{
	info = &shared->vcpu_info[0];
	info->evtchn_upcall_mask = 1;
	shared->evtchn_mask[0] = 7;
	clear();
	results();
	watchdogs();
	timers();
	polls();
	runstates();
	times();
	infos();
	struct sched_shutdown code = { .reason = SHUTDOWN_reboot };
	SHOW(sched(SCHEDOP_shutdown_code, &code));
	code.reason = SHUTDOWN_crash;
	SHOW(sched(SCHEDOP_shutdown_code, &code));
	finish(SHUTDOWN_poweroff);
}

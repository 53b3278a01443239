/* What asking Xen costs: `calls COUNT` asks for its version, `events COUNT` sends itself events, each of which it takes as an upcall. */
#include "pv.h"

extern volatile unsigned upcalls;

static unsigned count_of(const char *text)
{
	unsigned number = 0;
	for (; *text; text++)
		if (*text >= '0' && *text <= '9')
			number = number * 10 + *text - '0';
	return number;
}

static void events(unsigned count)
{
	vcpu_info_t *info = &shared->vcpu_info[0];
	struct evtchn_bind_ipi ipi = { .vcpu = 0 };
	CALL2(event_channel_op, EVTCHNOP_bind_ipi, &ipi);
	struct evtchn_send send = { .port = ipi.port };
	unsigned before = upcalls;
	for (unsigned i = 0; i < count; i++) {
		info->evtchn_upcall_pending = 0;
		info->evtchn_pending_sel = 0;
		shared->evtchn_pending[0] = 0;
		info->evtchn_upcall_mask = 0;
		CALL2(event_channel_op, EVTCHNOP_send, &send);
	}
	info->evtchn_upcall_mask = 1;
	print("%u events, %u upcalls\n", count, upcalls - before);
}

void run(void)
{
	const char *line = (const char *)start_info->cmd_line;
	unsigned count = count_of(line);
	if (line[0] == 'e') {
		events(count);
		return;
	}
	unsigned answered = 0;
	for (unsigned i = 0; i < count; i++)
		answered += CALL2(xen_version, 0, 0) > 0;
	print("%u calls, %u answered\n", count, answered);
}

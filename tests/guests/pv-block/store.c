/* Requests to xenstore on its ring, one at a time, waiting by yields. */
#include "pv.h"
#include "store.h"
#include <xen/io/xs_wire.h>

static volatile struct xenstore_domain_interface *ring(void)
{
	return (void *)((char *)start_info + 4096);
}

static void wait_for_store(void)
{
	struct evtchn_send send = { .port = start_info->store_evtchn };
	CALL2(event_channel_op, EVTCHNOP_send, &send);
	CALL2(sched_op, SCHEDOP_yield, 0);
	__asm__ volatile("" ::: "memory");
}

static void put_bytes(const void *bytes, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		while (ring()->req_prod - ring()->req_cons == XENSTORE_RING_SIZE)
			wait_for_store();
		ring()->req[MASK_XENSTORE_IDX(ring()->req_prod)] = ((const char *)bytes)[i];
		__asm__ volatile("" ::: "memory");
		ring()->req_prod++;
	}
}

static void get_bytes(void *bytes, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		while (ring()->rsp_prod == ring()->rsp_cons)
			wait_for_store();
		((char *)bytes)[i] = ring()->rsp[MASK_XENSTORE_IDX(ring()->rsp_cons)];
		__asm__ volatile("" ::: "memory");
		ring()->rsp_cons++;
	}
}

/* The answer's length; it is an answer to this, since nothing is watched. */
static int ask(unsigned type, const char *path, const char *value, char *answer, unsigned size)
{
	struct xsd_sockmsg header = { type, 1, 0, text_length(path) + 1 + text_length(value) };
	put_bytes(&header, sizeof header);
	put_bytes(path, text_length(path) + 1);
	put_bytes(value, text_length(value));
	get_bytes(&header, sizeof header);
	for (unsigned i = 0; i < header.len; i++) {
		char byte;
		get_bytes(&byte, 1);
		if (i + 1 < size)
			answer[i] = byte;
	}
	answer[header.len + 1 < size ? header.len : size - 1] = 0;
	return header.type == type;
}

int store_read(const char *path, char *value, unsigned size)
{
	return ask(XS_READ, path, "", value, size);
}

int store_write(const char *path, const char *value)
{
	char answer[32];
	return ask(XS_WRITE, path, value, answer, sizeof answer);
}

unsigned text_length(const char *text)
{
	unsigned count = 0;
	while (text[count])
		count++;
	return count;
}

char *append(char *to, const char *more)
{
	memcpy(to + text_length(to), more, text_length(more) + 1);
	return to;
}

char *append_number(char *to, unsigned number)
{
	char digits[12];
	int at = sizeof digits - 1;
	digits[at] = 0;
	do
		digits[--at] = '0' + number % 10;
	while (number /= 10);
	return append(to, digits + at);
}

unsigned number_of(const char *text)
{
	unsigned number = 0;
	for (; *text >= '0' && *text <= '9'; text++)
		number = number * 10 + *text - '0';
	return number;
}

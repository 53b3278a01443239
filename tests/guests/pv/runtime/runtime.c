/* Start, console ring, printing. */
#include <stdarg.h>
#include "pv.h"

start_info_t *start_info;
static char shared_page[4096] PAGE;
shared_info_t *shared = (shared_info_t *)shared_page;
static struct xencons_interface *console;
extern char hypercall_page[], upcall[], failsafe[];
volatile unsigned upcalls;

#ifdef __x86_64__
long hypercall(unsigned number, unsigned long a, unsigned long b, unsigned long c, unsigned long d,
	       unsigned long e)
{
	register unsigned long r10 __asm__("r10") = d;
	register unsigned long r8 __asm__("r8") = e;
	long result;
	__asm__ volatile("call *%[stub]"
			 : "=a"(result), "+D"(a), "+S"(b), "+d"(c), "+r"(r10), "+r"(r8)
			 : [stub] "0"(hypercall_page + number * 32)
			 : "rcx", "r11", "r9", "memory");
	return result;
}
#else
long hypercall(unsigned number, unsigned long a, unsigned long b, unsigned long c, unsigned long d,
	       unsigned long e)
{
	long result;
	__asm__ volatile("call *%%eax"
			 : "=a"(result), "+b"(a), "+c"(b), "+d"(c), "+S"(d), "+D"(e)
			 : "0"(hypercall_page + number * 32)
			 : "memory");
	return result;
}
#endif

unsigned long mfn_of(const void *page)
{
	return ((unsigned long *)start_info->mfn_list)[(unsigned long)page >> 12];
}

long map_page(void *page, uint64_t entry)
{
#ifdef __x86_64__
	return CALL3(update_va_mapping, page, entry, UVMF_INVLPG);
#else
	return hypercall(__HYPERVISOR_update_va_mapping, (unsigned long)page, (uint32_t)entry,
			 entry >> 32, UVMF_INVLPG, 0);
#endif
}

static void notify(void)
{
	struct evtchn_send send = { .port = start_info->console.domU.evtchn };
	CALL2(event_channel_op, EVTCHNOP_send, &send);
}

static void put(char c)
{
	while (console->out_prod - console->out_cons == sizeof console->out) {
		notify();
		CALL2(sched_op, SCHEDOP_yield, 0);
		__asm__ volatile("" ::: "memory");
	}
	console->out[console->out_prod & (sizeof console->out - 1)] = c;
	__asm__ volatile("" ::: "memory");
	console->out_prod++;
}

static void put_text(const char *text)
{
	for (; *text; text++) {
		if (*text == '\n')
			put('\r');
		put(*text);
	}
}

static void put_number(uint64_t value, unsigned base)
{
	char digits[24];
	int at = sizeof digits - 1;
	digits[at] = 0;
	do {
		uint64_t rest = 0;
		/* Without libgcc's division of 64-bit numbers. */
		uint64_t quotient = 0;
		for (int bit = 63; bit >= 0; bit--) {
			rest = rest << 1 | ((value >> bit) & 1);
			if (rest >= base) {
				rest -= base;
				quotient |= 1ull << bit;
			}
		}
		digits[--at] = "0123456789abcdef"[rest];
		value = quotient;
	} while (value);
	put_text(digits + at);
}

void print(const char *format, ...)
{
	va_list list;
	va_start(list, format);
	for (; *format; format++) {
		if (*format != '%') {
			put_text((char[]){ *format, 0 });
			continue;
		}
		int size = 0;
		while (*++format == 'l')
			size++;
		int64_t value = 0;
		switch (*format) {
		case 's':
			put_text(va_arg(list, const char *));
			continue;
		case 'c':
			put(va_arg(list, int));
			continue;
		case 'd':
			value = size == 2 ? va_arg(list, long long)
			      : size == 1 ? va_arg(list, long)
					  : va_arg(list, int);
			if (value < 0) {
				put('-');
				value = -value;
			}
			put_number(value, 10);
			continue;
		case 'u':
		case 'x':
			value = size == 2 ? va_arg(list, unsigned long long)
			      : size == 1 ? va_arg(list, unsigned long)
					  : va_arg(list, unsigned);
			put_number(value, *format == 'x' ? 16 : 10);
			continue;
		default:
			put(*format);
		}
	}
	va_end(list);
	notify();
}

void drain(void)
{
	while (console->out_cons != console->out_prod) {
		notify();
		CALL2(sched_op, SCHEDOP_yield, 0);
		__asm__ volatile("" ::: "memory");
	}
}

void finish(unsigned reason)
{
	struct sched_shutdown shutdown = { .reason = reason };
	drain();
	for (;;)
		CALL2(sched_op, SCHEDOP_shutdown, &shutdown);
}

void *memset(void *to, int value, size_t length)
{
	for (size_t i = 0; i < length; i++)
		((volatile char *)to)[i] = value;
	return to;
}

void *memcpy(void *to, const void *from, size_t length)
{
	for (size_t i = 0; i < length; i++)
		((volatile char *)to)[i] = ((const char *)from)[i];
	return to;
}

int memcmp(const void *one, const void *other, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (((const unsigned char *)one)[i] != ((const unsigned char *)other)[i])
			return ((const unsigned char *)one)[i] - ((const unsigned char *)other)[i];
	return 0;
}

/* Xen's builder puts the xenstore page behind start_info and the console's behind that. */
void pv_start(start_info_t *info)
{
	start_info = info;
	console = (struct xencons_interface *)((char *)info + 2 * 4096);
	map_page(shared_page, info->shared_info | 7);
#ifdef __x86_64__
	CALL3(set_callbacks, upcall, failsafe, 0);
#else
	CALL4(set_callbacks, FLAT_KERNEL_CS, upcall, FLAT_KERNEL_CS, failsafe);
#endif
	shared->vcpu_info[0].evtchn_upcall_mask = 1;
	run();
	finish(SHUTDOWN_poweroff);
}

/*
 * The failsafe callback: where a segment register cannot be loaded when the vCPU goes on after others have run. Descriptors are
 * taken away under loaded selectors, and the console is waited for.
 */
#include "traps.h"
#include <xen/callback.h>

extern char failsafe_entry[];
WORD data_inside, extra_inside;
static unsigned seen, inside_mask;
static WORD frame[11], frame_end, inside_code, inside_stack, inside_flags, inside[4];

static void selectors(WORD *to)
{
	unsigned short ds, es, fs, gs;
	asm volatile("mov %%ds, %0\n mov %%es, %1\n mov %%fs, %2\n mov %%gs, %3" : "=r"(ds), "=r"(es), "=r"(fs), "=r"(gs));
	to[0] = ds;
	to[1] = es;
	to[2] = fs;
	to[3] = gs;
}

void show_frame(WORD *words);
void show_frame(WORD *words)
{
	seen++;
	for (unsigned i = 0; i < sizeof frame / sizeof *frame; i++)
		frame[i] = words[i];
	frame_end = (WORD)(words + 11);
	inside_mask = shared->vcpu_info[0].evtchn_upcall_mask;
	unsigned short code, stack;
	asm volatile("mov %%cs, %0\n mov %%ss, %1" : "=r"(code), "=r"(stack));
	inside_code = code;
	inside_stack = stack;
#ifdef __x86_64__
	asm volatile("pushfq\n pop %0" : "=r"(inside_flags));
#else
	asm volatile("pushfl\n pop %0" : "=r"(inside_flags));
#endif
	selectors(inside);
#ifndef __x86_64__
	inside[0] = data_inside;
	inside[1] = extra_inside;
#endif
}

static uint64_t descriptors[512] PAGE;
static unsigned long gdt_frame;
#define DATA 0x00cff2000000ffff
#ifdef __x86_64__
#define GOOD 0x0b
#else
#define GOOD 0x09
#endif

static long describe(uint64_t value)
{
	uint64_t place = (uint64_t)gdt_frame << 12 | 8;
#ifdef __x86_64__
	return CALL2(update_descriptor, place, value);
#else
	return CALL4(update_descriptor, place, place >> 32, value, value >> 32);
#endif
}

static void load(unsigned which, unsigned value)
{
	if (which & 1)
		asm volatile("mov %0, %%ds" ::"r"(value));
	if (which & 2)
		asm volatile("mov %0, %%es" ::"r"(value));
	if (which & 4)
		asm volatile("mov %0, %%fs" ::"r"(value));
	if (which & 8)
		asm volatile("mov %0, %%gs" ::"r"(value));
}

#ifdef __x86_64__
#define PLAIN 0xe02b
#define SEGMENTS (frame + 2)
#define REST (frame + 6)
#else
#define PLAIN 0xe021
#define SEGMENTS frame
#define REST (frame + 4)
#endif

static void show(const char *what)
{
	WORD now[4];
	selectors(now);
	print("%s: seen %u", what, seen);
	if (seen) {
		print(", ds %lx es %lx fs %lx gs %lx", SEGMENTS[0] & 0xffff, SEGMENTS[1] & 0xffff, SEGMENTS[2] & 0xffff,
		      SEGMENTS[3] & 0xffff);
		print(", cs %lx flags %lx", REST[1], REST[2] & ~0x8d5ul);
#ifdef __x86_64__
		print(" ss %lx, behind syscall %d, gap %ld", REST[4], ((unsigned char *)REST[0])[-2] == 0x0f,
		      (long)(REST[3] - frame_end));
		print(", r11 %lx, rcx is rip %d", frame[1] & ~0x8d5ul, frame[0] == REST[0]);
#else
		print(", behind int %d", ((unsigned char *)REST[0])[-2] == 0xcd);
#endif
		print("; inside cs %lx ss %lx flags %lx, masked %u, ds %lx es %lx fs %lx gs %lx", inside_code, inside_stack,
		      inside_flags & ~0x8d5ul, inside_mask, inside[0], inside[1], inside[2], inside[3]);
	}
	print("; then ds %lx es %lx fs %lx gs %lx, mask %u\n", now[0], now[1], now[2], now[3],
	      shared->vcpu_info[0].evtchn_upcall_mask);
	seen = 0;
}

static void lose(const char *what, unsigned which, uint64_t left)
{
	describe(DATA);
	load(which, GOOD);
	print("%s: %ld\n", what, describe(left));
	drain();
	unsigned times = seen;
	load(which & 1, PLAIN);
	load(which & 2, PLAIN);
	load(which & 12, 0);
	print("times %u\n", times);
	show(what);
}

static long register_failsafe(unsigned flags)
{
	struct callback_register c = { .type = CALLBACKTYPE_failsafe, .flags = flags };
#ifdef __x86_64__
	c.address = (WORD)failsafe_entry;
#else
	c.address.cs = KERNEL_CS;
	c.address.eip = (WORD)failsafe_entry;
#endif
	return CALL2(callback_op, CALLBACKOP_register, &c);
}

void run(void)
{
	/* No upcall is to mask events. */
	memset(shared->evtchn_mask, 0xff, sizeof shared->evtchn_mask);
	shared->vcpu_info[0].evtchn_upcall_pending = 0;
	WORD list[1] = { gdt_frame = mfn_of(descriptors) };
	descriptors[1] = DATA;
	map_page(descriptors, (uint64_t)gdt_frame << 12 | 5);
	SHOW(CALL2(set_gdt, list, 512));
	SHOW(register_failsafe(0));
	lose("nothing is lost", 15, DATA);
	lose("fs, not present", 4, 0x00cf72000000ffff);
	lose("gs, not present", 8, 0x00cf72000000ffff);
	lose("es, nothing there", 2, 0);
	lose("ds, nothing there", 1, 0);
	lose("all, a gate", 15, 0);
	lose("fs, of level 0", 4, 0x00cf92000000ffff);
	lose("fs, code", 4, 0x00affa000000ffff);
	lose("fs, code that is not readable", 4, 0x00aff8000000ffff);
	lose("gs, code of compatibility mode", 8, 0x00cffa000000ffff);
	lose("gs, of type 0", 8, 0x0000e00000000000);
	/* A limit that reaches Xen is one that reaches to the end. */
	describe(0x00cff2000000fff0);
	print("without a base: %llx\n", (unsigned long long)descriptors[1]);
	describe(0x00c5f2000000ffff);
	print("less: %llx\n", (unsigned long long)descriptors[1]);
	describe(0x00cff2010000fff0);
	print("with a base: %llx\n", (unsigned long long)descriptors[1]);
	shared->vcpu_info[0].evtchn_upcall_mask = 0;
	lose("with events", 4, 0);
	SHOW(register_failsafe(CALLBACKF_mask_events));
	shared->vcpu_info[0].evtchn_upcall_mask = 0;
	lose("masks events", 4, 0);
	shared->vcpu_info[0].evtchn_upcall_mask = 0;
	SHOW(register_failsafe(0));
	shared->vcpu_info[0].evtchn_upcall_mask = 0;
	lose("masks none again", 4, 0);
#ifdef __x86_64__
	CALL2(set_segment_base, SEGBASE_FS, 0x12340000);
	lose("fs with a base", 4, 0);
#endif
	describe(DATA);
	load(4, GOOD);
	SHOW(CALL2(set_gdt, list, 0));
	drain();
	load(4, 0);
	show("without a GDT");
	SHOW(map_page(descriptors, (uint64_t)gdt_frame << 12 | 7));
}

/*
 * INT n for every n, by a kernel and by its programs, with rows of every privilege: which handler runs, and what it finds; and what IRET
 * makes of NT. Exceptions themselves: #DE #BP #OF #BR #UD #NP #GP #PF #MF are in traps, #NM in task-switched, NMI in callbacks. No guest
 * raises #DF or #TS: in long mode there are no task gates and no nested tasks. #MC comes of Xen's own tools. #DB #SS #AC #XM, which
 * the recorded machine's processor, QEMU's, raises otherwise or not: pv-exceptions.
 */
#include "traps.h"

extern char numbers[], program_numbers[];
void enter(void *at, void *frame);
void leave(void) __attribute__((noreturn));

static char stack[4096] PAGE, kernel_stack[8192] PAGE;
static struct frame last;
static unsigned inside_mask;
static WORD resume;

#ifdef __x86_64__
#define USER_CS 0xe033
#define USER_SS 0xe02b
#else
#define USER_CS 0xe02b
#define USER_SS 0xe033
#endif

static struct {
	WORD below[16];
#ifdef __x86_64__
	WORD kind;
#endif
	WORD ip, cs, flags, sp, ss;
} way_in;

void handle(struct frame *frame)
{
	last = *frame;
	inside_mask = shared->vcpu_info[0].evtchn_upcall_mask;
	if (resume) {
		frame->ip = resume;
		return;
	}
	leave();
}

/* Handlers of exceptions that have an error code find none with INT n. */
static int has_error(int vector)
{
	return vector == 8 || (vector >= 10 && vector <= 14) || vector == 17;
}

static struct trap_info table[257];

/* #GP is what INT n ends in that nobody may use: it keeps its own handler. */
static void install(unsigned flags)
{
	for (int i = 0; i < 256; i++)
		table[i] = (struct trap_info){ .vector = i, .flags = flags, .cs = KERNEL_CS,
					       .address = entry(has_error(i) && i != 13 ? 0xe0 + i : i) };
	CALL1(set_trap_table, table);
}

struct outcome {
	unsigned own, error, flags, masked, inside, cs;
	long at;
};

static struct outcome try(int n, int by_program, unsigned masked)
{
	char *at = (by_program ? program_numbers : numbers) + 8 * n;
	shared->vcpu_info[0].evtchn_upcall_mask = masked;
	memset(&last, 0, sizeof last);
	last.vector = 0xfff;
	if (by_program) {
		memset(&way_in, 0, sizeof way_in);
		way_in.ip = (WORD)at;
		way_in.cs = USER_CS;
		way_in.flags = masked ? 2 : 0x202;
		way_in.sp = (WORD)(stack + sizeof stack);
		way_in.ss = USER_SS;
		enter(at, &way_in.ip
#ifdef __x86_64__
			  - 1
#endif
		);
	} else {
		enter(at, 0);
	}
	shared->vcpu_info[0].evtchn_upcall_mask = 1;
	unsigned expected = has_error(n) && n != 13 ? 0xe0 + n : n;
	return (struct outcome){ .own = last.vector == expected ? 1 : last.vector, .error = last.error ? last.error == 8 * n + 2 : 2,
				 .flags = last.flags & ~0x8d5ul, .masked = MASKED_OF(&last), .inside = inside_mask,
				 .cs = CS_OF(&last), .at = (long)(last.ip - (WORD)at) };
}

static void show(int first, int end, const struct outcome *o)
{
	static const char *errors[] = { "another", "its own", "none" };
	print("%x to %x: ", first, end - 1);
	if (o->own == 1)
		print("its handler");
	else
		print("#%s", o->own < 20 ? exception_names[o->own] : "nobody's");
	print(", error code %s, at +%ld, cs %x, flags %x, masked %u then %u\n", errors[o->error], o->at, o->cs, o->flags, o->masked,
	      o->inside);
}

static void all(const char *what, unsigned flags, int by_program, unsigned masked)
{
	print("-- %s\n", what);
	install(flags);
	struct outcome before = { 0 };
	int first = 0;
	for (int n = 0; n <= 256; n++) {
		struct outcome now = { 0 };
		/* #GP's handler expects an error code. A 32-bit kernel's hypercalls come by 0x82. */
		int is_left_out = n == 13 || (n == 0x82 && sizeof(WORD) == 4 && !by_program);
		if (n < 256 && is_left_out)
			continue;
		if (n < 256)
			now = try(n, by_program, masked);
		if (n > 0 && (n == 256 || memcmp(&now, &before, sizeof now))) {
			show(first, n, &before);
			first = n;
		}
		before = now;
	}
}

#ifdef __x86_64__
static void make_programs(void)
{
	struct mmuext_op op = { .cmd = MMUEXT_NEW_USER_BASEPTR, .arg1.mfn = mfn_of((void *)start_info->pt_base) };
	SHOW(CALL4(mmuext_op, &op, 1, 0, DOMID_SELF));
}
#define PUSHF "pushfq"
#define POPF "popfq"
#define A "%%rax"
#else
static void make_programs(void)
{
	map_page(program_numbers, (uint64_t)mfn_of(program_numbers) << 12 | 5);
	map_page(stack, (uint64_t)mfn_of(stack) << 12 | 7);
}
#define PUSHF "pushfl"
#define POPF "popfl"
#define A "%%eax"
#endif

/* A nested task's IRET has no task to return to in long mode, nor in its compatibility mode. */
static void nested(void)
{
	print("-- a nested task\n");
	install(0);
	table[10].address = entry(10);
	CALL1(set_trap_table, table);
	WORD start;
#ifdef __x86_64__
	asm volatile("lea 2f(%%rip), %%rax\n mov %%rax, %1\n lea 1f(%%rip), %%rax\n mov %%rax, %0\n mov %%rsp, %%rdx\n push $0xe02b\n"
		     "push %%rdx\n push $2\n push $0xe033\n push %%rax\n pushfq\n orl $0x4000, (%%rsp)\n popfq\n 2: iretq\n"
		     "1: pushfq\n pop %%rax\n mov %%rdx, %%rsp"
		     : "=m"(resume), "=m"(start)
		     :
		     : "rax", "rdx", "memory", "cc");
#else
	asm volatile("movl $2f, %1\n movl $1f, %0\n mov %%esp, %%edx\n push $2\n push $0xe019\n push $1f\n pushfl\n orl $0x4000, (%%esp)\n"
		     "popfl\n 2: iret\n 1: mov %%edx, %%esp\n pushfl\n andl $~0x4000, (%%esp)\n popfl"
		     : "=m"(resume), "=m"(start)
		     :
		     : "eax", "edx", "memory", "cc");
#endif
	resume = 0;
	print("iret: #%s(%lx) at +%ld, flags %lx\n", exception_names[last.vector < 20 ? last.vector : 15], last.error,
	      (long)(last.ip - start), last.flags & ~0x8d5ul);
}

void run(void)
{
	memset(shared->evtchn_mask, 0xff, sizeof shared->evtchn_mask);
	shared->vcpu_info[0].evtchn_upcall_pending = 0;
	shared->vcpu_info[0].evtchn_upcall_mask = 1;
	CALL2(stack_switch, FLAT_KERNEL_SS, kernel_stack + sizeof kernel_stack);
	make_programs();
	all("the kernel, privilege 0", 0, 0, 1);
	all("the kernel, privilege 1", 1, 0, 1);
	all("the kernel, privilege 3", 3, 0, 1);
	all("the kernel, privilege 3, events masked on the way, off before", 7, 0, 1);
	all("the kernel, privilege 3, events masked on the way, on before", 7, 0, 0);
	all("a program, privilege 0", 0, 1, 0);
	all("a program, privilege 1", 1, 1, 0);
	all("a program, privilege 2", 2, 1, 0);
	all("a program, privilege 3", 3, 1, 0);
	all("a program, privilege 3, events masked on the way, off before", 7, 1, 1);
	all("a program, privilege 3, events masked on the way, on before", 7, 1, 0);
	last.vector = 15;
	nested();
}

/*
 * Exceptions that an emulated processor under Xen raises otherwise or not at all, so that nothing could be recorded: #DB, #SS, #AC and #XM,
 * each as its handler finds it. What must be shown is the manual's.
 */
#include "traps.h"

#ifdef __x86_64__
#define A "%%rax"
#define B "%%rbx"
#define D "%%rdi"
#define FIRST "%%rdi"
#define SECOND "%%rsi"
#define ASK "syscall"
#define STACK_SELECTOR "0xb"
#define NOT_PRESENT 0x00cf72000000ffff
#define LEA_A(label) "lea " label "(%%rip), %%rax\n"
#define LEA(label, to) "lea " label "(%%rip), %%rax\n mov %%rax, " to "(%%rip)\n"
#define REGISTERS "rax", "rcx", "rdx", "rbx", "rsi", "rdi", "r8", "r9", "r10", "r11"
#define TRACE "pushfq\n orl $0x100, (%%rsp)\n popfq\n"
#define CHECK "pushfq\n orl $0x40000, (%%rsp)\n popfq\n"
#else
#define A "%%eax"
#define B "%%ebx"
#define D "%%edi"
#define FIRST "%%ebx"
#define SECOND "%%ecx"
#define ASK "int $0x82"
#define STACK_SELECTOR "0x9"
#define NOT_PRESENT 0x00cf32000000ffff
#define LEA_A(label) "mov $" label ", %%eax\n"
#define LEA(label, to) "movl $" label ", " to "\n"
#define REGISTERS "eax", "ecx", "edx", "ebx", "esi", "edi"
#define TRACE "pushfl\n orl $0x100, (%%esp)\n popfl\n"
#define CHECK "pushfl\n orl $0x40000, (%%esp)\n popfl\n"
#endif

#define TF 0x100
#define RF 0x10000
#define AC 0x40000
#define MOST 8

WORD resume, start;
static struct {
	WORD vector, error, at, flags, status;
} met[MOST];
static volatile unsigned seen;
/* How many steps are to be traced. */
static unsigned steps;
int room[4] __attribute__((aligned(16)));

void handle(struct frame *frame)
{
	if (seen < MOST) {
		met[seen].vector = frame->vector;
		met[seen].error = frame->error;
		met[seen].at = frame->ip;
		met[seen].flags = frame->flags & ~0x8d5ul;
		met[seen].status = CALL1(get_debugreg, 6) & 0xf00f;
	}
	seen++;
	CALL2(set_debugreg, 6, 0);
	if (frame->vector != 1) {
		frame->ip = resume;
		frame->flags &= ~(WORD)(AC | TF);
	} else if (!(frame->flags & TF)) {
		frame->flags |= RF;
	} else if (seen >= steps) {
		frame->flags &= ~(WORD)TF;
	}
}

static void show(const char *what)
{
	if (seen == 0)
		print("%s: nothing\n", what);
	for (unsigned i = 0; i < seen && i < MOST; i++)
		print("%s: #%s(%lx) at +%ld, flags %lx, dr6 %lx\n", what, exception_names[met[i].vector < 20 ? met[i].vector : 15],
		      met[i].error, (long)(met[i].at - start), met[i].flags, met[i].status);
	seen = 0;
}

#define TRY(what, code)                                                                                 \
	do {                                                                                            \
		asm volatile(LEA("2f", "start") LEA("1f", "resume") code "\n 1:" : : : REGISTERS, "memory", "cc"); \
		show(what);                                                                             \
	} while (0)

static void traces(void)
{
	steps = 3;
	TRY("steps", TRACE "2: nop\n xor %%ecx, %%ecx\n inc %%ecx\n nop");
	steps = 4;
	TRY("steps of a repeated string", "lea room, " D "\n mov $3, %%ecx\n" TRACE "2: rep stosb\n nop\n nop");
	/* xen_version of nothing: the trap is behind the call. */
	steps = 2;
	TRY("steps over a hypercall", "mov $17, %%eax\n mov $99, " FIRST "\n" TRACE "2: nop\n" ASK "\n nop");
	steps = 1;
	TRY("a step over INT3", TRACE "2: int3\n nop");
	TRY("steps end", "2: nop\n nop");
}

/* The label is looked for by the code itself. */
static void breakpoints(void)
{
	CALL2(set_debugreg, 7, 1);
	TRY("a breakpoint", LEA_A("3f") "mov " A ", " SECOND "\n mov $0, " FIRST "\n mov $8, %%eax\n" ASK "\n 2: nop\n 3: nop\n nop");
	CALL2(set_debugreg, 1, (WORD)room + 4);
	CALL2(set_debugreg, 7, 0xd0 << 16 | 4);
	TRY("a write that is watched", "lea room, " B "\n 2: mov (" B "), %%eax\n mov %%eax, (" B ")\n mov %%eax, 5(" B ")\n nop");
	CALL2(set_debugreg, 7, 0xf0 << 16 | 4);
	TRY("a read that is watched", "lea room, " B "\n 2: mov (" B "), %%eax\n mov 1(" B "), %%eax\n nop");
	CALL2(set_debugreg, 7, 0);
	TRY("nothing watched", "lea room, " B "\n 2: mov %%eax, 4(" B ")");
}

static uint64_t descriptors[512] PAGE;

static void others(void)
{
	WORD list[1] = { mfn_of(descriptors) };
	descriptors[1] = NOT_PRESENT;
	map_page(descriptors, (uint64_t)list[0] << 12 | 5);
	CALL2(set_gdt, list, 512);
	TRY("a stack that is not present", "mov $" STACK_SELECTOR ", %%eax\n 2: mov %%eax, %%ss");
#ifdef __x86_64__
	TRY("a stack that is not canonical", "push %%rbp\n mov $1, %%ebp\n shl $63, %%rbp\n 2: mov (%%rbp), %%eax\n 1: pop %%rbp\n jmp 3f\n 1: nop\n 3:");
#endif
	TRY("aligned", CHECK "lea room, " B "\n 2: mov 4(" B "), %%eax\n mov 1(" B "), %%al\n ud2");
	TRY("misaligned", CHECK "lea room, " B "\n 2: mov 1(" B "), %%eax\n ud2");
	unsigned control = 0x1f80 & ~(1 << 9);
	asm volatile("ldmxcsr %0" : : "m"(control));
	TRY("a division by zero", "xorps %%xmm0, %%xmm0\n mov $1, %%eax\n cvtsi2ss %%eax, %%xmm1\n 2: divss %%xmm0, %%xmm1\n nop");
	asm volatile("stmxcsr %0" : "=m"(control));
	print("mxcsr %x\n", control);
}

static struct trap_info table[257];

void run(void)
{
	for (int i = 0; i < 256; i++)
		table[i] = (struct trap_info){ .vector = i, .flags = i == 3 ? 3 : 0, .cs = KERNEL_CS, .address = entry(i) };
	CALL1(set_trap_table, table);
	traces();
	breakpoints();
	others();
}

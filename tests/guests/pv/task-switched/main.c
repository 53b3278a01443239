/*
 * CR0.TS, with which a kernel puts off to hand the x87 and SSE registers on: the next instruction that uses them raises #NM,
 * once, by whatever means the bit was set.
 */
#include "traps.h"

#ifdef __x86_64__
#define LEA(label, to) "lea " label "(%%rip), %%rax\n mov %%rax, " to "(%%rip)\n"
#define A "%%rax"
#define D "%%rdi"
#else
#define LEA(label, to) "movl $" label ", " to "\n"
#define A "%%eax"
#define D "%%edi"
#endif

WORD resume, start;
static volatile unsigned seen;
static struct frame last;
static int tries_again;
char area[512] __attribute__((aligned(16)));

void handle(struct frame *frame)
{
	seen++;
	last = *frame;
	if (!tries_again || frame->vector != 7)
		frame->ip = resume;
}

static WORD control(void)
{
	WORD value;
	__asm__ volatile("mov %%cr0, %0" : "=r"(value));
	return value;
}

static void show(const char *what)
{
	print("%s: ", what);
	if (seen == 0)
		print("nothing");
	else
		print("#%s(%lx) %u at +%ld, flags %lx, masked %lu", exception_names[last.vector < 20 ? last.vector : 15], last.error, seen,
		      (long)(last.ip - start), last.flags & ~0x8d5ul, MASKED_OF(&last));
	print(", cr0 %lx\n", control());
	seen = 0;
}

#define TRY(what, code)                                                                           \
	do {                                                                                      \
		asm volatile(LEA("2f", "start") LEA("1f", "resume") "2: " code "\n 1:"            \
			     :                                                                    \
			     :                                                                    \
			     : "eax", "ecx", "edx", "ebx", "edi", "memory", "cc");                       \
		show(what);                                                                       \
	} while (0)
/* Each anew: the bit is cleared on the way to the handler. */
#define SET(what, code)                                                                           \
	do {                                                                                      \
		CALL1(fpu_taskswitch, 1);                                                         \
		TRY(what, code);                                                                  \
	} while (0)

static struct trap_info table[257];

static void loop(void)
{
	/* What has been translated without a thought of it. */
	unsigned count = 0;
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 1000; i++)
			asm volatile("movups area, %%xmm1\n movups %%xmm1, area" ::: "memory");
		tries_again = 1;
		SHOW(CALL1(fpu_taskswitch, 1));
		for (int i = 0; i < 1000; i++)
			asm volatile("movups area, %%xmm1\n movups %%xmm1, area" ::: "memory");
		count += seen;
		tries_again = 0;
		seen = 0;
	}
	print("in a loop: %u\n", count);
}

void run(void)
{
	for (int i = 0; i < 256; i++)
		table[i] = (struct trap_info){ .vector = i, .flags = i == 7 ? 4 : 0, .cs = KERNEL_CS, .address = entry(i) };
	SHOW(CALL1(set_trap_table, table));
	shared->vcpu_info[0].evtchn_upcall_mask = 1;
	print("cr0 %lx\n", control());
	SHOW(CALL1(fpu_taskswitch, 1));
	print("cr0 %lx\n", control());
	SHOW(CALL1(fpu_taskswitch, 1));
	TRY("integers", "xor %%eax, %%eax\n mov %%eax, %%ecx");
	SHOW(CALL1(fpu_taskswitch, 0));
	print("cr0 %lx\n", control());
	TRY("fninit", "fninit");
	SET("fninit", "fninit");
	TRY("once more", "fninit");
	SET("fnstcw", "fnstcw area");
	SET("fldcw", "fldcw area");
	SET("fld1", "fld1");
	SET("fwait", "fwait");
	SET("fnclex", "fnclex");
	SET("ffree", "ffree %%st");
	SET("fxsave", "fxsave area");
	SET("fxrstor", "fxrstor area");
	SET("movd mm", "movd %%eax, %%mm0");
	SET("pxor mm", "pxor %%mm0, %%mm0");
	SET("movups", "movups area, %%xmm0");
	SET("movups store", "movups %%xmm0, area");
	SET("movd xmm", "movd %%eax, %%xmm0");
	SET("pxor xmm", "pxor %%xmm0, %%xmm0");
	SET("addps", "addps %%xmm0, %%xmm0");
	SET("addsd", "addsd %%xmm0, %%xmm0");
	SET("cvtsi2sd", "cvtsi2sd %%eax, %%xmm0");
	SET("cvttsd2si", "cvttsd2si %%xmm0, %%eax");
	SET("haddps", "haddps %%xmm0, %%xmm0");
	SET("movnti", "movnti %%eax, area");
	SET("movntq", "movntq %%mm0, area");
	SET("movntps", "movntps %%xmm0, area");
	SET("maskmovdqu", "lea area, " D "\n maskmovdqu %%xmm0, %%xmm0");
	SET("stmxcsr", "stmxcsr area");
	SET("ldmxcsr", "ldmxcsr area");
	SET("prefetch", "prefetcht0 area");
	SET("fences", "lfence\n sfence\n mfence");
	SET("clflush", "clflush area");
	SET("pause", "pause");
	/* Which comes first. */
	SET("movups from nowhere", "mov $0x40000000, %%eax\n movups (" A "), %%xmm0");
	SET("misaligned", "movaps area + 4, %%xmm0");
	SET("pending", "fninit");
	TRY("fninit", "fninit");
	unsigned short all = 0x37b;
	asm volatile("fldcw %0\n fld1\n fldz\n fdivrp" : : "m"(all));
	SET("what is pending", "fwait");
	TRY("then", "fwait");
	TRY("fninit", "fninit");
	print("-- the bit itself\n");
	TRY("set by cr0", "mov %%cr0, " A "\n or $8, " A "\n mov " A ", %%cr0");
	TRY("fninit", "fninit");
	SHOW(CALL1(fpu_taskswitch, 1));
	TRY("clts", "clts");
	TRY("fninit", "fninit");
	SHOW(CALL1(fpu_taskswitch, 1));
	TRY("cleared by cr0", "mov %%cr0, " A "\n and $~8, " A "\n mov " A ", %%cr0");
	TRY("fninit", "fninit");
	TRY("EM by cr0", "mov %%cr0, " A "\n or $4, " A "\n mov " A ", %%cr0");
	TRY("MP by cr0", "mov %%cr0, " A "\n xor $2, " A "\n mov " A ", %%cr0");
	SHOW(CALL1(fpu_taskswitch, 1));
	TRY("smsw", "smsw %%eax\n mov %%eax, area");
	TRY("lmsw", "mov $0x33, %%eax\n lmsw %%ax");
	SHOW(CALL1(fpu_taskswitch, 2));
	TRY("fninit", "fninit");
	SHOW(CALL1(fpu_taskswitch, 0));
	loop();
}

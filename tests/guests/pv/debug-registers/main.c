/* Debug registers by hypercall and by MOV: what may stand in them, and what stands there then. Nothing is met that they watch for. */
#include "traps.h"

static struct trap_info table[3];
static unsigned seen;
WORD resume;

void handle(struct frame *frame)
{
	seen = frame->vector;
	frame->ip = resume;
}

static WORD get(unsigned n)
{
	return CALL1(get_debugreg, n);
}

static void set(unsigned n, WORD value)
{
	long result = CALL2(set_debugreg, n, value);
	print("dr%u := %lx: %ld, %lx\n", n, value, result, get(n));
}

/* MOV to and from a register, which Xen emulates. */
#ifdef __x86_64__
#define A_REGISTER "rax"
#define RESUME "lea 1f(%%rip), %%rax\n mov %%rax, resume\n"
#else
#define A_REGISTER "eax"
#define RESUME "movl $1f, resume\n"
#endif
#define MOVE(n, value)                                                                                        \
	do {                                                                                                  \
		WORD was = 0;                                                                                 \
		seen = 0;                                                                                     \
		asm volatile(RESUME "mov %1, %%dr" #n "\n mov %%dr" #n ", %0\n1:"                              \
			     : "+c"(was)                                                                      \
			     : "d"((WORD)(value))                                                             \
			     : A_REGISTER, "memory");                                                       \
		print("mov to dr" #n " of %lx: #%s, %lx, by hypercall %lx\n", (WORD)(value),                  \
		      seen ? exception_names[seen] : "", was, get(n));                                        \
	} while (0)

static const WORD controls[] = { 0, 0x401, 1, 2, 0x300, 0x155, 0x2000, 0x2401, 0x20401, 0x20400, 0x20402, 0x2000401,
				 0x20000401, 0x10401, 0x30401, 0x40401, 0xc0401, 0x80401, 0xd800, 0xdc01, 0xffff0000,
				 0xdddd03ff, 0xffffffff, 0x1000, 0x4000, 0x8000, 0x800 };

void run(void)
{
	for (int i = 0; i < 2; i++)
		table[i] = (struct trap_info){ .vector = i ? 13 : 6, .cs = KERNEL_CS, .address = entry(i ? 13 : 6) };
	SHOW(CALL1(set_trap_table, table));
	for (unsigned n = 0; n < 9; n++)
		print("dr%u at first %lx\n", n, get(n));
	for (unsigned n = 0; n < 4; n++)
		set(n, 0x40000000 + n);
	set(0, 0x7fffffff);
	set(0, HYPERVISOR_VIRT_START);
	set(0, HYPERVISOR_VIRT_START - 1);
	set(0, -1);
	set(0, -8);
#ifdef __x86_64__
	set(0, 1ul << 63);
	set(0, 0x800000000000);
	set(0, 0x7fffffffffff);
	set(0, 0x7ffffffffff8);
	set(0, 0xffff880000000000);
	set(0, 0xffffffff80000000);
#endif
	set(0, 0x40000000);
	for (unsigned n = 4; n < 7; n += 2) {
		set(n, 0);
		set(n, 0xffffffff);
		set(n, 0x1000);
		set(n, 0xe00f);
#ifdef __x86_64__
		set(n, 1ul << 40);
#endif
	}
	set(6, 0);
	for (unsigned n = 5; n < 8; n += 2)
		for (unsigned i = 0; i < sizeof controls / sizeof *controls; i++)
			set(n, controls[i]);
#ifdef __x86_64__
	set(7, 1ul << 40);
#endif
	set(7, 0);
	set(8, 0);
	set(-1, 0);
	MOVE(0, 0x40001000);
	MOVE(3, HYPERVISOR_VIRT_START);
	MOVE(6, 0xf);
	MOVE(7, 0x401);
	MOVE(7, 0x2001);
	MOVE(7, 0x20401);
	MOVE(7, 0);
	asm volatile("" ::: "memory");
	set(6, 0);
	set(7, 0);
}

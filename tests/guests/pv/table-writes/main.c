/*
 * Stores to page tables that are mapped read-only: with VMASST_TYPE_writable_pagetables Xen does those to last-level ones in
 * the guest's place and checks them as mmu_update does; what it does not do is the guest's page fault.
 * SETcc and FNSTCW are left out: the recorded machine stops there, all of it.
 */
#include "traps.h"

#ifdef __x86_64__
#define LEA(label, to) "lea " label "(%%rip), %%rax\n mov %%rax, " to "(%%rip)\n"
#else
#define LEA(label, to) "movl $" label ", " to "\n"
#endif

WORD resume, start;
static volatile unsigned seen;
static struct frame last;
static WORD fault_address;

void handle(struct frame *frame)
{
	seen++;
	last = *frame;
	fault_address = shared->vcpu_info[0].arch.cr2;
	frame->ip = resume;
}

/* One page of tables of our own would take a whole address range: the table that maps `windows` is the one that is written. */
static char windows[4][4096] PAGE, data[3][4096] PAGE;
uint64_t *volatile slot;
uint64_t wanted;

static uint64_t leaf(const void *page, unsigned flags)
{
	return (uint64_t)mfn_of(page) << 12 | flags;
}

static unsigned long frame_of(uint64_t value)
{
	return value >> 12 & 0xffffffffff;
}

/* The last-level table of the image's first 2 MiB, which Xen's builder maps read-only. */
static uint64_t *find_table(void)
{
	uint64_t *top = (uint64_t *)start_info->pt_base;
	for (unsigned i = 0; i < start_info->nr_pt_frames; i++) {
		uint64_t *table = top + i * 512;
		if (frame_of(table[(WORD)windows[0] >> 12]) == mfn_of(windows[0]) && frame_of(table[0]) == mfn_of(0))
			return table;
	}
	return 0;
}

/* What marks the processor makes, and which Xen adds, is not asked for. */
static const char *name_of(uint64_t value)
{
	unsigned long frame = frame_of(value);
	if (frame == mfn_of(data[0]))
		return "first";
	if (frame == mfn_of(data[1]))
		return "second";
	if (frame == mfn_of(windows[0]))
		return "window";
	return frame ? "other" : "none";
}

static void show(const char *what)
{
	print("%s: ", what);
	if (seen)
		print("#%s(%lx) at +%ld, slot +%ld, ", exception_names[last.vector < 20 ? last.vector : 15], last.error, (long)(last.ip - start),
		      (long)(fault_address - (WORD)slot));
	print("%s %x\n", name_of(*slot), (unsigned)*slot & 0xe9f);
	drain();
	seen = 0;
}

#ifdef __x86_64__
#define D "%%rdi"
#define B "%%rbx"
#define REGISTERS "rax", "rcx", "rdx", "rbx", "rsi", "rdi"
#define SLOT "mov slot(%%rip), %%rdi\n mov wanted(%%rip), %%rbx\n"
#else
#define D "%%edi"
#define B "%%ebx"
#define REGISTERS "eax", "ecx", "edx", "ebx", "esi", "edi"
#define SLOT "mov slot, %%edi\n mov wanted, %%ebx\n"
#endif

#define TRY(what, code)                                                                                \
	do {                                                                                           \
		asm volatile("push %%" BP "\n" LEA("2f", "start") LEA("1f", "resume") SLOT "2: " code "\n 1:\n pop %%" BP \
			     :                                                                         \
			     :                                                                         \
			     : REGISTERS, "memory", "cc");                                             \
		show(what);                                                                            \
	} while (0)
#ifdef __x86_64__
#define BP "rbp"
#else
#define BP "ebp"
#endif

static void reset(void)
{
	mmu_update_t u = { .ptr = ((uint64_t)mfn_of(slot) << 12) + ((WORD)slot & 4095), .val = leaf(data[0], 7) };
	CALL4(mmu_update, &u, 1, 0, DOMID_SELF);
	struct mmuext_op op = { .cmd = MMUEXT_INVLPG_LOCAL, .arg1.linear_addr = (WORD)windows[0] };
	CALL4(mmuext_op, &op, 1, 0, DOMID_SELF);
	wanted = leaf(data[1], 7);
}

#define EACH(what, code)     \
	do {                 \
		reset();     \
		TRY(what, code); \
	} while (0)
#define WITH(what, value, code)      \
	do {                         \
		reset();             \
		wanted = (value);    \
		TRY(what, code);     \
	} while (0)

#ifdef __x86_64__
#define STORE "mov %%rbx, (%%rdi)"
#else
/* As a kernel changes an entry of two halves: not there, upper half, lower half. */
#define STORE "movl $0, (%%edi)\n mov wanted + 4, %%eax\n mov %%eax, 4(%%edi)\n mov %%ebx, (%%edi)"
#endif

static void stores(uint64_t *table)
{
	EACH("the entry", STORE);
	EACH("bytes", "movb $0, (" D ")");
	EACH("a byte of the frame", "movb $0x55, 6(" D ")");
	EACH("lower half", "mov %%ebx, (" D ")");
	EACH("16 bits", "mov (" D "), %%eax\n and $~2, %%eax\n movw %%ax, (" D ")");
	EACH("misaligned", "movl $0, 2(" D ")");
	EACH("upper half alone, of a frame that is nobody's", "movl $0xff, 4(" D ")");
	EACH("immediate", "movl $0, (" D ")");
	EACH("and", "andl $~2, (" D ")");
	EACH("lock and", "lock andl $~2, (" D ")");
	EACH("or", "orl $0x200, (" D ")");
	EACH("btr", "btrl $1, (" D ")");
	EACH("lock btr", "lock btrl $1, (" D ")");
	EACH("btsl far", "mov $9, %%eax\n btsl %%eax, (" D ")");
	EACH("xchg", "xor %%eax, %%eax\n xchg %%eax, (" D ")");
	EACH("xor", "xorl $2, (" D ")");
	EACH("inc", "incl (" D ")");
	EACH("neg", "negl (" D ")");
	EACH("not", "notl (" D ")");
	EACH("add", "addl $0x200, (" D ")");
	EACH("xadd", "mov $0x200, %%eax\n xadd %%eax, (" D ")");
	EACH("cmpxchg fails", "xor %%eax, %%eax\n cmpxchg %%ebx, (" D ")");
	EACH("cmpxchg", "mov (" D "), %%eax\n mov %%eax, %%ecx\n andl $~2, %%ecx\n lock cmpxchg %%ecx, (" D ")");
	EACH("cmpxchg8b", "mov (" D "), %%eax\n mov 4(" D "), %%edx\n mov %%edx, %%ecx\n mov wanted, %%ebx\n lock cmpxchg8b (" D ")");
	EACH("cmpxchg8b fails", "xor %%eax, %%eax\n xor %%edx, %%edx\n xor %%ecx, %%ecx\n lock cmpxchg8b (" D ")");
	EACH("stosl", "xor %%eax, %%eax\n stosl");
	EACH("movsl", "mov $wanted, %%esi\n movsl");
	EACH("rep stosl", "xor %%eax, %%eax\n mov $2, %%ecx\n rep stosl");
	EACH("movq of SSE", "pxor %%xmm0, %%xmm0\n movq %%xmm0, (" D ")");
	EACH("movups", "pxor %%xmm0, %%xmm0\n movups %%xmm0, (" D ")");
	EACH("movnti", "xor %%eax, %%eax\n movnti %%eax, (" D ")");
	EACH("load", "mov (" D "), %%eax");
#ifdef __x86_64__
	EACH("64: movq", "movq $0, (%%rdi)");
	EACH("64: xchg", "xchg %%rbx, (%%rdi)");
	EACH("64: cmpxchg", "mov (%%rdi), %%rax\n lock cmpxchg %%rbx, (%%rdi)");
	EACH("64: stosq", "xor %%eax, %%eax\n stosq");
	EACH("64: rep movsq", "mov $wanted, %%esi\n mov $1, %%ecx\n rep movsq");
	WITH("64: misaligned", 0, "mov %%rbx, 4(%%rdi)");
#endif
	WITH("nothing", 0, STORE);
	WITH("to read", leaf(data[1], 5), STORE);
	WITH("without the user bit", leaf(data[1], 3), STORE);
	WITH("accessed and dirty", leaf(data[1], 0x67), STORE);
	WITH("bits for the kernel", leaf(data[1], 0xe07), STORE);
	WITH("no cache", leaf(data[1], 0x1f), STORE);
	WITH("a large page", leaf(data[1], 0x87), STORE);
	WITH("global", leaf(data[1], 0x107), STORE);
	WITH("the table itself to read", leaf(table, 5), STORE);
	WITH("the table itself to write", leaf(table, 7), STORE);
	WITH("a frame that is nobody's", 0xffffffffull << 12 | 7, STORE);
	WITH("start_info's shared_info", start_info->shared_info | 7, STORE);
	WITH("not present, with a frame", 0xffffffffull << 12, STORE);
	/* Data that is not to be kept from being seen. */
	reset();
	*(volatile unsigned *)windows[0] = 0x1111;
	*(volatile unsigned *)data[1] = 0x2222;
	WITH("to another", leaf(data[1], 7), STORE);
	__asm__ volatile("" ::: "memory");
	struct mmuext_op op = { .cmd = MMUEXT_INVLPG_LOCAL, .arg1.linear_addr = (WORD)windows[0] };
	CALL4(mmuext_op, &op, 1, 0, DOMID_SELF);
	print("seen %x\n", *(volatile unsigned *)windows[0]);
}

static struct trap_info traps[257];

void run(void)
{
	for (int i = 0; i < 256; i++)
		traps[i] = (struct trap_info){ .vector = i, .cs = KERNEL_CS, .address = entry(i) };
	CALL1(set_trap_table, traps);
	uint64_t *table = find_table();
	print("a table %d\n", table != 0);
	slot = table + ((WORD)windows[0] >> 12);
	EACH("without it", STORE);
	SHOW(CALL2(vm_assist, VMASST_CMD_enable, VMASST_TYPE_writable_pagetables));
	stores(table);
	print("-- others\n");
	uint64_t *top = (uint64_t *)start_info->pt_base;
	slot = top + 1;
	TRY("the topmost table", "mov (" D "), " B "\n mov " B ", (" D ")");
	slot = table + ((WORD)windows[0] >> 12);
	reset();
	static char read_only[4096] PAGE;
	map_page(read_only, leaf(read_only, 5));
	slot = (uint64_t *)read_only;
	TRY("no table", "movl $0, (" D ")");
	slot = (uint64_t *)(HYPERVISOR_VIRT_START);
	print("Xen's own: ");
	asm volatile(LEA("2f", "start") LEA("1f", "resume") SLOT "2: movl $0, (" D ")\n 1:" ::: REGISTERS, "memory");
	print("#%s(%lx)\n", exception_names[last.vector < 20 ? last.vector : 15], last.error);
	seen = 0;
	slot = table + ((WORD)windows[0] >> 12);
	SHOW(CALL2(vm_assist, VMASST_CMD_disable, VMASST_TYPE_writable_pagetables));
	EACH("without it", STORE);
}

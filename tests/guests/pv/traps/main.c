/*
 * Exceptions, but for #DB, #SS and #XM, which the recorded machine's processor, QEMU's, raises otherwise or not: each is raised and shown as its handler finds it; then what Xen emulates for a kernel, and hypercalls that say
 * where handlers, descriptors and segments are.
 */
#include "traps.h"

#ifdef __x86_64__
#define LEA(label, to) "lea " label "(%%rip), %%rax\n mov %%rax, " to "(%%rip)\n"
#define A "%%rax"
#define S "%%rsp"
#define REGISTERS "rax", "rcx", "rdx", "rbx", "r8", "r9", "r10", "r11"
#else
#define LEA(label, to) "movl $" label ", " to "\n"
#define A "%%eax"
#define S "%%esp"
#define REGISTERS "eax", "ecx", "edx", "ebx"
#endif

static char plain[4096] PAGE;
WORD resume, start;
static volatile unsigned seen;
static struct frame last;
static WORD fault_address;
static unsigned inside_mask;

void handle(struct frame *frame)
{
	seen++;
	last = *frame;
	fault_address = shared->vcpu_info[0].arch.cr2;
	inside_mask = shared->vcpu_info[0].evtchn_upcall_mask;
	frame->ip = resume;
}

static void show(const char *what, WORD base)
{
	if (seen == 0) {
		print("%s: nothing\n", what);
		return;
	}
	if (last.vector < 20)
		print("%s: #%s(%lx)", what, exception_names[last.vector], last.error);
	else
		print("%s: %x(%lx)", what, (unsigned)last.vector, last.error);
	if (last.ip - base < 64)
		print(" at +%ld", (long)(last.ip - base));
	else
		print(" elsewhere");
	print(", cs %lx, flags %lx, masked %lu then %u", CS_OF(&last), last.flags & ~0x8d5ul,
	      MASKED_OF(&last), inside_mask);
#ifdef __x86_64__
	/* The shim that runs 32-bit guests on the recorded machine does not tell it. */
	if (last.vector == 14 && fault_address != (WORD)plain)
		print(", cr2 %lx", fault_address);
#endif
	print("\n");
}

#define TRY(what, code)                                                                   \
	do {                                                                              \
		seen = 0;                                                                 \
		asm volatile(LEA("2f", "start") LEA("1f", "resume") "2: " code "\n 1:"    \
			     :                                                            \
			     :                                                            \
			     : REGISTERS, "memory", "cc");                                \
		show(what, start);                                                        \
	} while (0)

static struct trap_info table[257];

static void install(void)
{
	for (int i = 0; i < 256; i++) {
		table[i].vector = i;
		table[i].flags = i == 0x80 || i == 3 ? 3 : i == 0x81 ? 1 : i == 6 ? 4 : 0;
		table[i].cs = KERNEL_CS;
		table[i].address = entry(i);
	}
	SHOW(CALL1(set_trap_table, table));
}

static void exceptions(void)
{
	print("-- exceptions\n");
	TRY("div", "xor %%ecx, %%ecx\n xor %%edx, %%edx\n div %%ecx");
	TRY("ud2", "ud2");
	TRY("int3", "int3");
	TRY("int 3", ".byte 0xcd, 3");
	TRY("int 4", "int $4");
	TRY("int 0x50", "int $0x50");
	TRY("int 0x80", "int $0x80");
	TRY("int 0x81", "int $0x81");
	TRY("int 13", "int $13");
	TRY("hlt", "hlt");
	TRY("load from nowhere", "mov $0x40000000, %%eax\n mov (" A "), %%ecx");
	TRY("store to nowhere", "mov $0x40000123, %%eax\n movb $1, (" A ")");
	TRY("jump to nowhere", "mov $0x40000000, %%eax\n jmp *" A);
	TRY("bad selector", "mov $0x1234, %%eax\n mov %%eax, %%ds");
	TRY("null stack", "xor %%eax, %%eax\n mov %%eax, %%ss");
	TRY("in", "in $0x80, %%al");
	TRY("out", "out %%al, $0x80");
	TRY("cli", "cli");
	TRY("sti", "sti");
	TRY("x87", "fninit\n push $0x37b\n fldcw (" S ")\n pop " A "\n fld1\n fldz\n fdivrp\n fwait");
	TRY("fninit", "fninit");
	TRY("lgdt", "lgdt plain_page");
	TRY("ltr", "xor %%eax, %%eax\n ltr %%ax");
	TRY("invlpg", "invlpg 0x1000");
	TRY("wbinvd", "wbinvd");
	TRY("clts", "clts");
	TRY("rdpmc", "xor %%ecx, %%ecx\n rdpmc");
#ifdef __x86_64__
	TRY("not canonical", "mov $1, %%rax\n shl $63, %%rax\n mov (%%rax), %%ecx");
	TRY("jump to what is not canonical", "mov $1, %%rax\n shl $63, %%rax\n jmp *%%rax");
	TRY("misaligned", "movaps 8(%%rsp), %%xmm0\n movaps 16(%%rsp), %%xmm0");
	TRY("load from Xen", "mov $0xffff808000000000, %%rax\n mov (%%rax), %%ecx");
	TRY("store to the table of frames", "mov $0xffff800000000000, %%rax\n movl $1, (%%rax)");
	TRY("int 0x82", "int $0x82");
	TRY("swapgs", "swapgs");
	TRY("rdmsr of nothing", "mov $0x12345, %%ecx\n rdmsr");
	TRY("wrmsr of nothing", "mov $0x12345, %%ecx\n xor %%eax, %%eax\n xor %%edx, %%edx\n wrmsr");
#else
	TRY("into", "mov $0x7fffffff, %%eax\n inc %%eax\n into");
	TRY("bound", "push $5\n push $3\n mov $9, %%eax\n bound %%eax, (%%esp)");
	TRY("store to the table of frames", "movl $1, 0xf5800000");
	asm volatile("add $8, %%esp" ::: "memory");
#endif
	unsigned long frame = mfn_of(plain);
	map_page(plain, (uint64_t)frame << 12 | 5);
	asm volatile("" ::"r"(plain) : "memory");
	TRY("store to what is read-only", "movl $1, plain_page");
	TRY("load of it", "movl plain_page, %%eax");
	map_page(plain, (uint64_t)frame << 12 | 7 | 1ull << 63);
	TRY("jump to what is not code", "mov $plain_page, %%eax\n jmp *" A);
	map_page(plain, (uint64_t)frame << 12 | 7);
	TRY("store again", "movl $1, plain_page");
}
asm(".set plain_page, plain");

static void masks(void)
{
	print("-- masks\n");
	uint8_t *mask = &shared->vcpu_info[0].evtchn_upcall_mask;
	uint8_t before = *mask;
	for (int i = 0; i < 2; i++) {
		*mask = i;
		TRY("ud2", "ud2");
		print("mask %d\n", *mask);
		*mask = i;
		TRY("int3", "int3");
		print("mask %d\n", *mask);
	}
	*mask = 0;
	hypercall_iret(0x002);
	print("iret with events masked: %d\n", *mask);
	hypercall_iret(0x202);
	print("iret with events: %d\n", *mask);
	*mask = before;
}

static void handlers(void)
{
	print("-- handlers\n");
	static struct trap_info one[2];
	one[0] = (struct trap_info){ .vector = 6, .flags = 0, .cs = KERNEL_CS, .address = entry(5) };
	SHOW(CALL1(set_trap_table, one));
	TRY("ud2 at 5", "ud2");
	one[0].cs = KERNEL_CS & ~3;
	one[0].address = entry(6);
	SHOW(CALL1(set_trap_table, one));
	TRY("ud2 with ring 0's selector", "ud2");
	one[0].address = 0;
	SHOW(CALL1(set_trap_table, one));
	SHOW_BAD(CALL1(set_trap_table, BAD));
#ifdef __x86_64__
	one[0].address = 1ul << 63;
	SHOW(CALL1(set_trap_table, one));
	SHOW(CALL3(set_callbacks, 1ul << 63, 0, 0));
	SHOW(CALL2(set_segment_base, SEGBASE_FS, plain));
	plain[0x10] = 0x55;
	unsigned char byte;
	asm volatile("movb %%fs:0x10, %0" : "=r"(byte));
	print("fs: %x\n", byte);
	SHOW(CALL2(set_segment_base, SEGBASE_GS_KERNEL, plain));
	asm volatile("movb %%gs:0x10, %0" : "=r"(byte));
	print("gs: %x\n", byte);
	SHOW(CALL2(set_segment_base, SEGBASE_GS_USER, plain));
	SHOW(CALL2(set_segment_base, SEGBASE_GS_USER_SEL, 0));
	SHOW(CALL2(set_segment_base, SEGBASE_FS, 1ul << 63));
	SHOW(CALL2(set_segment_base, 77, 0));
	unsigned low, high;
	asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(0xc0000101));
	print("rdmsr gs %d\n", ((WORD)high << 32 | low) == (WORD)plain);
	asm volatile("wrmsr" ::"a"(low + 16), "d"(high), "c"(0xc0000100));
	asm volatile("movb %%fs:0, %0" : "=r"(byte));
	print("wrmsr fs: %x\n", byte);
#else
	SHOW(CALL2(set_segment_base, 0, plain));
#endif
	SHOW(CALL2(stack_switch, 0xe02b, plain + 4096));
	SHOW(CALL1(fpu_taskswitch, 0));
	SHOW(CALL2(set_debugreg, 0, 0x1000));
	SHOW(CALL1(get_debugreg, 0));
	SHOW(CALL2(set_debugreg, 4, 0));
	SHOW(CALL2(set_debugreg, 9, 0));
	SHOW(CALL1(get_debugreg, 4));
	SHOW(CALL1(get_debugreg, 9));
	SHOW(CALL2(set_debugreg, 0, 0));
	SHOW(CALL2(vm_assist, VMASST_CMD_enable, VMASST_TYPE_writable_pagetables));
	SHOW(CALL2(vm_assist, VMASST_CMD_disable, VMASST_TYPE_writable_pagetables));
	SHOW(CALL2(vm_assist, VMASST_CMD_enable, 77));
	SHOW(CALL2(vm_assist, 7, VMASST_TYPE_writable_pagetables));
}

static uint64_t descriptors[512] PAGE;

static void tables(void)
{
	print("-- tables\n");
	unsigned long frame = mfn_of(descriptors);
	WORD list[1] = { frame };
	descriptors[1] = 0x00cff2000000ffff; /* data of level 3 */
	descriptors[2] = 0x00cf92000000ffff; /* of level 0 */
	descriptors[3] = 0x00cf72000000ffff; /* not present */
	SHOW(CALL2(set_gdt, list, 512));
	map_page(descriptors, (uint64_t)frame << 12 | 5);
	SHOW(CALL2(set_gdt, list, 512));
	print("entries %llx %llx %llx\n", (unsigned long long)descriptors[1] & ~(1ull << 40),
	      (unsigned long long)descriptors[2] & ~(1ull << 40), (unsigned long long)descriptors[3]);
	TRY("selector 0xb", "mov $0xb, %%eax\n mov %%eax, %%es\n mov %%es, %%eax\n xor %%eax, %%eax\n mov %%eax, %%es");
	TRY("selector 0x1b", "mov $0x1b, %%eax\n mov %%eax, %%es");
	TRY("selector 0x23", "mov $0x23, %%eax\n mov %%eax, %%es");
	TRY("selector 0x1003", "mov $0x1003, %%eax\n mov %%eax, %%es");
#ifdef __x86_64__
	uint64_t place = (uint64_t)frame << 12 | 32;
	SHOW(CALL2(update_descriptor, place, 0x00cff2000000ffff));
	TRY("selector 0x23 again", "mov $0x23, %%eax\n mov %%eax, %%es");
	SHOW(CALL2(update_descriptor, place, 0x0000890000000067));
	SHOW(CALL2(update_descriptor, place + 4, 0x00cff2000000ffff));
	SHOW(CALL2(update_descriptor, 0x1000, 0x00cff2000000ffff));
	SHOW(CALL2(update_descriptor, place, 0));
	asm volatile("mov %0, %%es" ::"r"(0));
#endif
	list[0] = 1;
	SHOW(CALL2(set_gdt, list, 512));
	SHOW(CALL2(set_gdt, list, 0x2000));
	SHOW(CALL2(set_gdt, list, 0));
	SHOW(map_page(descriptors, (uint64_t)frame << 12 | 7));
	SHOW_BAD(CALL2(set_gdt, BAD, 512));
}

static void forced(void)
{
	print("-- forced emulation\n");
	unsigned a = 0x40000000, b, c, d;
	asm volatile(XEN_CPUID : "+a"(a), "=b"(b), "=c"(c), "=d"(d));
	print("%x %x %x %x\n", a >= 0x40000002 && a < 0x40000100, b, c, d);
	a = 0x40000001;
	asm volatile(XEN_CPUID : "+a"(a), "=b"(b), "=c"(c), "=d"(d));
	print("%x %x %x %x\n", a, b, c, d);
}

void run(void)
{
	install();
	exceptions();
	masks();
	handlers();
	install();
	tables();
	forced();
	SHOW(CALL1(set_trap_table, 0));
}

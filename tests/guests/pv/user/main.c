/*
 * Programs of a guest's own: how they come to run, how each thing that they may not do reaches the kernel, what the kernel's
 * handlers find then. A 64-bit guest's programs have page tables of their own, a 32-bit one's a level of their own.
 */
#include "traps.h"
#include <xen/callback.h>

void enter_program(void *frame), enter_by_iret(void *frame);
void leave_program(void) __attribute__((noreturn));

#define STACK_BYTES 4096
static char stack[STACK_BYTES] PAGE, kernel_stack[8192] PAGE, kernel_only[4096] PAGE, read_only[4096] PAGE;

#ifdef __x86_64__
#define USER_CS 0xe033
#define USER_SS 0xe02b
#define KERNEL_PAGE 0x8000000000
#define A "%rax"
#define S "%rsp"
#define PUSHF "pushfq"
#define POPF "popfq"
#else
#define USER_CS 0xe02b
#define USER_SS 0xe033
#define KERNEL_PAGE "kernel_only"
#define A "%eax"
#define S "%esp"
#define PUSHF "pushfl"
#define POPF "popfl"
#endif

#define TEXT2(x) #x
#define TEXT(x) TEXT2(x)

static struct frame last;
static WORD fault_address, frame_end;
static unsigned inside_mask;

/* Programs lie on pages of their own, those of a 32-bit guest the only ones that level 3 may use. */
__asm__(".pushsection .text.zz_programs, \"ax\"\n .balign 4096\n programs:\n .popsection");
extern char programs[], programs_end[];
#define PROGRAM(name, code)                                                                        \
	__asm__(".pushsection .text.zz_programs, \"ax\"\n program_" #name ":\n" code "\n int $0x85\n .popsection"); \
	extern char program_##name[];
#ifdef __x86_64__
#define LOAD_KERNEL "mov $" TEXT(KERNEL_PAGE) ", " A "\n"
#else
#define LOAD_KERNEL "mov $" KERNEL_PAGE ", " A "\n"
#endif

// clang-format off
#define PROGRAMS(P)                                                                                \
	P(nothing, "") P(int80, "int $0x80") P(int81, "int $0x81") P(int82, "int $0x82") P(int83, "int $0x83") P(int3, "int3")\
	P(int_3, "int $3") P(int4, "int $4") P(int13, "int $13") P(ud2, "ud2")                      \
	P(divide, "xor %ecx, %ecx\n xor %edx, %edx\n div %ecx")                                     \
	P(load_kernel, LOAD_KERNEL "mov (" A "), %ecx")                                             \
	P(store_kernel, LOAD_KERNEL "movl $1, (" A ")")                                             \
	P(jump_kernel, LOAD_KERNEL "jmp *" A)                                                       \
	P(load_nowhere, "mov $0x40000000, %eax\n mov (" A "), %ecx")                                \
	P(store_nowhere, "mov $0x40000123, %eax\n movb $1, (" A ")")                                \
	P(jump_nowhere, "mov $0x40000000, %eax\n jmp *" A)                                          \
	P(load_read_only, "mov $read_only, %eax\n mov (" A "), %eax")                               \
	P(store_read_only, "mov $read_only, %eax\n movb $1, (" A ")")                               \
	P(cli, "cli") P(sti, "sti") P(in, "in $0x80, %al") P(out, "out %al, $0x80") P(hlt, "hlt") P(clts, "clts")   \
	P(wbinvd, "wbinvd") P(rdmsr, "mov $0xc0000100, %ecx\n rdmsr") P(read_cr0, "mov %cr0, " A)   \
	P(write_cr3, "mov " A ", %cr3") P(read_dr7, "mov %dr7, " A) P(invlpg, "invlpg 0x1000")      \
	P(lgdt, "lgdt read_only")                                                                   \
	P(rdtsc, "rdtsc\n mov $1, %eax") P(cpuid, "xor %eax, %eax\n cpuid\n mov $2, %eax")          \
	P(forced, "mov $0x40000001, %eax\n ud2a\n .ascii \"xen\"\n cpuid")                          \
	P(flags, PUSHF "\n pop " A) P(no_interrupts, "push $0\n " POPF "\n " PUSHF "\n pop " A)     \
	P(io_level, "push $0x3202\n " POPF "\n " PUSHF "\n pop " A)                                 \
	P(selectors, "mov %cs, %eax\n shl $16, %eax\n mov %ss, %ax")                                \
	P(push_far, "mov $0x40000000, " S "\n push $1")                                             \
	P(x87, "fninit\n push $0x37b\n fldcw (" S ")\n fld1\n fldz\n fdivrp\n fwait")               \
	P(null_code, "ljmp *1f\n 1: .long 0, 0")                                                    \
	P(kernel_data, "mov $0xe021, %eax\n mov %eax, %es\n mov %es, %eax")                         \
	P(xen_data, "mov $0xe010, %eax\n mov %eax, %es\n mov %es, %eax")                            \
	P(null_data, "xor %eax, %eax\n mov %eax, %es\n mov %es, %eax")
#ifdef __x86_64__
#define WIDE(P)                                                                                     \
	P(syscall, "mov $17, %eax\n syscall") P(swapgs, "swapgs") P(sysret, "sysretq")              \
	P(base, "mov %gs:0, %eax") P(return_registers, "mov %rcx, %rax\n sub $program_return_registers, %rax")\
	P(return_flags, "mov %r11, %rax")                                                           \
	P(not_canonical, "mov $1, %rax\n shl $63, %rax\n mov (%rax), %ecx")                         \
	P(frames, "mov $0xffff800000000000, %rax\n mov (%rax), %ecx\n xor %eax, %eax")              \
	P(load_xen, "mov $0xffff808000000000, %rax\n mov (%rax), %ecx")                             \
	P(misaligned, "movaps 4(%rsp), %xmm0")
#else
#define WIDE(P)                                                                                     \
	P(into, "mov $0x7fffffff, %eax\n inc %eax\n into")                                          \
	P(bound, "push $5\n push $3\n mov $9, %eax\n bound %eax, (%esp)")                           \
	P(frames, "mov $0xf5800000, %eax\n mov (%eax), %ecx")                                       \
	P(data_segments, "mov %ds, %eax\n shl $16, %eax\n mov %es, %ax")
#endif
// clang-format on
PROGRAMS(PROGRAM)
WIDE(PROGRAM)
__asm__(".pushsection .text.zz_programs, \"ax\"\n .balign 4096\n programs_end:\n .popsection");

void handle(struct frame *frame)
{
	last = *frame;
	frame_end = (WORD)(frame + 1);
	fault_address = shared->vcpu_info[0].arch.cr2;
	inside_mask = shared->vcpu_info[0].evtchn_upcall_mask;
	leave_program();
}

static void show(const char *what, char *base)
{
	if (last.vector < 20)
		print("%s: #%s(%lx)", what, exception_names[last.vector], last.error);
	else
		print("%s: %x(%lx)", what, (unsigned)last.vector, last.error);
	if (last.ip - (WORD)base < 64)
		print(" at +%ld", (long)(last.ip - (WORD)base));
	else
		print(" elsewhere");
	print(", cs %lx ss %lx, flags %lx, masked %lu then %u, stack %ld in %ld, a %lx", CS_OF(&last), last.ss,
	      last.flags & ~0x8d5ul, MASKED_OF(&last), inside_mask, (long)(last.sp - (WORD)(stack + STACK_BYTES)),
	      (long)(frame_end - (WORD)(kernel_stack + sizeof kernel_stack)),
#ifdef __x86_64__
	      last.rax
#else
	      last.eax
#endif
	);
#ifdef __x86_64__
	if (last.vector == 14)
		print(", cr2 %lx", fault_address - (WORD)read_only < 4096 ? 1 : fault_address);
#endif
	print("\n");
}

struct entry_frame {
#ifdef __x86_64__
	WORD kind;
#endif
	WORD ip, cs, flags, sp, ss;
};
static struct {
	WORD below[16];
	struct entry_frame frame;
} way_in;

static struct entry_frame *prepare(char *at)
{
	struct entry_frame *frame = &way_in.frame;
	memset(frame, 0, sizeof *frame);
	frame->ip = (WORD)at;
	frame->cs = USER_CS;
	frame->flags = 0x202;
	frame->sp = (WORD)(stack + STACK_BYTES);
	frame->ss = USER_SS;
	return frame;
}

static void go(const char *what, char *at)
{
	enter_program(prepare(at));
	show(what, at);
}
#define GO(name, code) go(#name, program_##name);

static struct trap_info table[257];

static void install(void)
{
	for (int i = 0; i < 256; i++) {
		table[i].vector = i;
		table[i].flags = i == 0x80 || i == 3 || i == 0x85 ? 3 : i == 0x81 ? 1 : i == 0x83 ? 7 : i == 6 ? 4 : 0;
		table[i].cs = KERNEL_CS;
		table[i].address = entry(i);
	}
	CALL1(set_trap_table, table);
}

#ifdef __x86_64__
static unsigned kernels_gs[1024] PAGE, programs_gs[1024] PAGE;
static uint64_t root[512] PAGE, level3[512] PAGE, level2[512] PAGE, level1[512] PAGE;

static uint64_t table_entry(void *page)
{
	return (uint64_t)mfn_of(page) << 12 | 7;
}

static long extended(unsigned cmd, unsigned long mfn)
{
	struct mmuext_op op = { .cmd = cmd, .arg1.mfn = mfn };
	return CALL4(mmuext_op, &op, 1, 0, DOMID_SELF);
}

/* The lowest 512 GiB are both worlds', those above them the kernel's alone. */
static void make_tables(void)
{
	uint64_t *own = (uint64_t *)start_info->pt_base;
	root[0] = own[0];
	level1[0] = table_entry(kernel_only);
	level2[0] = table_entry(level1);
	level3[0] = table_entry(level2);
	void *pages[] = { root, level3, level2, level1 };
	for (int i = 0; i < 4; i++)
		map_page(pages[i], (uint64_t)mfn_of(pages[i]) << 12 | 5);
	SHOW(extended(MMUEXT_NEW_USER_BASEPTR, 0));
	SHOW(extended(MMUEXT_NEW_USER_BASEPTR, 1));
	SHOW(extended(MMUEXT_NEW_USER_BASEPTR, mfn_of(kernel_only)));
	SHOW(extended(MMUEXT_NEW_USER_BASEPTR, mfn_of(level3)));
	SHOW(extended(MMUEXT_NEW_USER_BASEPTR, mfn_of(root)));
	SHOW(extended(MMUEXT_NEW_USER_BASEPTR, mfn_of(root)));
	SHOW(extended(MMUEXT_NEW_USER_BASEPTR, 0));
	SHOW(extended(MMUEXT_NEW_USER_BASEPTR, mfn_of(root)));
	struct mmu_update update = { .ptr = (uint64_t)mfn_of(own) << 12 | 8, .val = table_entry(level3) };
	SHOW(CALL4(mmu_update, &update, 1, 0, DOMID_SELF));
	*(unsigned *)KERNEL_PAGE = 0x12345;
}

static void wide(void)
{
	print("-- the rest of 64 bits\n");
	SHOW(CALL3(set_callbacks, entry(0x90), entry(0x92), entry(0x91)));
	kernels_gs[0] = 0x1111;
	programs_gs[0] = 0x2222;
	SHOW(CALL2(set_segment_base, SEGBASE_GS_KERNEL, kernels_gs));
	SHOW(CALL2(set_segment_base, SEGBASE_GS_USER, programs_gs));
	WIDE(GO)
	unsigned word;
	__asm__ volatile("mov %%gs:0, %0" : "=r"(word));
	print("kernel's base %x\n", word);
	struct callback_register callback = { .type = CALLBACKTYPE_syscall, .flags = CALLBACKF_mask_events,
					      .address = entry(0x93) };
	SHOW(CALL2(callback_op, CALLBACKOP_register, &callback));
	GO(syscall, )
	callback.flags = 0;
	SHOW(CALL2(callback_op, CALLBACKOP_register, &callback));
	GO(syscall, )
	prepare(program_return_registers)->kind = VGCF_in_syscall;
	enter_program(&way_in.frame);
	show("in_syscall, rcx", program_return_registers);
	prepare(program_return_flags)->kind = VGCF_in_syscall;
	enter_program(&way_in.frame);
	show("in_syscall, r11", program_return_flags);
	prepare(program_flags)->kind = VGCF_in_syscall;
	way_in.frame.flags = 0x4ad7;
	enter_program(&way_in.frame);
	show("in_syscall, flags", program_flags);
}
#else
static void make_tables(void)
{
	for (char *page = programs; page < programs_end; page += 4096)
		map_page(page, (uint64_t)mfn_of(page) << 12 | 5);
	map_page(stack, (uint64_t)mfn_of(stack) << 12 | 7);
	map_page(kernel_only, (uint64_t)mfn_of(kernel_only) << 12 | 3);
}

static void wide(void)
{
	print("-- the rest of 32 bits\n");
	SHOW(CALL4(set_callbacks, KERNEL_CS, entry(0x90), KERNEL_CS, entry(0x92)));
	WIDE(GO)
	prepare(program_flags);
	enter_by_iret(&way_in.frame);
	show("by iret", program_flags);
	prepare(program_data_segments);
	enter_by_iret(&way_in.frame);
	show("segments by iret", program_data_segments);
	prepare(program_store_kernel);
	enter_by_iret(&way_in.frame);
	show("store by iret", program_store_kernel);
}
#endif

static void ways_in(void)
{
	print("-- ways in\n");
	static const WORD flags[] = { 0x2, 0x202, 0x3202, 0x4202, 0x10202, 0x200202, 0x4ad7 };
	for (unsigned i = 0; i < sizeof flags / sizeof *flags; i++) {
		prepare(program_flags)->flags = flags[i];
		enter_program(&way_in.frame);
		print("flags %lx: ", flags[i]);
		show("then", program_flags);
		print("masked %u\n", shared->vcpu_info[0].evtchn_upcall_mask);
	}
	static const WORD codes[] = { 0x13, 0xe01b, 0xe00b, 0x1003, 0x3, USER_SS | 3 };
	for (unsigned i = 0; i < sizeof codes / sizeof *codes; i++) {
		prepare(program_nothing)->cs = codes[i];
		enter_program(&way_in.frame);
		print("cs %lx: ", codes[i]);
		show("then", program_nothing);
	}
	static const WORD stacks[] = { 0x13, 0xe00b, 0x1003, 0x3, USER_CS };
	for (unsigned i = 0; i < sizeof stacks / sizeof *stacks; i++) {
		prepare(program_nothing)->ss = stacks[i];
		enter_program(&way_in.frame);
		print("ss %lx: ", stacks[i]);
		show("then", program_nothing);
	}
#ifdef __x86_64__
	prepare((char *)(1ul << 63));
	enter_program(&way_in.frame);
	show("not canonical", program_nothing);
#endif
}

static void events(void)
{
	print("-- events\n");
	struct evtchn_bind_ipi ipi = { .vcpu = 0 };
	SHOW(CALL2(event_channel_op, EVTCHNOP_bind_ipi, &ipi));
	shared->evtchn_mask[0] = ~(1ul << ipi.port);
	struct evtchn_send send = { .port = ipi.port };
	for (int i = 0; i < 2; i++) {
		shared->vcpu_info[0].evtchn_upcall_mask = 1;
		shared->vcpu_info[0].evtchn_upcall_pending = 0;
		shared->vcpu_info[0].evtchn_pending_sel = 0;
		shared->evtchn_pending[0] = 0;
		CALL2(event_channel_op, EVTCHNOP_send, &send);
		prepare(program_nothing)->flags = i ? 0x202 : 2;
		enter_program(&way_in.frame);
		show(i ? "events on" : "events off", program_nothing);
	}
	shared->vcpu_info[0].evtchn_upcall_mask = 1;
	shared->vcpu_info[0].evtchn_upcall_pending = 0;
	shared->evtchn_mask[0] = ~0ul;
}

void run(void)
{
	SHOW(CALL2(stack_switch, FLAT_KERNEL_SS, kernel_stack + sizeof kernel_stack));
	/* No event is to come but those that are sent here. */
	memset(shared->evtchn_mask, 0xff, sizeof shared->evtchn_mask);
	shared->vcpu_info[0].evtchn_pending_sel = 0;
	shared->vcpu_info[0].evtchn_upcall_pending = 0;
	install();
	make_tables();
	map_page(read_only, (uint64_t)mfn_of(read_only) << 12 | 5);
	print("-- programs\n");
	PROGRAMS(GO)
	table[0x80].flags = 0;
	CALL1(set_trap_table, table);
	print("int 0x80 of the kernel alone: ");
	GO(int80, )
	table[0].vector = 0x80;
	table[0].flags = 7;
	table[1].address = 0;
	CALL1(set_trap_table, table);
	print("int 0x80 with events masked: ");
	GO(int80, )
	wide();
	ways_in();
	events();
	print("the kernel's page %x\n", *(unsigned *)kernel_only);
}

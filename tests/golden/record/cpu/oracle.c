/* The real CPU as an oracle: runs a few instructions from a given state and tells the state after.
   The state is put into and taken from the ucontext of a signal handler; EFLAGS.TF (SDM vol. 3, 17.3.1.4) stops the
   guest after each instruction. One source for both widths: gcc -m64 and gcc -m32. The protocol, on stdin and stdout,
   is the structs below, little-endian; tests/support/cpu-oracle.ts is its other end. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef __x86_64__
#include <asm/prctl.h>
#else
#include <asm/ldt.h>
#endif
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

/* A batch is its length in bytes, the number of its cases, then the cases; its answer the same, with replies. */
struct batch {
	uint32_t bytes;
	uint32_t cases;
};

struct state {
	uint64_t regs[16]; /* in the order of their encoding: rax rcx rdx rbx rsp rbp rsi rdi r8 … r15 */
	uint64_t rip;
	uint64_t rflags;
	uint8_t fxsave[512];
};

/* Followed by the code, which is placed at rip, and the windows; each of these padded to 8 bytes. */
struct request {
	uint32_t steps;
	uint32_t code_length;
	uint32_t windows;
	uint32_t reserved;
	struct state state;
};

/* Followed by its bytes in the request; of the reply only the bytes are sent. */
struct window {
	uint64_t address;
	uint32_t length;
	uint32_t reserved;
};

enum outcome { RAN = 0, EXCEPTION = 1, ENDLESS = 2, REFUSED = 3 };

struct reply {
	uint32_t outcome;
	uint32_t vector;
	uint32_t error;
	uint32_t steps;
	uint64_t address; /* CR2, where the vector is 14 */
	struct state state;
};

/* What the guest finds mapped; the page after each region is not. */
static const struct region {
	uintptr_t address;
	size_t length;
	int protection;
	int filler;
} regions[] = {
	{ 0x10000000, 0x10000, PROT_READ | PROT_WRITE | PROT_EXEC, 0xcc },
	{ 0x20000000, 0x4000, PROT_READ | PROT_WRITE, 0 },
	{ 0x30000000, 0x4000, PROT_READ | PROT_WRITE, 0 },
};

enum { TF = 0x100, RF = 0x10000, REPETITION_LIMIT = 1000000 };
enum { DEBUG_VECTOR = 1, PAGE_FAULT_VECTOR = 14 };

#ifdef __x86_64__
enum { RIP = REG_RIP, FLAGS = REG_EFL, REGISTERS = 16 };
static const int order[REGISTERS] = { REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
	REG_R8, REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15 };
#else
enum { RIP = REG_EIP, FLAGS = REG_EFL, REGISTERS = 8 };
static const int order[REGISTERS] = { REG_EAX, REG_ECX, REG_EDX, REG_EBX, REG_ESP, REG_EBP, REG_ESI, REG_EDI };
#endif

static const struct request *request;
static struct reply *reply;
static int in_guest;
static uint32_t executed, repetitions;
static uintptr_t stepped_from;
static int stepping_pushf, stepping_repeat;
static gregset_t host_registers;
static uint8_t host_fxsave[512];

static void fail(const char *what)
{
	fprintf(stderr, "oracle: %s\n", what);
	_exit(1);
}

static int mapped(uint64_t address, uint64_t length)
{
	for (size_t i = 0; i < sizeof regions / sizeof *regions; i++)
		if (address >= regions[i].address && length <= regions[i].length &&
		    address - regions[i].address <= regions[i].length - length)
			return 1;
	return 0;
}

/* The fxsave image in a signal frame: on x86-32 it follows the 112 bytes of the fsave format. */
static uint8_t *fxsave_of(ucontext_t *context)
{
	uint8_t *frame = (uint8_t *)context->uc_mcontext.fpregs;
#ifdef __x86_64__
	return frame;
#else
	return frame + 112;
#endif
}

static void load_fxsave(ucontext_t *context, const uint8_t *image)
{
	uint8_t *fxsave = fxsave_of(context);
	memcpy(fxsave, image, 464);
	/* Bytes reserved for software: without its magic number here, Linux restores these 512 bytes and nothing else. */
	memset(fxsave + 464, 0, 48);
#ifndef __x86_64__
	/* Linux takes the x87 part from the fsave image; of its tags it reads only "empty" (11b). */
	uint8_t *fsave = (uint8_t *)context->uc_mcontext.fpregs;
	uint16_t tag = 0;
	for (int i = 0; i < 8; i++)
		if (!(image[4] >> i & 1))
			tag |= 3 << 2 * i;
	memset(fsave, 0, 28);
	memcpy(fsave, image, 2);
	memcpy(fsave + 4, image + 2, 2);
	memcpy(fsave + 8, &tag, 2);
	for (int i = 0; i < 8; i++)
		memcpy(fsave + 28 + 10 * i, image + 32 + 16 * i, 10);
#endif
}

/* PUSHF would store the TF that steps the guest, and a repeated string instruction traps once a repetition. */
static void look_at_instruction(uintptr_t rip)
{
	int repeat = 0;
	stepped_from = rip;
	stepping_pushf = stepping_repeat = 0;
	for (; mapped(rip, 1); rip++) {
		uint8_t byte = *(const uint8_t *)rip;
		if (byte == 0xf2 || byte == 0xf3)
			repeat = 1;
		else if (byte == 0x9c)
			stepping_pushf = 1;
		else if ((byte >= 0xa4 && byte <= 0xa7) || (byte >= 0xaa && byte <= 0xaf))
			stepping_repeat = repeat;
		int prefix = byte == 0xf2 || byte == 0xf3 || byte == 0x66 || byte == 0x67 || byte == 0x2e ||
			     byte == 0x36 || byte == 0x3e || byte == 0x26 || byte == 0x64 || byte == 0x65;
#ifdef __x86_64__
		prefix |= (byte & 0xf0) == 0x40;
#endif
		if (!prefix)
			return;
	}
}

static void enter_guest(ucontext_t *context)
{
	greg_t *gregs = context->uc_mcontext.gregs;
	const struct state *state = &request->state;
	memcpy(host_registers, gregs, sizeof host_registers);
	memcpy(host_fxsave, fxsave_of(context), sizeof host_fxsave);
	for (int i = 0; i < REGISTERS; i++)
		gregs[order[i]] = state->regs[i];
	gregs[RIP] = state->rip;
	gregs[FLAGS] = state->rflags | TF;
	load_fxsave(context, state->fxsave);
	executed = repetitions = 0;
	look_at_instruction(state->rip);
	in_guest = 1;
}

static void leave_guest(ucontext_t *context, enum outcome outcome)
{
	greg_t *gregs = context->uc_mcontext.gregs;
	struct state *state = &reply->state;
	reply->outcome = outcome;
	reply->steps = executed;
	if (outcome == EXCEPTION) {
		reply->vector = gregs[REG_TRAPNO];
		reply->error = gregs[REG_ERR];
		if (reply->vector == PAGE_FAULT_VECTOR)
#ifdef __x86_64__
			reply->address = gregs[REG_CR2];
#else
			reply->address = context->uc_mcontext.cr2;
#endif
	}
	for (int i = 0; i < REGISTERS; i++)
		state->regs[i] = (uintptr_t)gregs[order[i]];
	state->rip = (uintptr_t)gregs[RIP];
	state->rflags = (uintptr_t)gregs[FLAGS] & ~(uintptr_t)(TF | RF);
	memcpy(state->fxsave, fxsave_of(context), 464);
	memcpy(gregs, host_registers, sizeof host_registers);
	load_fxsave(context, host_fxsave);
	in_guest = 0;
}

static void on_signal(int signal, siginfo_t *info, void *argument)
{
	(void)info;
	ucontext_t *context = argument;
	greg_t *gregs = context->uc_mcontext.gregs;
	/* The guest's AC, NT and ID are still in force here, and sigreturn would keep ID for the next case. */
#ifdef __x86_64__
	__asm__ volatile("pushq $2; popfq" ::: "cc", "memory");
#else
	__asm__ volatile("pushl $2; popfl" ::: "cc", "memory");
#endif
	if (!in_guest) {
		if (signal != SIGTRAP || !request)
			fail("a fault of its own");
		enter_guest(context);
	} else if (signal != SIGTRAP || gregs[REG_TRAPNO] != DEBUG_VECTOR) {
		leave_guest(context, EXCEPTION);
	} else {
		uintptr_t rip = gregs[RIP], rsp = gregs[order[4]];
		if (stepping_pushf)
			*(uint16_t *)rsp &= ~TF;
		if (!stepping_repeat || rip != stepped_from)
			executed++;
		else if (++repetitions == REPETITION_LIMIT)
			return leave_guest(context, ENDLESS);
		if (executed == request->steps)
			return leave_guest(context, RAN);
		look_at_instruction(rip);
		gregs[FLAGS] |= TF;
	}
}

static size_t padded(size_t length)
{
	return (length + 7) & ~(size_t)7;
}

/* Walks the windows of a request: stores their bytes in memory, or fetches them from there into `out`. */
static const uint8_t *windows(const uint8_t *in, uint8_t **out)
{
	for (uint32_t i = 0; i < request->windows; i++) {
		const struct window *window = (const struct window *)in;
		in += sizeof *window;
		int valid = mapped(window->address, window->length);
		if (!valid)
			reply->outcome = REFUSED;
		if (valid && out)
			memcpy(*out, (void *)(uintptr_t)window->address, window->length);
		else if (valid)
			memcpy((void *)(uintptr_t)window->address, in, window->length);
		in += padded(window->length);
		if (out)
			*out += padded(window->length);
	}
	return in;
}

/* Runs the case at `in`; gives the end of the request and of the reply. */
static const uint8_t *run(const uint8_t *in, uint8_t **out)
{
	request = (const struct request *)in;
	reply = (struct reply *)*out;
	*out += sizeof *reply;
	memset(reply, 0, sizeof *reply);
	for (size_t i = 0; i < sizeof regions / sizeof *regions; i++)
		memset((void *)regions[i].address, regions[i].filler, regions[i].length);
	in += sizeof *request;
	if (mapped(request->state.rip, request->code_length))
		memcpy((void *)(uintptr_t)request->state.rip, in, request->code_length);
	else
		reply->outcome = REFUSED;
	in += padded(request->code_length);
	windows(in, NULL);
	if (reply->outcome != REFUSED)
		__asm__ volatile("int3" ::: "memory", "cc");
	return windows(in, out);
}

static void transfer(ssize_t (*call)(int, void *, size_t), int file, void *bytes, size_t length)
{
	for (size_t done = 0; done < length;) {
		ssize_t count = call(file, (uint8_t *)bytes + done, length - done);
		if (count <= 0)
			_exit(count < 0); /* the other end is gone */
		done += count;
	}
}

static ssize_t write_some(int file, void *bytes, size_t length)
{
	return write(file, bytes, length);
}

/* gs on x86-64 and fs on x86-32 are free: the C library has its thread's data in the other. */
static void set_segment_base(void)
{
	const uintptr_t base = 0x20001000;
#ifdef __x86_64__
	if (syscall(SYS_arch_prctl, ARCH_SET_GS, base))
		fail("arch_prctl");
#else
	struct user_desc segment = { .entry_number = -1, .base_addr = base, .limit = 0xfffff, .seg_32bit = 1,
		.limit_in_pages = 1, .useable = 1 };
	if (syscall(SYS_set_thread_area, &segment))
		fail("set_thread_area");
	if (segment.entry_number != 13)
		fail("the selector of fs is not 0x6b");
	__asm__ volatile("mov %0, %%fs" : : "r"(segment.entry_number << 3 | 3));
#endif
}

static void prepare(void)
{
	static uint8_t handler_stack[1 << 16];
	const stack_t stack = { .ss_sp = handler_stack, .ss_size = sizeof handler_stack };
	struct sigaction action = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER };
	const int signals[] = { SIGTRAP, SIGSEGV, SIGBUS, SIGILL, SIGFPE };
	for (size_t i = 0; i < sizeof regions / sizeof *regions; i++)
		if (mmap((void *)regions[i].address, regions[i].length, regions[i].protection,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != (void *)regions[i].address)
			fail("a region is not free");
	set_segment_base();
	if (sigaltstack(&stack, NULL))
		fail("sigaltstack");
	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
		if (sigaction(signals[i], &action, NULL))
			fail("sigaction");
}

int main(void)
{
	prepare();
	for (;;) {
		struct batch batch, answer;
		transfer(read, STDIN_FILENO, &batch, sizeof batch);
		/* A reply is at most as long as its request and the difference of the two structs. */
		uint8_t *in = malloc(batch.bytes + 8), *replies = malloc(batch.bytes + batch.cases * sizeof(struct reply) + 8);
		if (!in || !replies)
			fail("out of memory");
		transfer(read, STDIN_FILENO, in, batch.bytes);
		const uint8_t *next = in;
		uint8_t *end = replies;
		for (uint32_t i = 0; i < batch.cases; i++)
			next = run(next, &end);
		answer.bytes = end - replies;
		answer.cases = batch.cases;
		transfer(write_some, STDOUT_FILENO, &answer, sizeof answer);
		transfer(write_some, STDOUT_FILENO, replies, answer.bytes);
		free(in);
		free(replies);
	}
}

/* What every test guest has: hypercalls, output on the console ring, and a way out. */
#ifndef PV_H
#define PV_H
#include <stddef.h>
#include <stdint.h>
#define __XEN_INTERFACE_VERSION__ 0x00040e00
#include <xen/xen.h>
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/sched.h>
#include <xen/vcpu.h>
#include <xen/version.h>
#include <xen/memory.h>
#include <xen/io/console.h>

extern start_info_t *start_info;
/* shared_info, mapped where a page of the guest's own was. */
extern shared_info_t *shared;

long hypercall(unsigned number, unsigned long a, unsigned long b, unsigned long c, unsigned long d,
	       unsigned long e);
#define CALL0(name) hypercall(__HYPERVISOR_##name, 0, 0, 0, 0, 0)
#define CALL1(name, a) hypercall(__HYPERVISOR_##name, (unsigned long)(a), 0, 0, 0, 0)
#define CALL2(name, a, b) \
	hypercall(__HYPERVISOR_##name, (unsigned long)(a), (unsigned long)(b), 0, 0, 0)
#define CALL3(name, a, b, c) \
	hypercall(__HYPERVISOR_##name, (unsigned long)(a), (unsigned long)(b), (unsigned long)(c), 0, 0)
#define CALL4(name, a, b, c, d)                                                                   \
	hypercall(__HYPERVISOR_##name, (unsigned long)(a), (unsigned long)(b), (unsigned long)(c), \
		  (unsigned long)(d), 0)

/* %d, %u, %x, %s, %c; l before them for long, L for 64 bits. */
void print(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Waits until the console has taken all. */
void drain(void);
/* The same, then shuts down. */
void finish(unsigned reason) __attribute__((noreturn));

/* The entry that maps a page of the first 2 MiB or more of the guest, by machine address. */
unsigned long mfn_of(const void *page);
/* Replaces what a page of the guest's own maps to. */
long map_page(void *page, uint64_t entry);

void *memset(void *to, int value, size_t length);
void *memcpy(void *to, const void *from, size_t length);
int memcmp(const void *one, const void *other, size_t length);

/* A result with the line that says how it came about. */
#define SHOW(expression) print("%s = %ld\n", #expression, (long)(expression))

/* Where nothing is. */
#define BAD ((void *)0x40000000)
#define SHOW_BAD(expression) print("bad pointer: %s = %ld\n", #expression, (long)(expression))

/* How often the event upcall has come. Events are masked after it; the guest unmasks them. */
extern volatile unsigned upcalls;

#define PAGE __attribute__((aligned(4096)))

/* The guest. */
void run(void);
#endif

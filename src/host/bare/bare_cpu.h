/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The processor's own instructions, and what is kept for each CPU. */
#ifndef VMM_BARE_CPU_H
#define VMM_BARE_CPU_H

#include <stdatomic.h>
#include <stdbool.h>

#include "bare.h"
#include "bits.h"

static inline void bare_out8(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline void bare_out16(uint16_t port, uint16_t value)
{
	__asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port));
}

static inline void bare_out32(uint16_t port, uint32_t value)
{
	__asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint8_t bare_in8(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline uint64_t bare_rdmsr(uint32_t msr)
{
	uint32_t low, high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return low | (uint64_t)high << 32;
}

static inline void bare_wrmsr(uint32_t msr, uint64_t value)
{
	__asm__ volatile("wrmsr"
			 :
			 : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
			 : "memory");
}

static inline uint64_t bare_rdtsc(void)
{
	uint32_t low, high;

	__asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return low | (uint64_t)high << 32;
}

struct bare_cpuid {
	uint32_t eax, ebx, ecx, edx;
};

static inline struct bare_cpuid bare_cpuid(uint32_t leaf, uint32_t sub)
{
	struct bare_cpuid r;

	__asm__ volatile("cpuid"
			 : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
			 : "a"(leaf), "c"(sub));
	return r;
}

static inline void bare_invlpg(uint64_t va)
{
	__asm__ volatile("invlpg (%0)" : : "r"(va) : "memory");
}

static inline void bare_pause(void)
{
	__asm__ volatile("pause" : : : "memory");
}

#define BARE_RFLAGS_IF UINT64_C(0x200)

/* Interrupts off; gives what bare_irq_restore() takes. */
static inline uint64_t bare_irq_save(void)
{
	uint64_t flags;

	__asm__ volatile("pushfq; popq %0; cli" : "=r"(flags) : : "memory");
	return flags;
}

static inline void bare_irq_restore(uint64_t flags)
{
	if ((flags & BARE_RFLAGS_IF) != 0)
		__asm__ volatile("sti" : : : "memory");
}

/* A spinning lock, held for short with interrupts off: bare_lock(). */
struct bare_lock {
	_Atomic uint32_t held;
};

/* Selectors; bare_entry.S knows the first two. */
#define BARE_SEL_CODE 0x08
#define BARE_SEL_DATA 0x10
#define BARE_SEL_TSS  0x18

/* Interrupt vectors; the stubs of bare_entry.S are for 0 to 31 and 0xf0 to 0xff. */
#define BARE_VECTOR_FIRST    0xf0
#define BARE_VECTOR_TIMER    0xf0
#define BARE_VECTOR_CALL     0xf1
#define BARE_VECTOR_KICK     0xf2
#define BARE_VECTOR_SPURIOUS 0xff

/* Stacks of a CPU: the threads', and those of the interrupt stack table (SDM vol. 3A, 6.14.5). */
#define BARE_STACK_MAIN 0
#define BARE_STACK_IRQ  1
#define BARE_STACK_TRAP 2
#define BARE_STACK_NMI  3
#define BARE_STACK_DF   4
#define BARE_STACK_MC   5
#define BARE_STACKS     6

/* SDM vol. 3A, figure 8-11. */
struct bare_tss {
	uint32_t reserved0;
	uint32_t rsp[6];
	uint32_t reserved1[2];
	uint32_t ist[14];
	uint32_t reserved2[2];
	uint16_t reserved3;
	uint16_t io_map;
};
_Static_assert(sizeof(struct bare_tss) == 104, "SDM vol. 3A, figure 8-11");

struct bare_call;

/* Kept for each CPU; the base of its GS points to it. */
struct bare_cpu {
	struct bare_cpu *self; /* %gs:0 */
	uint64_t id;           /* as thread_id() gives it: index + 1 */
	uint64_t main_stack;   /* at 16, for bare_entry.S */
	uint32_t apic_id;
	uint32_t windows;   /* in use */
	uint64_t *entries;  /* page-table entries of its windows */
	uint64_t window_va; /* of the first */
	uint64_t timer_ns;  /* what cpu_timer() asked for */
	uint64_t wait_ns;   /* when wait() ends */
	uint32_t *_Atomic
		mark; /* cpu_timer_mark()'s, taken by the CPU itself alone, but for its end */
	uint32_t mark_bits;
	const uint32_t *_Atomic waiting;
	struct bare_call *_Atomic calls; /* to be served */
	_Atomic uint32_t lent;           /* 1: its interrupts are a guest's: bare_lend.c */
	_Atomic uint32_t senders;        /* who are about to send it something */
	_Atomic uint32_t locks;          /* that it holds, or is about to */
	bool was_lent;                   /* an NMI may still come that it was lent for */
	_Atomic uint32_t online;         /* it has arrived */
	_Atomic uint32_t state;          /* see bare_smp.c */
	void (*fn)(void *arg);           /* what it was started with */
	void *arg;
	uint64_t stack_top[BARE_STACKS];
	uint64_t gdt[5];
	struct bare_tss tss;
};

_Static_assert(offsetof(struct bare_cpu, main_stack) == 16, "bare_entry.S");

static inline struct bare_cpu *bare_this_cpu(void)
{
	struct bare_cpu *cpu;

	__asm__ volatile("movq %%gs:0, %0" : "=r"(cpu));
	return cpu;
}

/* The calls that others have made: bare_smp.c. */
void vmm__bare_serve(struct bare_cpu *cpu);

static inline uint64_t bare_lock(struct bare_lock *lock)
{
	const uint64_t flags = bare_irq_save();

	atomic_fetch_add(&bare_this_cpu()->locks, 1);
	while (atomic_exchange(&lock->held, 1) != 0)
		bare_pause();
	return flags;
}

static inline void bare_unlock(struct bare_lock *lock, uint64_t flags)
{
	struct bare_cpu *cpu = bare_this_cpu();

	atomic_store(&lock->held, 0);
	if (atomic_fetch_sub(&cpu->locks, 1) == 1 && cpu->was_lent)
		vmm__bare_serve(cpu);
	bare_irq_restore(flags);
}

#define BARE_MSR_GS_BASE   0xc0000101
#define BARE_MSR_APIC_BASE 0x1b

#endif

// SPDX-License-Identifier: BSD-2-Clause-Patent
/* The local APIC, by MSR (x2APIC) or by registers in memory: SDM vol. 3A, chapter 10. */
#include "bare_host.h"

#define APIC_BASE_X2     BIT(10)
#define APIC_BASE_ENABLE BIT(11)
#define APIC_BASE_ADDR   BITS(51, 12)

/* Registers: table 10-1; as MSRs they are 16 bytes apart at 0x800 (table 10-6). */
#define APIC_ID       0x20
#define APIC_TPR      0x80
#define APIC_EOI      0xb0
#define APIC_SVR      0xf0
#define APIC_ISR      0x100
#define APIC_IRR      0x200
#define APIC_ICR      0x300
#define APIC_ICR_HIGH 0x310
#define APIC_TIMER    0x320
#define APIC_LINT0    0x350
#define APIC_LINT1    0x360
#define APIC_ERROR    0x370
#define APIC_INITIAL  0x380
#define APIC_CURRENT  0x390
#define APIC_DIVIDE   0x3e0

/*
 * Interrupts of vectors 16 to 31 look like exceptions, so the host takes none: what a guest has
 * left pending there, or sends too late, stays until vmm__bare_apic_drain().
 */
#define TPR_HOST 0x10

#define SVR_ENABLE       0x100
#define LVT_MASKED       BIT(16)
#define LVT_NMI          0x400
#define TIMER_DEADLINE   BIT(18)
#define DIVIDE_BY_1      0xb
#define ICR_PENDING      BIT(12)
#define MSR_TSC_DEADLINE 0x6e0

#define CPUID1_ECX_X2APIC   BIT(21)
#define CPUID1_ECX_DEADLINE BIT(24)

/* Reads of the ICR until an IPI must be gone. */
#define SEND_TRIES 100000

/* Each lets one interrupt in. */
#define DRAIN_TRIES 1000

/* The same on all CPUs; set by the first. */
static bool x2apic, deadline_mode;
static uint64_t registers;
static uint64_t timer_hz;

static uint32_t apic_read(uint32_t reg)
{
	if (x2apic)
		return (uint32_t)bare_rdmsr(0x800 + (reg >> 4));
	return *(volatile uint32_t *)(uintptr_t)(registers + reg);
}

static void apic_write(uint32_t reg, uint32_t value)
{
	if (x2apic)
		bare_wrmsr(0x800 + (reg >> 4), value);
	else
		*(volatile uint32_t *)(uintptr_t)(registers + reg) = value;
}

static void find_registers(void)
{
	const uint32_t features = bare_cpuid(1, 0).ecx;
	const uint64_t base = bare_rdmsr(BARE_MSR_APIC_BASE);

	x2apic = (features & CPUID1_ECX_X2APIC) != 0;
	deadline_mode = (features & CPUID1_ECX_DEADLINE) != 0;
	registers = base & APIC_BASE_ADDR;
}

/* Counts of the timer in a second, against the TSC. */
static void calibrate(void)
{
	const uint64_t start = bare_rdtsc(), ticks = vmm__bare_tsc_hz / 100;
	uint64_t now;

	apic_write(APIC_INITIAL, UINT32_MAX);
	do {
		now = bare_rdtsc();
	} while (now - start < ticks);
	timer_hz =
		(uint64_t)(UINT32_MAX - apic_read(APIC_CURRENT)) * vmm__bare_tsc_hz / (now - start);
	apic_write(APIC_INITIAL, 0);
}

bool vmm__bare_apic_init(struct bare_cpu *cpu)
{
	const bool first = cpu->id == 1;

	if (first)
		find_registers();
	if (first && !x2apic &&
	    vmm__bare_map(registers, registers, BARE_PAGE, VMM__PROT_R | VMM__PROT_W,
			  VMM__MEM_UC) != 0)
		return false;
	/* x2APIC is entered from xAPIC alone: SDM vol. 3A, figure 10-27. */
	bare_wrmsr(BARE_MSR_APIC_BASE, bare_rdmsr(BARE_MSR_APIC_BASE) | APIC_BASE_ENABLE);
	if (x2apic)
		bare_wrmsr(BARE_MSR_APIC_BASE, bare_rdmsr(BARE_MSR_APIC_BASE) | APIC_BASE_X2);
	cpu->apic_id = x2apic ? apic_read(APIC_ID) : apic_read(APIC_ID) >> 24;
	vmm__bare_apic_program();
	if (first && !deadline_mode)
		calibrate();
	return deadline_mode || timer_hz != 0;
}

void vmm__bare_apic_program(void)
{
	apic_write(APIC_SVR, SVR_ENABLE | BARE_VECTOR_SPURIOUS);
	apic_write(APIC_LINT0, LVT_MASKED);
	apic_write(APIC_LINT1, LVT_NMI);
	apic_write(APIC_DIVIDE, DIVIDE_BY_1);
	apic_write(APIC_TIMER,
		   (uint32_t)(BARE_VECTOR_TIMER | (deadline_mode ? TIMER_DEADLINE : 0)));
	apic_write(APIC_TPR, TPR_HOST);
}

void vmm__bare_apic_silence(void)
{
	apic_write(APIC_TPR, 0xff);
	if (deadline_mode)
		bare_wrmsr(MSR_TSC_DEADLINE, 0);
	apic_write(APIC_INITIAL, 0);
	for (uint32_t lvt = APIC_TIMER; lvt <= APIC_ERROR; lvt += 0x10)
		apic_write(lvt, LVT_MASKED);
}

/* Each EOI ends the highest that is in service. */
void vmm__bare_apic_finish(void)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t any = 0;

		for (uint32_t word = 0; word < 8; word++)
			any |= apic_read(APIC_ISR + 0x10 * word);
		if (any == 0)
			return;
		apic_write(APIC_EOI, 0);
	}
}

/* What is pending is taken, and ends; with interrupts off, and the tables that know what it is. */
void vmm__bare_apic_drain(void)
{
	apic_write(APIC_TPR, 0);
	for (uint32_t i = 0; i < DRAIN_TRIES && (apic_read(APIC_IRR) & BITS(31, 16)) != 0; i++)
		__asm__ volatile("sti; nop; nop; cli" : : : "memory");
	apic_write(APIC_TPR, 0xff);
}

bool vmm__bare_apic_serves(uint32_t vector)
{
	return (apic_read(APIC_ISR + 0x10 * (vector / 32)) >> vector % 32 & 1) != 0;
}

void vmm__bare_apic_end(void)
{
	apic_write(APIC_EOI, 0);
}

void vmm__bare_apic_send(const struct bare_cpu *cpu, uint32_t vector)
{
	const uint64_t flags = bare_irq_save();

	if (x2apic) {
		/* Not ordered by itself with stores before it: SDM vol. 3A, 10.12.3. */
		__asm__ volatile("mfence; lfence" : : : "memory");
		bare_wrmsr(0x800 + (APIC_ICR >> 4), (uint64_t)cpu->apic_id << 32 | vector);
	} else {
		for (uint32_t i = 0; i < SEND_TRIES && (apic_read(APIC_ICR) & ICR_PENDING) != 0;
		     i++)
			bare_pause();
		apic_write(APIC_ICR_HIGH, cpu->apic_id << 24);
		apic_write(APIC_ICR, vector);
	}
	bare_irq_restore(flags);
}

void vmm__bare_timer_set(struct bare_cpu *cpu, uint64_t earliest)
{
	uint64_t at = cpu->timer_ns < cpu->wait_ns ? cpu->timer_ns : cpu->wait_ns;
	uint64_t now, count;

	if (atomic_load(&cpu->lent) != 0)
		return;
	if (at < earliest)
		at = earliest;

	if (deadline_mode) {
		bare_wrmsr(MSR_TSC_DEADLINE, at == VMM_FOREVER ? 0 : vmm__bare_tsc_of(at));
		return;
	}
	if (at == VMM_FOREVER) {
		apic_write(APIC_INITIAL, 0);
		return;
	}
	/* Longer than it can count: it comes early, and is set again. */
	now = vmm__bare_time_ns();
	count = at <= now               ? 1
		: at - now > 1000000000 ? timer_hz
					: (at - now) * timer_hz / 1000000000;
	apic_write(APIC_INITIAL, count == 0           ? 1
				 : count > UINT32_MAX ? UINT32_MAX
						      : (uint32_t)count);
}

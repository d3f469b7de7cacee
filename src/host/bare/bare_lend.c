// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * CPUs whose interrupts are a guest's: cpu_lend() of libvmm/host.h. Interrupts come in through the
 * guest's own tables while it runs, so none of the host's may be sent there, and while the host
 * runs the task priority keeps all out. What the host wants of such a CPU it sends as an NMI.
 */
#include "bare_host.h"

#define ICR_NMI 0x4400

/* How long an interrupt is on its way at most. */
#define ARRIVAL_NS 20000

void vmm__bare_interrupt(struct bare_cpu *cpu, uint32_t vector)
{
	atomic_fetch_add(&cpu->senders, 1);
	vmm__bare_apic_send(cpu, atomic_load(&cpu->lent) != 0 ? ICR_NMI : vector);
	atomic_fetch_sub(&cpu->senders, 1);
}

/* Who has not seen that it is lent is waited for, and what it has sent. */
void vmm__bare_lend(struct bare_cpu *cpu)
{
	uint64_t flags, end;

	cpu->was_lent = true;
	atomic_store(&cpu->lent, 1);
	while (atomic_load(&cpu->senders) != 0)
		bare_pause();
	end = vmm__bare_time_ns() + ARRIVAL_NS;
	while (vmm__bare_time_ns() < end)
		bare_pause();
	flags = bare_irq_save();
	vmm__bare_apic_silence();
	vmm__bare_drain();
	bare_irq_restore(flags);
}

/* What is still pending goes to the host's own handlers, and ends there, or stays until the CPU is
 * lent again: vectors 16 to 31. */
void vmm__bare_take_back(struct bare_cpu *cpu)
{
	const uint64_t flags = bare_irq_save();

	vmm__bare_apic_silence();
	vmm__bare_apic_finish();
	vmm__bare_apic_program();
	atomic_store(&cpu->lent, 0);
	vmm__bare_timer_set(cpu, 0);
	bare_irq_restore(flags);
}

/* One that comes late is no error. Where a lock is held, whoever holds it serves. */
bool vmm__bare_nmi(struct bare_cpu *cpu)
{
	if (!cpu->was_lent)
		return false;
	if (atomic_load(&cpu->locks) == 0)
		vmm__bare_serve(cpu);
	return true;
}

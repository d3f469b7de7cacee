// SPDX-License-Identifier: BSD-2-Clause-Patent
/* The other processors: starting them, and having them do things. */
#include "bare_host.h"
#include "libvmm/mem.h"
#include "mem.h"
#include "sync.h"

/* SDM vol. 3A, 8.4.4.1: INIT, 10 ms, SIPI, 200 us, SIPI. */
#define ICR_INIT   0x4500
#define ICR_SIPI   0x4600
#define ICR_NMI    0x4400
#define INIT_NS    10000000
#define SIPI_NS    200000
#define ARRIVAL_NS 1000000000

/* What one does: struct bare_cpu's state. */
#define CPU_IDLE    0
#define CPU_TAKEN   1
#define CPU_STARTED 2

/* One that calls, on its stack. */
struct bare_call {
	struct bare_call *next;
	void (*fn)(void *arg);
	void *arg;
	_Atomic uint32_t done;
};

struct bare_cpu *vmm__bare_cpus[BARE_CPUS_MAX];
struct bare_cpu *_Atomic vmm__bare_starting;
_Atomic uint32_t vmm__bare_cpu_count;
_Atomic uint32_t vmm__bare_ending;

static void pause_ns(uint64_t ns)
{
	const uint64_t end = vmm__bare_time_ns() + ns;

	while (vmm__bare_time_ns() < end)
		bare_pause();
}

static bool arrived(const struct bare_cpu *cpu, uint64_t ns)
{
	const uint64_t end = vmm__bare_time_ns() + ns;

	while (atomic_load(&cpu->online) == 0) {
		if (vmm__bare_time_ns() >= end)
			return false;
		bare_pause();
	}
	return true;
}

/* Enters vmm__bare_ap_start() on its own stack. One that comes too late finds nothing, and halts.
 */
static bool start_cpu(struct bare_cpu *cpu, uint64_t page)
{
	const uint32_t sipi = ICR_SIPI | (uint32_t)(page / BARE_PAGE);
	bool well;

	atomic_store(&vmm__bare_starting, cpu);
	vmm__bare_apic_send(cpu, ICR_INIT);
	pause_ns(INIT_NS);
	vmm__bare_apic_send(cpu, sipi);
	well = arrived(cpu, SIPI_NS);
	if (!well) {
		vmm__bare_apic_send(cpu, sipi);
		well = arrived(cpu, ARRIVAL_NS);
	}
	return atomic_exchange(&vmm__bare_starting, NULL) == NULL &&
	       (well || arrived(cpu, ARRIVAL_NS));
}

/* Other CPUs begin in real mode, in a page below 1 MiB: the trampoline of bare_entry.S is put
 * there. */
static bool place_trampoline(uint64_t page)
{
	void *window;

	if (page == 0)
		return false;
	window = vmm__bare_window(page, BARE_PAGE, VMM_MEMTYPE_WB);
	if (window == NULL)
		return false;
	memcpy(window, vmm__bare_trampoline,
	       (size_t)(vmm__bare_trampoline_end - vmm__bare_trampoline));
	vmm__bare_window_end(window, BARE_PAGE);
	return vmm__bare_map(page, page, BARE_PAGE, VMM__PROT_R | VMM__PROT_X, VMM__MEM_WB) == 0;
}

void vmm__bare_smp_start(void)
{
	static uint32_t apic_ids[BARE_CPUS_MAX];
	const uint32_t count = vmm__bare_acpi_cpus(apic_ids, BARE_CPUS_MAX);
	const uint64_t page = vmm__bare_low_page;

	if (count < 2)
		return;
	if (!place_trampoline(page)) {
		vmm_bare_print("bare: no memory below 640 KiB to start other CPUs with\n");
		return;
	}
	for (uint32_t i = 0; i < count; i++) {
		const uint32_t index = vmm__bare_cpu_count;
		struct bare_cpu *cpu;

		if (apic_ids[i] == vmm__bare_cpus[0]->apic_id)
			continue;
		cpu = vmm__bare_cpu_make(index);
		if (cpu == NULL) {
			vmm_bare_print("bare: no memory for CPU %u\n", index + 1);
			break;
		}
		cpu->apic_id = apic_ids[i];
		if (!start_cpu(cpu, page)) {
			vmm_bare_print("bare: the CPU of APIC %u does not start\n", apic_ids[i]);
			break;
		}
		vmm__bare_cpu_count = index + 1;
	}
	vmm__bare_unmap(page, BARE_PAGE);
}

/* --- work --- */

static _Noreturn void work(struct bare_cpu *cpu)
{
	const struct vmm_host *host = vmm_bare_host();

	for (;;) {
		if (atomic_load(&cpu->state) != CPU_STARTED) {
			vmm__wait(host, &cpu->state, CPU_IDLE, VMM_FOREVER);
			continue;
		}
		cpu->fn(cpu->arg);
		atomic_store(&cpu->state, CPU_IDLE);
		vmm__wake(host, &cpu->state);
	}
}

void vmm__bare_ap_start(struct bare_cpu *cpu)
{
	vmm__bare_cpu_init(cpu);
	if (!vmm__bare_apic_init(cpu))
		vmm__bare_halt();
	atomic_store(&cpu->online, 1);
	__asm__ volatile("sti");
	work(cpu);
}

uint32_t vmm_bare_cpus(void)
{
	return vmm__bare_cpu_count;
}

static struct bare_cpu *other_cpu(uint64_t id)
{
	return id != 0 && id <= vmm__bare_cpu_count && id != bare_this_cpu()->id
		       ? vmm__bare_cpus[id - 1]
		       : NULL;
}

int vmm_bare_run(uint64_t id, void (*fn)(void *arg), void *arg)
{
	struct bare_cpu *cpu = other_cpu(id);
	uint32_t idle = CPU_IDLE;

	if (cpu == NULL || id == 1)
		return -VMM_ENODEV;
	if (!atomic_compare_exchange_strong(&cpu->state, &idle, CPU_TAKEN))
		return -VMM_EBUSY;
	cpu->fn = fn;
	cpu->arg = arg;
	atomic_store(&cpu->state, CPU_STARTED);
	vmm__wake(vmm_bare_host(), &cpu->state);
	return 0;
}

int vmm_bare_join(uint64_t id)
{
	struct bare_cpu *cpu = other_cpu(id);
	uint32_t state;

	if (cpu == NULL)
		return -VMM_ENODEV;
	while ((state = atomic_load(&cpu->state)) != CPU_IDLE)
		vmm__wait(vmm_bare_host(), &cpu->state, state, VMM_FOREVER);
	return 0;
}

/* --- calls --- */

void vmm__bare_serve(struct bare_cpu *cpu)
{
	struct bare_call *call = atomic_exchange(&cpu->calls, NULL);

	while (call != NULL) {
		struct bare_call *next = call->next;

		call->fn(call->arg);
		atomic_store(&call->done, 1); /* it is the caller's again */
		call = next;
	}
}

/* Two that call each other with interrupts off serve each other while they wait. */
int vmm__bare_call(uint64_t id, void (*fn)(void *arg), void *arg)
{
	struct bare_cpu *cpu = other_cpu(id);
	struct bare_call call = {.fn = fn, .arg = arg};
	uint64_t flags;

	if (cpu == NULL && id != bare_this_cpu()->id)
		return -VMM_ENODEV;
	flags = bare_irq_save();
	if (cpu == NULL) {
		fn(arg);
	} else {
		call.next = atomic_load(&cpu->calls);
		while (!atomic_compare_exchange_weak(&cpu->calls, &call.next, &call))
			;
		vmm__bare_interrupt(cpu, BARE_VECTOR_CALL);
		while (atomic_load(&call.done) == 0) {
			vmm__bare_serve(bare_this_cpu());
			bare_pause();
		}
	}
	bare_irq_restore(flags);
	return 0;
}

/* --- the end --- */

void vmm__bare_halt(void)
{
	for (;;)
		__asm__ volatile("cli; hlt");
}

void vmm__bare_stop_others(void)
{
	const struct bare_cpu *cpu = bare_this_cpu();
	uint32_t nobody = 0;

	if (!atomic_compare_exchange_strong(&vmm__bare_ending, &nobody, (uint32_t)cpu->id)) {
		if (nobody != cpu->id)
			vmm__bare_halt();
		return;
	}
	for (uint32_t i = 0; i < vmm__bare_cpu_count; i++) {
		if (vmm__bare_cpus[i] != cpu)
			vmm__bare_apic_send(vmm__bare_cpus[i], ICR_NMI);
	}
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
/* From the boot loader to vmm_bare_main(), and the end. */
#include "bare_host.h"
#include "mem.h"

#define CR4_OSFXSR     BIT(9)
#define CR4_OSXMMEXCPT BIT(10)
#define CR4_OSXSAVE    BIT(18)
#define CPUID1_XSAVE   BIT(26)

/* Page attributes 4: write-combining, for windows; the others as after reset (SDM vol. 3A, 11.12).
 */
#define MSR_PAT   0x277
#define PAT_VALUE UINT64_C(0x0007040100070406)

#define PIC_MASK1 0x21
#define PIC_MASK2 0xa1

#define DEBUG_EXIT 0xf4

/* Bytes; each has as much again unmapped before it. */
static const uint32_t stack_bytes[BARE_STACKS] = {65536, 16384, 8192, 8192, 8192, 8192};
#define STACK_ROOM 65536

static struct bare_cpu first;

_Noreturn void vmm__bare_start(uint32_t magic, uint32_t info);

static bool make_stacks(struct bare_cpu *cpu, uint32_t index)
{
	for (uint32_t i = 0; i < BARE_STACKS; i++) {
		const uint64_t room = ((uint64_t)index * BARE_STACKS + i) * 2 + 1;
		const uint64_t va = BARE_STACKS_VA + room * STACK_ROOM;
		uint64_t pa;

		if (!vmm__bare_phys_take(stack_bytes[i], BARE_PAGE, true, &pa) ||
		    vmm__bare_map(va, pa, stack_bytes[i], VMM__PROT_R | VMM__PROT_W, VMM__MEM_WB) !=
			    0)
			return false;
		cpu->stack_top[i] = va + stack_bytes[i];
	}
	return true;
}

struct bare_cpu *vmm__bare_cpu_make(uint32_t index)
{
	struct bare_cpu *cpu = index == 0 ? &first : vmm__bare_heap_take(sizeof(*cpu), 64);

	if (cpu == NULL)
		return NULL;
	if (index != 0)
		memset(cpu, 0, sizeof(*cpu));
	cpu->self = cpu;
	cpu->id = index + 1;
	cpu->timer_ns = cpu->wait_ns = VMM_FOREVER;
	if (!vmm__bare_windows_init(cpu, index) || !make_stacks(cpu, index))
		return NULL;
	cpu->main_stack = cpu->stack_top[BARE_STACK_MAIN];
	vmm__bare_cpus[index] = cpu;
	return cpu;
}

/* What each CPU does for itself. */
void vmm__bare_cpu_init(struct bare_cpu *cpu)
{
	uint64_t cr4;

	vmm__bare_tables_load(cpu);

	__asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
	cr4 |= CR4_OSFXSR | CR4_OSXMMEXCPT;
	if ((bare_cpuid(1, 0).ecx & CPUID1_XSAVE) != 0)
		cr4 |= CR4_OSXSAVE;
	__asm__ volatile("mov %0, %%cr4" : : "r"(cr4) : "memory");
	if ((cr4 & CR4_OSXSAVE) != 0) {
		const struct bare_cpuid r = bare_cpuid(13, 0);

		__asm__ volatile("xsetbv" : : "c"(0), "a"(r.eax), "d"(r.edx));
	}
	bare_wrmsr(MSR_PAT, PAT_VALUE);
}

static _Noreturn void fail(const char *what)
{
	vmm_bare_print("bare: cannot start: %s\n", what);
	vmm_bare_end(VMM_BARE_STATUS_START);
}

/* One that cannot be shown is not there. */
static void show_modules(void)
{
	struct vmm_bare_boot *b = &vmm__bare_boot;
	uint32_t count = 0;

	for (uint32_t i = 0; i < b->module_count; i++) {
		if (vmm__bare_show(bare_address(b->modules[i].data), b->modules[i].len))
			b->modules[count++] = b->modules[i];
		else
			vmm_bare_print("bare: module %u lies where it cannot be read\n", i);
	}
	b->module_count = count;
}

static _Noreturn void run(void)
{
	struct bare_cpu *cpu = vmm__bare_cpus[0];

	vmm__bare_cpu_init(cpu);
	show_modules();
	if (!vmm__bare_time_init())
		fail("the TSC's rate cannot be found out");
	if (!vmm__bare_apic_init(cpu))
		fail("no use of the local APIC");
	if (vmm__bare_acpi_init())
		vmm__bare_smp_start();
	__asm__ volatile("sti");
	vmm_bare_end(vmm_bare_main(&vmm__bare_boot));
}

/* So that exceptions are told from the beginning, all on one stack. */
static void catch_early(void)
{
	static _Alignas(16) uint8_t stack[4096];

	first.self = &first;
	first.id = 1;
	for (uint32_t i = 0; i < BARE_STACKS; i++)
		first.stack_top[i] = bare_address(stack + sizeof(stack));
	vmm__bare_tables_load(&first);
}

_Noreturn void vmm__bare_start(uint32_t magic, uint32_t info)
{
	struct bare_cpu *cpu;

	vmm__bare_serial_init();
	catch_early();
	bare_out8(PIC_MASK1, 0xff);
	bare_out8(PIC_MASK2, 0xff);

	if (!vmm__bare_boot_read(magic, info))
		fail("neither PVH nor Multiboot 2 information");
	if (!vmm__bare_paging_init())
		fail("no memory for page tables");
	cpu = vmm__bare_cpu_make(0);
	if (cpu == NULL)
		fail("no memory for the first CPU");
	vmm__bare_cpu_count = 1;
	vmm__bare_switch(bare_address(vmm__bare_root), cpu->stack_top[BARE_STACK_MAIN], run);
}

void vmm_bare_end(int status)
{
	vmm__bare_stop_others();
	vmm_bare_print("bare: ended with status %d\n", status);
	/* QEMU's isa-debug-exit ends it with 2 * value + 1. */
	bare_out32(DEBUG_EXIT, (uint32_t)status);
	vmm_bare_power_off();
}

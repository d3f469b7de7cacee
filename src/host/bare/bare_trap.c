// SPDX-License-Identifier: BSD-2-Clause-Patent
/* Descriptor tables, interrupts, and exceptions, each of which ends in a readable dump. */
#include "bare_host.h"

#define STUB_BYTES 16
#define EXCEPTIONS 32
#define STUBS      (EXCEPTIONS + 17)

#define VECTOR_NMI 2
#define VECTOR_DF  8
#define VECTOR_PF  14
#define VECTOR_MC  18

/* SDM vol. 3A, figure 6-8. */
struct gate {
	uint16_t offset0;
	uint16_t selector;
	uint8_t ist;
	uint8_t type;
	uint16_t offset1;
	uint32_t offset2;
	uint32_t reserved;
};
_Static_assert(sizeof(struct gate) == 16, "SDM vol. 3A, figure 6-8");

#define GATE_INTERRUPT 0x8e

#define TIMER_AGAIN_NS 100000

struct __attribute__((packed)) table_register {
	uint16_t limit;
	uint64_t base;
};

static struct gate idt[256];
static struct gate drain_idt[256]; /* where 16 to 31 are interrupts: see bare_apic.c's TPR_HOST */

static uint8_t stack_of(uint32_t vector)
{
	switch (vector) {
	case VECTOR_NMI:
		return BARE_STACK_NMI;
	case VECTOR_DF:
		return BARE_STACK_DF;
	case VECTOR_MC:
		return BARE_STACK_MC;
	default:
		return vector < EXCEPTIONS ? BARE_STACK_TRAP : BARE_STACK_IRQ;
	}
}

static void set_gate(uint32_t vector, uint64_t entry)
{
	idt[vector] = (struct gate){
		.offset0 = (uint16_t)entry,
		.selector = BARE_SEL_CODE,
		.ist = stack_of(vector),
		.type = GATE_INTERRUPT,
		.offset1 = (uint16_t)(entry >> 16),
		.offset2 = (uint32_t)(entry >> 32),
	};
}

/* Vectors without a stub of their own share the last one: they are not the host's. */
static void fill_idt(void)
{
	const uint64_t stubs = bare_address(vmm__bare_stubs);

	for (uint32_t vector = 0; vector < 256; vector++) {
		const uint32_t i = vector < EXCEPTIONS ? vector
				   : vector < BARE_VECTOR_FIRST
					   ? STUBS - 1
					   : vector - BARE_VECTOR_FIRST + EXCEPTIONS;
		const uint64_t entry = stubs + i * STUB_BYTES;

		set_gate(vector, entry);
	}
	for (uint32_t vector = 0; vector < 256; vector++)
		drain_idt[vector] = idt[vector < 16 || vector >= EXCEPTIONS ? vector : EXCEPTIONS];
}

static void load_idt(const struct gate *table)
{
	const struct table_register idtr = {sizeof(idt) - 1, bare_address(table)};

	__asm__ volatile("lidt %0" : : "m"(idtr) : "memory");
}

/* There are no exceptions of 16 to 31 meanwhile but a machine check, which is lost. */
void vmm__bare_drain(void)
{
	load_idt(drain_idt);
	vmm__bare_apic_drain();
	load_idt(idt);
}

/* SDM vol. 3A, figure 7-4; present, available 64-bit TSS. */
static void fill_gdt(struct bare_cpu *cpu)
{
	const uint64_t base = bare_address(&cpu->tss);

	cpu->gdt[BARE_SEL_CODE / 8] = UINT64_C(0x00af9b000000ffff);
	cpu->gdt[BARE_SEL_DATA / 8] = UINT64_C(0x00cf93000000ffff);
	cpu->gdt[BARE_SEL_TSS / 8] = (sizeof(cpu->tss) - 1) | (base & 0xffffff) << 16 |
				     UINT64_C(0x89) << 40 | (base >> 24 & 0xff) << 56;
	cpu->gdt[BARE_SEL_TSS / 8 + 1] = base >> 32;
	cpu->tss.io_map = sizeof(cpu->tss);
	for (uint32_t i = BARE_STACK_IRQ; i < BARE_STACKS; i++) {
		cpu->tss.ist[2 * i - 2] = (uint32_t)cpu->stack_top[i];
		cpu->tss.ist[2 * i - 1] = (uint32_t)(cpu->stack_top[i] >> 32);
	}
}

void vmm__bare_tables_load(struct bare_cpu *cpu)
{
	const struct table_register gdtr = {sizeof(cpu->gdt) - 1, bare_address(cpu->gdt)};

	if (cpu->id == 1)
		fill_idt();
	fill_gdt(cpu);
	__asm__ volatile("lgdt %0; ltr %w1" : : "m"(gdtr), "r"(BARE_SEL_TSS) : "memory");
	load_idt(idt);
	bare_wrmsr(BARE_MSR_GS_BASE, bare_address(cpu));
}

/* SDM vol. 3A, table 6-1. */
static const char *exception_name(uint64_t vector)
{
	static const char names[EXCEPTIONS][4] = {
		"#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM", "#DF", "#9",  "#TS",
		"#NP", "#SS", "#GP", "#PF", "#15", "#MF", "#AC", "#MC", "#XM", "#VE", "#CP",
		"#22", "#23", "#24", "#25", "#26", "#27", "#HV", "#VC", "#SX", "#31",
	};

	return vector < EXCEPTIONS ? names[vector] : "interrupt";
}

static void print_pair(const char *a, uint64_t x, const char *b, uint64_t y)
{
	vmm_bare_print("bare:   %s %016llx  %s %016llx\n", a, (unsigned long long)x, b,
		       (unsigned long long)y);
}

static void dump(const struct vmm_bare_frame *f)
{
	const struct bare_cpu *cpu = bare_this_cpu();
	uint64_t cr0, cr2, cr3, cr4;

	__asm__ volatile("mov %%cr0, %0; mov %%cr2, %1; mov %%cr3, %2; mov %%cr4, %3"
			 : "=r"(cr0), "=r"(cr2), "=r"(cr3), "=r"(cr4));
	vmm_bare_print("\nbare: %s on CPU %u: vector %u, error %llx, address %016llx\n",
		       exception_name(f->vector), (unsigned)cpu->id, (unsigned)f->vector,
		       (unsigned long long)f->error, (unsigned long long)cr2);
	if (f->vector == VECTOR_PF && cr2 >= BARE_STACKS_VA && cr2 < BARE_STACKS_END)
		vmm_bare_print("bare:   the address lies beside a stack\n");
	print_pair("rip", f->rip, "cs", f->cs);
	print_pair("rsp", f->rsp, "rfl", f->rflags);
	print_pair("rax", f->rax, "rbx", f->rbx);
	print_pair("rcx", f->rcx, "rdx", f->rdx);
	print_pair("rsi", f->rsi, "rdi", f->rdi);
	print_pair("rbp", f->rbp, "r8", f->r8);
	print_pair("r9", f->r9, "r10", f->r10);
	print_pair("r11", f->r11, "r12", f->r12);
	print_pair("r13", f->r13, "r14", f->r14);
	print_pair("r15", f->r15, "cr0", cr0);
	print_pair("cr3", cr3, "cr4", cr4);
}

/*
 * Interrupts end what waits, a HLT or a guest, by being there. The timer may come too early, and
 * then is set again. Once it is due it comes again until it is set anew: the CPU may have been on
 * its way into a guest. What is nobody's was a guest's, of this CPU or another, and ends here.
 */
static void interrupt(struct bare_cpu *cpu, uint64_t vector)
{
	if (vector == BARE_VECTOR_SPURIOUS && !vmm__bare_apic_serves(BARE_VECTOR_SPURIOUS))
		return;
	vmm__bare_apic_end();
	if (vector == BARE_VECTOR_CALL)
		vmm__bare_serve(cpu);
	if (vector == BARE_VECTOR_TIMER) {
		const uint64_t now = vmm__bare_time_ns();

		if (cpu->wait_ns <= now)
			cpu->wait_ns = VMM_FOREVER;
		if (cpu->timer_ns <= now)
			vmm__bare_mark(cpu);
		vmm__bare_timer_set(cpu, cpu->timer_ns <= now ? now + TIMER_AGAIN_NS : 0);
	}
}

static int (*trap_hook)(struct vmm_bare_frame *frame);

void vmm_bare_trap_hook(int (*hook)(struct vmm_bare_frame *frame))
{
	trap_hook = hook;
}

void vmm__bare_trap(struct vmm_bare_frame *frame)
{
	struct bare_cpu *cpu = bare_this_cpu();
	const uint32_t ending = atomic_load(&vmm__bare_ending);

	if (frame->vector >= BARE_VECTOR_FIRST) {
		interrupt(cpu, frame->vector);
		return;
	}
	if (ending == 0 && trap_hook != NULL && trap_hook(frame) == 1)
		return;
	if (ending == 0 && frame->vector == VECTOR_NMI && vmm__bare_nmi(cpu))
		return;
	vmm__bare_stop_others();
	if (ending == cpu->id) /* it was told already, or cannot be */
		vmm__bare_halt();
	dump(frame);
	vmm_bare_end(VMM_BARE_STATUS_TRAP);
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
/* What there is to see of a VM. */
#include "libvmm/debug.h"
#include "libvmm/x86.h"
#include "monitor.h"

#define CR0_PE    (UINT64_C(1) << 0)
#define CR0_PG    (UINT64_C(1) << 31)
#define EFER_LMA  (UINT64_C(1) << 10)
#define RFLAGS_IF (UINT64_C(1) << 9)
#define RFLAGS_VM (UINT64_C(1) << 17)

#define CODE_BYTES 16

/* --- vCPUs --- */

static void pair(const char *a, uint64_t x, const char *b, uint64_t y)
{
	vmm_bare_print("  %s %016llx  %s %016llx", a, (unsigned long long)x, b,
		       (unsigned long long)y);
}

static void four(const char *const names[4], uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	pair(names[0], a, names[1], b);
	pair(names[2], c, names[3], d);
	vmm_bare_print("\n");
}

static const char *mode_name(const struct vmm_x86_sys *sys, uint64_t rflags)
{
	if ((sys->cr0 & CR0_PE) == 0)
		return "real mode";
	if ((rflags & RFLAGS_VM) != 0)
		return "virtual 8086 mode";
	if ((sys->efer & EFER_LMA) != 0 && (sys->cs.attr & VMM_X86_SEG_L) != 0)
		return "64-bit mode";
	if ((sys->cs.attr & VMM_X86_SEG_DB) == 0)
		return "16-bit protected mode";
	return (sys->cr0 & CR0_PG) != 0 ? "32-bit mode" : "32-bit mode without paging";
}

static const char *mp_name(uint32_t state)
{
	switch (state) {
	case VMM_X86_MP_RUNNABLE:
		return "";
	case VMM_X86_MP_HALTED:
		return ", halted";
	default:
		return ", not started";
	}
}

/* The bytes of the instruction it is at. */
static void show_code(struct vmm_vcpu *vcpu, uint64_t address)
{
	uint8_t code[CODE_BYTES];
	uint64_t gpa;

	if (vmm_vcpu_translate(vcpu, address, 0, &gpa) != 0 ||
	    vmm_vm_read(vmm_vcpu_vm(vcpu), gpa, code, sizeof(code)) != 0) {
		vmm_bare_print("  code at %llx cannot be read\n", (unsigned long long)address);
		return;
	}
	vmm_bare_print("  code at %llx, physical %llx:", (unsigned long long)address,
		       (unsigned long long)gpa);
	for (uint32_t i = 0; i < CODE_BYTES; i++)
		vmm_bare_print(" %02x", code[i]);
	vmm_bare_print("\n");
}

static void show_registers(const struct vmm_x86_regs *r, const struct vmm_x86_sys *s)
{
	four((const char *const[]){"rip", "cs ", "rsp", "rfl"}, r->rip, s->cs.selector, r->rsp,
	     r->rflags);
	four((const char *const[]){"rax", "rbx", "rcx", "rdx"}, r->rax, r->rbx, r->rcx, r->rdx);
	four((const char *const[]){"rsi", "rdi", "rbp", "r8 "}, r->rsi, r->rdi, r->rbp, r->r8);
	four((const char *const[]){"r9 ", "r10", "r11", "r12"}, r->r9, r->r10, r->r11, r->r12);
	four((const char *const[]){"r13", "r14", "r15", "efe"}, r->r13, r->r14, r->r15, s->efer);
	four((const char *const[]){"cr0", "cr2", "cr3", "cr4"}, s->cr0, s->cr2, s->cr3, s->cr4);
}

static void show_vcpu(const struct runner *r)
{
	struct vmm_vcpu *vcpu = vmm_vm_vcpu(vmm_machine_vm(r->vm->machine), r->index);
	struct vmm_x86_regs regs;
	struct vmm_x86_sys sys;
	struct vmm_x86_mp mp;

	if (vmm_vcpu_get_state(vcpu, VMM_STATE_X86_REGS, 0, &regs, sizeof(regs)) != 0 ||
	    vmm_vcpu_get_state(vcpu, VMM_STATE_X86_SYS, 0, &sys, sizeof(sys)) != 0 ||
	    vmm_vcpu_get_state(vcpu, VMM_STATE_X86_MP, 0, &mp, sizeof(mp)) != 0) {
		struct vmm_error error = {.size = sizeof(error)};

		vmm_vcpu_error(vcpu, &error);
		vmm_bare_print("vCPU %u: its state cannot be read: %s\n", r->index, error.text);
		return;
	}
	vmm_bare_print("vCPU %u on CPU %u: %s, interrupts %s%s\n", r->index, r->cpu,
		       mode_name(&sys, regs.rflags), (regs.rflags & RFLAGS_IF) != 0 ? "on" : "off",
		       mp_name(mp.state));
	show_registers(&regs, &sys);
	show_code(vcpu, sys.cs.base + regs.rip);
}

/* --- memory --- */

static void show_map(const struct vm *vm)
{
	static struct vmm_machine_range ranges[VMM_MACHINE_RANGES_MAX];
	uint32_t count = VMM_MACHINE_RANGES_MAX;

	if (vmm_machine_plan_ranges(vm->profile, ranges, &count) != 0)
		return;
	for (uint32_t i = 0; i < count; i++) {
		const struct vmm_machine_range *r = &ranges[i];

		vmm_bare_print("  %s %016llx to %016llx %s\n",
			       r->space == VMM_SPACE_PORT ? "ports " : "memory",
			       (unsigned long long)r->base,
			       (unsigned long long)(r->base + r->len - 1), r->name);
	}
}

/* A state can be read while nobody runs the vCPU. */
void inspect_vm(struct vm *vm)
{
	const bool runs = vm->state == VM_RUNS;

	if (runs && vm_pause(vm) != 0)
		return;
	vmm_bare_print("%s %s\n", vm->name, runs ? "runs" : vm_state_name(vm));
	for (uint32_t i = 0; i < vm->vcpus; i++)
		show_vcpu(&vm->runners[i]);
	if (runs)
		vm_resume(vm);
	show_map(vm);
}

/* --- exits --- */

/* False: the engine does not count them. */
static bool add_exits(struct vmm_vcpu *vcpu, struct vmm_partition_exits *all)
{
	struct vmm_partition_exits one = {.size = sizeof(one)};

	if (vmm_vcpu_partition_exits(vcpu, &one) != 0)
		return false;
	all->settled |= one.settled;
	all->total += one.total;
	for (uint32_t i = 0; i < VMM_PARTITION_REASONS; i++)
		all->by[i] += one.by[i];
	return true;
}

static void show_exits(const struct vmm_partition_exits *exits)
{
	vmm_bare_print("%10llu times the hardware left the guest%s, for\n",
		       (unsigned long long)exits->total,
		       exits->settled != 0 ? ", which has settled" : "");
	for (uint32_t i = 0; i < VMM_PARTITION_REASONS; i++) {
		if (exits->by[i] != 0)
			vmm_bare_print("%10llu %s\n", (unsigned long long)exits->by[i],
				       vmm_partition_exit_name(i));
	}
}

static void add_stats(struct vmm_vcpu *vcpu, struct vmm_vcpu_stats *all)
{
	struct vmm_vcpu_stats one = {.size = sizeof(one)};

	vmm_vcpu_get_stats(vcpu, &one);
	for (uint32_t i = 0; i < VMM_EXIT_REASONS; i++) {
		all->handled[i] += one.handled[i];
		all->returned[i] += one.returned[i];
	}
}

void inspect_exits(struct vm *vm)
{
	struct vmm_partition_exits exits = {0};
	struct vmm_vcpu_stats stats = {0};
	bool counted = true;

	for (uint32_t i = 0; i < vm->vcpus; i++) {
		struct vmm_vcpu *vcpu = vmm_vm_vcpu(vmm_machine_vm(vm->machine), i);

		counted &= add_exits(vcpu, &exits);
		add_stats(vcpu, &stats);
	}
	if (counted)
		show_exits(&exits);
	vmm_bare_print("seen by a device, by who runs the vCPU:\n");
	for (uint32_t i = 0; i < VMM_EXIT_REASONS; i++) {
		if ((stats.handled[i] | stats.returned[i]) != 0)
			vmm_bare_print("%10llu %10llu %s\n", (unsigned long long)stats.handled[i],
				       (unsigned long long)stats.returned[i], vmm_exit_name(i));
	}
}

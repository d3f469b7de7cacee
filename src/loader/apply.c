// SPDX-License-Identifier: BSD-2-Clause-Patent
/* From a struct vmm_boot to a vCPU's registers, by the public API only. */
#include "apply.h"
#include "libvmm/mem.h"
#include "sized.h"

#define CR0_PE   UINT64_C(0x00000001)
#define CR0_ET   UINT64_C(0x00000010)
#define CR0_PG   UINT64_C(0x80000000)
#define CR4_PAE  UINT64_C(0x20)
#define EFER_LME UINT64_C(0x100)
#define EFER_LMA UINT64_C(0x400)

#define RFLAGS_FIXED UINT64_C(2)

/* Segment types: SDM vol. 3A, 3.4.5.1 and 3.5. */
#define TYPE_DATA 3  /* read and write, accessed */
#define TYPE_CODE 11 /* execute and read, accessed */
#define TYPE_LDT  2
#define TYPE_TASK 11 /* busy, 32-bit; in long mode 64-bit */

/* The real mode that reset leaves (SDM vol. 3A, table 10-1), apart from the CS base. */
#define REAL_LIMIT     0xffffu
#define REAL_IDT_LIMIT 0x3ffu

static struct vmm_x86_segment flat(uint16_t selector, uint32_t type_and_size)
{
	return (struct vmm_x86_segment){
		.limit = UINT32_MAX,
		.attr = type_and_size | VMM_X86_SEG_S | VMM_X86_SEG_P | VMM_X86_SEG_G,
		.selector = selector,
	};
}

static struct vmm_x86_segment real(uint64_t base, uint32_t type)
{
	return (struct vmm_x86_segment){
		.base = base,
		.limit = REAL_LIMIT,
		.attr = VMM_X86_SEG_TYPE(type) | VMM_X86_SEG_S | VMM_X86_SEG_P,
		.selector = (uint16_t)(base >> 4),
	};
}

static void set_real_segments(const struct vmm_boot *boot, struct vmm_x86_sys *sys)
{
	sys->cs = real(boot->entry & ~(uint64_t)REAL_LIMIT, TYPE_CODE);
	sys->ds = sys->es = sys->fs = sys->gs = sys->ss = real(0, TYPE_DATA);
	sys->idt = (struct vmm_x86_table){.limit = REAL_IDT_LIMIT};
	sys->gdt = (struct vmm_x86_table){.limit = REAL_LIMIT};
}

static void set_flat_segments(const struct vmm_boot *boot, struct vmm_x86_sys *sys)
{
	const uint32_t size = boot->mode == VMM_BOOT_LONG64 ? VMM_X86_SEG_L : VMM_X86_SEG_DB;

	sys->cs = flat(VMM_BOOT_SEL_CODE, VMM_X86_SEG_TYPE(TYPE_CODE) | size);
	sys->ds = flat(VMM_BOOT_SEL_DATA, VMM_X86_SEG_TYPE(TYPE_DATA) | VMM_X86_SEG_DB);
	sys->es = sys->fs = sys->gs = sys->ss = sys->ds;
	sys->idt = (struct vmm_x86_table){0};
	sys->gdt = (struct vmm_x86_table){.base = boot->gdt, .limit = (uint16_t)boot->gdt_limit};
}

static void set_control(const struct vmm_boot *boot, struct vmm_x86_sys *sys)
{
	sys->cr0 = CR0_ET;
	sys->cr4 = sys->efer = 0;
	if (boot->mode != VMM_BOOT_REAL16)
		sys->cr0 |= CR0_PE;
	if (boot->mode == VMM_BOOT_LONG64) {
		sys->cr0 |= CR0_PG;
		sys->cr4 = CR4_PAE;
		sys->efer = EFER_LME | EFER_LMA;
	}
	sys->cr2 = sys->cr8 = 0;
	sys->cr3 = boot->cr3;
}

void vmm__boot_regs(const struct vmm_boot *boot, struct vmm_x86_regs *regs)
{
	*regs = (struct vmm_x86_regs){
		.rax = boot->rax,
		.rbx = boot->rbx,
		.rsi = boot->rsi,
		.rip = boot->mode == VMM_BOOT_REAL16 ? boot->entry & REAL_LIMIT : boot->entry,
		.rflags = RFLAGS_FIXED,
	};
}

void vmm__boot_sys(const struct vmm_boot *boot, struct vmm_x86_sys *sys)
{
	const uint64_t apic_base = sys->apic_base, xcr0 = sys->xcr0;

	*sys = (struct vmm_x86_sys){.apic_base = apic_base, .xcr0 = xcr0};
	if (boot->mode == VMM_BOOT_REAL16)
		set_real_segments(boot, sys);
	else
		set_flat_segments(boot, sys);
	/* What PVH asks of TR suits the other modes as well. VM entry needs a busy one. */
	sys->tr = (struct vmm_x86_segment){
		.limit = boot->mode == VMM_BOOT_REAL16 ? REAL_LIMIT : 0x67,
		.attr = VMM_X86_SEG_TYPE(TYPE_TASK) | VMM_X86_SEG_P,
		.selector = boot->mode == VMM_BOOT_REAL16 ? 0 : VMM_BOOT_SEL_TASK,
	};
	sys->ldt = (struct vmm_x86_segment){
		.limit = REAL_LIMIT,
		.attr = VMM_X86_SEG_TYPE(TYPE_LDT) | VMM_X86_SEG_P,
	};
	set_control(boot, sys);
}

int vmm_boot_apply(const struct vmm_boot *boot, struct vmm_vcpu *vcpu)
{
	struct vmm_x86_regs regs;
	struct vmm_x86_sys sys;
	int err;

	if (!boot || !vcpu || boot->size < offsetof(struct vmm_boot, areas) ||
	    boot->mode < VMM_BOOT_REAL16 || boot->mode > VMM_BOOT_LONG64)
		return -VMM_EINVAL;
	err = vmm_vcpu_get_state(vcpu, VMM_STATE_X86_SYS, 0, &sys, sizeof(sys));
	if (err)
		return err;
	vmm__boot_sys(boot, &sys);
	vmm__boot_regs(boot, &regs);
	err = vmm_vcpu_set_state(vcpu, VMM_STATE_X86_SYS, 0, &sys, sizeof(sys));
	return err ? err : vmm_vcpu_set_state(vcpu, VMM_STATE_X86_REGS, 0, &regs, sizeof(regs));
}

static int write_vm(void *opaque, uint64_t gpa, const void *buf, size_t len)
{
	return vmm_vm_write(opaque, gpa, buf, len);
}

static int zero_vm(void *opaque, uint64_t gpa, uint64_t len)
{
	return vmm_vm_fill(opaque, gpa, 0, len);
}

int vmm_load_target_vm(struct vmm_load_target *target, struct vmm_vm *vm)
{
	struct vmm_load_target own;

	if (!vm || vmm__take_struct(&own, sizeof(own), target))
		return -VMM_EINVAL;
	own.opaque = vm;
	own.write = write_vm;
	own.zero = zero_vm;
	return vmm__give_struct(target, &own, sizeof(own));
}

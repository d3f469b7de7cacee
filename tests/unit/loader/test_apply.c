// SPDX-License-Identifier: BSD-2-Clause-Patent
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "apply.h"
#include "fake_host.h"

static const struct vmm_boot boot64 = {
	.size = sizeof(boot64),
	.mode = VMM_BOOT_LONG64,
	.entry = 0x1000200,
	.rax = 1,
	.rbx = 2,
	.rsi = 0x8000,
	.cr3 = 0x2000,
	.gdt = 0x1000,
	.gdt_limit = 47,
};

/* As reset leaves it, and what stays. */
static void dirty(struct vmm_x86_sys *sys)
{
	memset(sys, 0xff, sizeof(*sys));
	sys->apic_base = 0xfee00900;
	sys->xcr0 = 1;
}

static void long_mode(void **state)
{
	struct vmm_x86_sys sys;
	struct vmm_x86_regs regs;

	(void)state;
	dirty(&sys);
	vmm__boot_sys(&boot64, &sys);
	assert_int_equal(sys.cr0, 0x80000011);
	assert_int_equal(sys.cr3, 0x2000);
	assert_int_equal(sys.cr4, 0x20);
	assert_int_equal(sys.efer, 0x500);
	assert_int_equal(sys.cs.selector, 0x10);
	assert_int_equal(sys.cs.attr, 0xa09b);
	assert_int_equal(sys.ds.selector, 0x18);
	assert_int_equal(sys.ds.attr, 0xc093);
	assert_int_equal(sys.ds.limit, 0xffffffff);
	assert_int_equal(sys.tr.attr, 0x8b);
	assert_int_equal(sys.gdt.base, 0x1000);
	assert_int_equal(sys.gdt.limit, 47);
	assert_int_equal(sys.apic_base, 0xfee00900);
	assert_int_equal(sys.xcr0, 1);
	assert_int_equal(sys.flags, 0);
	vmm__boot_regs(&boot64, &regs);
	assert_int_equal(regs.rip, 0x1000200);
	assert_int_equal(regs.rflags, 2);
	assert_int_equal(regs.rax, 1);
	assert_int_equal(regs.rbx, 2);
	assert_int_equal(regs.rsi, 0x8000);
	assert_int_equal(regs.rsp, 0);
}

static void protected_mode(void **state)
{
	struct vmm_boot boot = boot64;
	struct vmm_x86_sys sys;

	(void)state;
	boot.mode = VMM_BOOT_PROT32;
	boot.cr3 = 0;
	dirty(&sys);
	vmm__boot_sys(&boot, &sys);
	assert_int_equal(sys.cr0, 0x11);
	assert_int_equal(sys.cr3, 0);
	assert_int_equal(sys.cr4, 0);
	assert_int_equal(sys.efer, 0);
	assert_int_equal(sys.cs.attr, 0xc09b);
	assert_int_equal(sys.cs.limit, 0xffffffff);
	assert_int_equal(sys.tr.limit, 0x67);
	assert_int_equal(sys.tr.base, 0);
}

static void real_mode(void **state)
{
	struct vmm_boot boot = {.size = sizeof(boot), .mode = VMM_BOOT_REAL16, .entry = 0x27c02};
	struct vmm_x86_sys sys;
	struct vmm_x86_regs regs;

	(void)state;
	dirty(&sys);
	vmm__boot_sys(&boot, &sys);
	vmm__boot_regs(&boot, &regs);
	assert_int_equal(sys.cr0, 0x10);
	assert_int_equal(sys.cs.base, 0x20000);
	assert_int_equal(sys.cs.selector, 0x2000);
	assert_int_equal(sys.cs.limit, 0xffff);
	assert_int_equal(sys.cs.attr, 0x9b);
	assert_int_equal(sys.ss.base, 0);
	assert_int_equal(sys.ss.attr, 0x93);
	assert_int_equal(sys.idt.limit, 0x3ff);
	assert_int_equal(regs.rip, 0x7c02);
}

static void arguments(void **state)
{
	struct vmm_load_target target = {.size = 4};
	struct vmm_boot boot = boot64;
	/* Neither is looked at. */
	struct vmm_vcpu *vcpu = (struct vmm_vcpu *)(uintptr_t)8;
	struct vmm_vm *vm = (struct vmm_vm *)(uintptr_t)8;

	(void)state;
	assert_int_equal(vmm_boot_apply(NULL, vcpu), -VMM_EINVAL);
	assert_int_equal(vmm_boot_apply(&boot, NULL), -VMM_EINVAL);
	boot.mode = 0;
	assert_int_equal(vmm_boot_apply(&boot, vcpu), -VMM_EINVAL);
	boot.mode = 4;
	assert_int_equal(vmm_boot_apply(&boot, vcpu), -VMM_EINVAL);
	boot = boot64;
	boot.size = 8;
	assert_int_equal(vmm_boot_apply(&boot, vcpu), -VMM_EINVAL);
	assert_int_equal(vmm_load_target_vm(&target, vm), -VMM_EINVAL);
	assert_int_equal(vmm_load_target_vm(NULL, vm), -VMM_EINVAL);
	target.size = sizeof(target);
	assert_int_equal(vmm_load_target_vm(&target, NULL), -VMM_EINVAL);
	assert_int_equal(vmm_load_target_vm(&target, vm), 0);
	assert_ptr_equal(target.opaque, vm);
	assert_non_null(target.write);
	assert_non_null(target.zero);
}

/* Through the public API: into a VM's memory, and onto its vCPU. */
static void on_a_vm(void **state)
{
	static const uint8_t code[] = {0xb0, 0x2a, 0xe6, 0xf4, 0xf4};
	static const struct vmm_load_range map = {0, 0x100000, VMM_LOAD_RAM, 0};
	const struct vmm_load_args args = {
		.size = sizeof(args),
		.kind = VMM_IMAGE_FLAT,
		.image = code,
		.image_len = sizeof(code),
		.flat_mode = VMM_BOOT_LONG64,
		.flat_base = 0x8000,
		.flat_entry = 0x8000,
	};
	struct vmm_load_target target = {.size = sizeof(target), .range_count = 1, .ranges = &map};
	struct vmm_boot boot = {.size = sizeof(boot)};
	struct fake_host fake;
	struct vmm_ctx *ctx = fake_ctx(&fake, NULL);
	struct vmm_vm *vm = fake_vm(ctx, 1, VMM_IRQCHIP_NONE, NULL);
	struct vmm_vcpu *vcpu = vmm_vm_vcpu(vm, 0);
	struct vmm_x86_sys before, sys;
	struct vmm_x86_regs regs;
	struct vmm_mem *mem;
	uint8_t back[sizeof(code)];

	(void)state;
	assert_int_equal(vmm_load_target_vm(&target, vm), 0);
	assert_int_equal(vmm_image_load(&target, &args, &boot, NULL), -VMM_EFAULT);
	assert_int_equal(vmm_mem_create(ctx, 0x100000, &mem), 0);
	assert_int_equal(vmm_vm_map(vm, 0, mem, 0, 0x100000, VMM_PROT_RWX), 0);
	vmm_mem_unref(mem);
	assert_int_equal(vmm_image_load(&target, &args, &boot, NULL), 0);
	assert_int_equal(vmm_vm_read(vm, 0x8000, back, sizeof(back)), 0);
	assert_memory_equal(back, code, sizeof(code));

	assert_int_equal(vmm_boot_apply(&boot, vcpu), -VMM_ESTATE);
	assert_int_equal(vmm_vm_seal(vm), 0);
	assert_int_equal(vmm_vcpu_get_state(vcpu, VMM_STATE_X86_SYS, 0, &before, sizeof(before)),
			 0);
	assert_int_equal(vmm_boot_apply(&boot, vcpu), 0);
	assert_int_equal(vmm_vcpu_get_state(vcpu, VMM_STATE_X86_SYS, 0, &sys, sizeof(sys)), 0);
	assert_int_equal(vmm_vcpu_get_state(vcpu, VMM_STATE_X86_REGS, 0, &regs, sizeof(regs)), 0);
	assert_int_equal(regs.rip, 0x8000);
	assert_int_equal(sys.cr3, boot.cr3);
	assert_int_equal(sys.gdt.base, boot.gdt);
	assert_int_equal(sys.apic_base, before.apic_base);
	assert_int_equal(sys.xcr0, before.xcr0);
	fake_end(&fake, ctx, vm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(long_mode), cmocka_unit_test(protected_mode),
		cmocka_unit_test(real_mode), cmocka_unit_test(arguments),
		cmocka_unit_test(on_a_vm),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

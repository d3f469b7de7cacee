// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "kvm_guest.h"

void guest_need_kvm(void)
{
	struct vmm_error error = {.size = sizeof(error)};
	struct vmm_ctx *ctx;

	if (vmm_linux_ctx_create(&ctx, NULL) != 0)
		exit(1);
	/* LIBVMM_ANY_KVM: try what one can do that is unfit for operating systems. */
	if ((getenv("LIBVMM_ANY_KVM") ? vmm_ctx_engine_probe(ctx, "kvm")
				      : vmm_linux_kvm_probe(ctx, 20000)) == 0) {
		vmm_ctx_destroy(ctx);
		return;
	}
	vmm_ctx_error(ctx, &error);
	printf("skipped: no usable KVM: %s: %s\n", error.call, error.text);
	/* One that is there and says that it fits, and is broken, shall not go by unseen. */
	exit(getenv("LIBVMM_NEED_KVM") ? 1 : SKIPPED);
}

void guest_configure(struct guest *g, uint32_t irqchip, uint32_t flags, uint32_t vcpus)
{
	const struct vmm_vm_config config = {
		.size = sizeof(config),
		.flags = flags,
		.engine = "kvm",
		.irqchip = irqchip,
		.max_vcpus = vcpus,
		.clock = VMM_CLOCK_STOPS,
	};

	memset(g, 0, sizeof(*g));
	assert_ok(vmm_linux_ctx_create(&g->ctx, NULL));
	assert_ok(vmm_vm_create(g->ctx, &config, &g->vm));
	assert_ok(vmm_mem_create(g->ctx, GUEST_RAM, &g->ram));
	assert_ok(vmm_vm_map(g->vm, 0, g->ram, 0, GUEST_RAM, VMM_PROT_RWX));
	for (uint32_t i = 0; i < vcpus; i++) {
		const struct vmm_vcpu_config vcpu_config = {
			.size = sizeof(vcpu_config),
			.index = i,
			.arch_id = i,
		};
		struct vmm_vcpu *vcpu;

		assert_ok(vmm_vcpu_create(g->vm, &vcpu_config, &vcpu));
		if (i == 0)
			g->vcpu = vcpu;
	}
}

void guest_seal(struct guest *g)
{
	struct vmm_error error = {.size = sizeof(error)};

	if (vmm_vm_seal(g->vm) != 0) {
		vmm_vm_error(g->vm, &error);
		fail_msg("seal: %s: %s", error.call, error.text);
	}
}

void guest_create(struct guest *g, uint32_t irqchip, uint32_t flags, uint32_t vcpus)
{
	guest_configure(g, irqchip, flags, vcpus);
	guest_seal(g);
}

struct vmm_x86_regs guest_regs(struct guest *g)
{
	struct vmm_x86_regs regs;

	assert_ok(vmm_vcpu_get_state(g->vcpu, VMM_STATE_X86_REGS, 0, &regs, sizeof(regs)));
	return regs;
}

void guest_set_regs(struct guest *g, const struct vmm_x86_regs *regs)
{
	assert_ok(vmm_vcpu_set_state(g->vcpu, VMM_STATE_X86_REGS, 0, regs, sizeof(*regs)));
}

struct vmm_x86_sys guest_sys(struct guest *g)
{
	struct vmm_x86_sys sys;

	assert_ok(vmm_vcpu_get_state(g->vcpu, VMM_STATE_X86_SYS, 0, &sys, sizeof(sys)));
	return sys;
}

void guest_set_sys(struct guest *g, const struct vmm_x86_sys *sys)
{
	struct vmm_error error = {.size = sizeof(error)};

	if (vmm_vcpu_set_state(g->vcpu, VMM_STATE_X86_SYS, 0, sys, sizeof(*sys)) != 0) {
		vmm_vcpu_error(g->vcpu, &error);
		fail_msg("sys: %s: %s", error.call, error.text);
	}
}

void guest_load(struct guest *g, const void *code, size_t len)
{
	struct vmm_x86_regs regs = guest_regs(g);
	struct vmm_x86_sys sys = guest_sys(g);

	assert_ok(vmm_vm_write(g->vm, GUEST_CODE, code, len));
	sys.cs.base = 0;
	sys.cs.selector = 0;
	guest_set_sys(g, &sys);
	memset(&regs, 0, sizeof(regs));
	regs.rip = GUEST_CODE;
	regs.rsp = 0x8000;
	regs.rflags = 2;
	guest_set_regs(g, &regs);
}

void guest_run(struct guest *g, struct vmm_exit *exit_, uint32_t reason)
{
	struct vmm_error error = {.size = sizeof(error)};

	if (vmm_vcpu_run(g->vcpu, exit_) != 0) {
		vmm_vcpu_error(g->vcpu, &error);
		fail_msg("run: %s: %s", error.call, error.text);
	}
	if (exit_->reason != reason)
		print_error("exit %s, addr 0x%llx, hw_code %llu, hw_info %llu\n",
			    vmm_exit_name(exit_->reason), (unsigned long long)exit_->addr,
			    (unsigned long long)exit_->hw_code, (unsigned long long)exit_->hw_info);
	assert_int_equal(exit_->reason, reason);
}

void guest_destroy(struct guest *g)
{
	assert_ok(vmm_vm_destroy(g->vm));
	vmm_mem_unref(g->ram);
	assert_ok(vmm_ctx_destroy(g->ctx));
}

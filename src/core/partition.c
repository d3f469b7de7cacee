// SPDX-License-Identifier: BSD-2-Clause-Patent
/* Dedicated vCPUs: what the embedder counts and asserts. */
#include "libvmm/partition.h"
#include "core.h"

static const char *const names[] = {
	[VMM_PARTITION_HOST] = "HOST",
	[VMM_PARTITION_IPI] = "IPI",
	[VMM_PARTITION_MSR] = "MSR",
	[VMM_PARTITION_CPUID] = "CPUID",
	[VMM_PARTITION_PORT] = "PORT",
	[VMM_PARTITION_MEMORY] = "MEMORY",
	[VMM_PARTITION_HYPERCALL] = "HYPERCALL",
	[VMM_PARTITION_EXCEPTION] = "EXCEPTION",
	[VMM_PARTITION_REGISTER] = "REGISTER",
	[VMM_PARTITION_INSTRUCTION] = "INSTRUCTION",
	[VMM_PARTITION_INTERRUPT] = "INTERRUPT",
	[VMM_PARTITION_SHUTDOWN] = "SHUTDOWN",
	[VMM_PARTITION_OTHER] = "OTHER",
	[VMM_PARTITION_HLT] = "HLT",
	[VMM_PARTITION_WINDOW] = "WINDOW",
};

const char *vmm_partition_exit_name(uint32_t reason)
{
	return reason < sizeof(names) / sizeof(names[0]) ? names[reason] : NULL;
}

int vmm_vcpu_partition_exits(struct vmm_vcpu *vcpu, struct vmm_partition_exits *out)
{
	struct vmm_partition_exits exits = {.size = sizeof(exits)};

	if (vcpu == NULL || out == NULL)
		return -VMM_EINVAL;
	if (vcpu->vm->engine->partition_exits == NULL)
		return vmm__vcpu_fail(vcpu, -VMM_ENOTSUP, "vmm_vcpu_partition_exits",
				      "engine %s does not see the hardware's exits",
				      vcpu->vm->engine->name);
	vcpu->vm->engine->partition_exits(vcpu->backend, &exits);
	for (uint32_t i = 0; i < VMM_PARTITION_REASONS; i++)
		exits.total += exits.by[i];
	return vmm__give_struct(out, &exits, sizeof(exits));
}

int vmm_vcpu_exit_budget(struct vmm_vcpu *vcpu, const struct vmm_exit_budget *user)
{
	struct vmm_exit_budget budget;

	if (vcpu == NULL)
		return -VMM_EINVAL;
	if (user != NULL && vmm__take_struct(&budget, sizeof(budget), user) != 0)
		return vmm__vcpu_fail(vcpu, -VMM_EINVAL, "vmm_vcpu_exit_budget",
				      "a budget of a size unknown here");
	if (!vcpu->dedicated)
		return vmm__vcpu_fail(vcpu, -VMM_ENOTSUP, "vmm_vcpu_exit_budget",
				      "vCPU %u is not dedicated", vcpu->index);
	vcpu->vm->engine->exit_budget(vcpu->backend, user != NULL ? &budget : NULL);
	return 0;
}

int vmm_vm_settle(struct vmm_vm *vm)
{
	struct vmm_error error;
	int r;

	if (vm == NULL)
		return -VMM_EINVAL;
	if (!atomic_load(&vm->sealed))
		return vmm__vm_fail(vm, -VMM_ESTATE, "vmm_vm_settle", "the VM is not sealed");
	if (vm->engine->settle == NULL)
		return 0;
	vmm__error_init(&error);
	r = vm->engine->settle(vm->backend, &error);
	return r == 0 ? 0 : vmm__vm_pass(vm, r, "vmm_vm_settle", &error);
}

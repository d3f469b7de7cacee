// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "core.h"

/* Under vm->lock. */
static int check_config(struct vmm_vm *vm, const struct vmm_vcpu_config *config)
{
	const char *call = "vmm_vcpu_create";

	if (atomic_load(&vm->sealed))
		return vmm__vm_fail(vm, -VMM_ESTATE, call, "the VM is sealed");
	if ((config->flags & ~VMM_VCPU_DEDICATED) != 0 || config->reserved != 0)
		return vmm__vm_fail(vm, -VMM_EINVAL, call, "unknown flags 0x%x", config->flags);
	if ((config->flags & VMM_VCPU_DEDICATED) != 0 && vm->engine->run_dedicated == NULL)
		return vmm__vm_fail(vm, -VMM_ENOTSUP, call, "engine %s has no dedicated vCPUs",
				    vm->engine->name);
	if (config->index >= vm->max_vcpus)
		return vmm__vm_fail(vm, -VMM_ERANGE, call, "index %u, the VM has at most %u vCPUs",
				    config->index, vm->max_vcpus);
	/* The all-ones x2APIC ID is the broadcast destination: SDM 3A 11.12.9. */
	if (vm->arch == VMM_ARCH_X86_64 && config->arch_id >= UINT32_MAX)
		return vmm__vm_fail(vm, -VMM_ERANGE, call, "APIC ID 0x%llx",
				    (unsigned long long)config->arch_id);
	for (uint32_t i = 0; i < vm->max_vcpus; i++) {
		const struct vmm_vcpu *other = vmm__vcpu(vm, i);

		if (other != NULL && (i == config->index || other->arch_id == config->arch_id))
			return vmm__vm_fail(vm, -VMM_EEXIST, call,
					    "vCPU %u has index or arch_id 0x%llx already", i,
					    (unsigned long long)config->arch_id);
	}
	return 0;
}

/* Under vm->lock. */
static int create(struct vmm_vm *vm, const struct vmm_vcpu_config *config, struct vmm_vcpu **out)
{
	struct vmm_error error;
	int r = check_config(vm, config);

	if (r != 0)
		return r;
	struct vmm_vcpu *vcpu = vmm__alloc(vm->ctx, sizeof(*vcpu), _Alignof(struct vmm_vcpu));
	if (vcpu == NULL)
		return vmm__vm_fail(vm, -VMM_ENOMEM, "vmm_vcpu_create", "no memory for vCPU %u",
				    config->index);
	vcpu->vm = vm;
	vcpu->windows = &vm->windows;
	vmm__forget_hits(vcpu);
	vcpu->dedicated = (config->flags & VMM_VCPU_DEDICATED) != 0;
	vcpu->run = vcpu->dedicated ? vm->engine->run_dedicated : vm->engine->run;
	vcpu->index = config->index;
	vcpu->arch_id = config->arch_id;
	vcpu->opaque = config->opaque;
	atomic_init(&vcpu->control, VMM__REQ_UNSEALED);
	vmm__error_init(&vcpu->scratch);
	vmm__error_init(&vcpu->detail.last);
	vmm__error_init(&error);
	r = vm->engine->vcpu_create(vm->backend, config, &vcpu->backend, &error);
	if (r != 0) {
		vmm__free(vm->ctx, vcpu, sizeof(*vcpu));
		return vmm__vm_pass(vm, r, "vmm_vcpu_create", &error);
	}
	atomic_store(&vm->vcpus[config->index], vcpu);
	vm->vcpu_count++;
	*out = vcpu;
	return 0;
}

int vmm_vcpu_create(struct vmm_vm *vm, const struct vmm_vcpu_config *user_config,
		    struct vmm_vcpu **out)
{
	struct vmm_vcpu_config config;

	if (vm == NULL || out == NULL)
		return -VMM_EINVAL;
	*out = NULL;
	if (vmm__take_struct(&config, sizeof(config), user_config) != 0)
		return vmm__vm_fail(vm, -VMM_EINVAL, "vmm_vcpu_create",
				    "no configuration, or one of a size unknown here");
	vmm__lock(vm->host, &vm->lock);
	int r = create(vm, &config, out);
	vmm__unlock(vm->host, &vm->lock);
	return r;
}

void vmm__vcpu_free(struct vmm_vcpu *vcpu)
{
	if (vcpu == NULL)
		return;
	struct vmm_ctx *ctx = vcpu->vm->ctx;
	vcpu->vm->engine->vcpu_destroy(vcpu->backend);
	vmm__free(ctx, vcpu->cpuid, vcpu->cpuid_count * sizeof(*vcpu->cpuid));
	vmm__free(ctx, vcpu, sizeof(*vcpu));
}

struct vmm_vcpu *vmm_vm_vcpu(struct vmm_vm *vm, uint32_t index)
{
	return index < vm->max_vcpus ? vmm__vcpu(vm, index) : NULL;
}

struct vmm_vm *vmm_vcpu_vm(struct vmm_vcpu *vcpu)
{
	return vcpu->vm;
}

uint32_t vmm_vcpu_index(const struct vmm_vcpu *vcpu)
{
	return vcpu->index;
}

uint64_t vmm_vcpu_arch_id(const struct vmm_vcpu *vcpu)
{
	return vcpu->arch_id;
}

void *vmm_vcpu_opaque(const struct vmm_vcpu *vcpu)
{
	return vcpu->opaque;
}

int vmm_vcpu_error(struct vmm_vcpu *vcpu, struct vmm_error *error)
{
	return vcpu == NULL ? -VMM_EINVAL : vmm__detail_get(vcpu->vm->ctx, &vcpu->detail, error);
}

int vmm__vcpu_take(struct vmm_vcpu *vcpu, const char *call)
{
	if (!atomic_load(&vcpu->vm->sealed))
		return vmm__vcpu_fail(vcpu, -VMM_ESTATE, call, "the VM is not sealed");
	if (!vmm__vcpu_try(vcpu, VMM__VCPU_ACCESS))
		return vmm__vcpu_fail(vcpu, -VMM_EBUSY, call,
				      "vCPU %u is run, or its state accessed, by another call",
				      vcpu->index);
	if (vmm__vcpu_pending(vcpu)) {
		vmm__vcpu_move(vcpu, VMM__VCPU_ACCESS, VMM__VCPU_IDLE);
		return vmm__vcpu_fail(vcpu, -VMM_ESTATE, call,
				      "an exit is pending: vmm_vcpu_complete() it first");
	}
	return 0;
}

/* Give back those below @end. */
static void give_below(struct vmm_vm *vm, uint32_t end)
{
	for (uint32_t i = 0; i < end; i++) {
		struct vmm_vcpu *vcpu = vmm__vcpu(vm, i);

		if (vcpu != NULL)
			vmm__vcpu_move(vcpu, VMM__VCPU_ACCESS, VMM__VCPU_IDLE);
	}
}

int vmm__vcpus_take(struct vmm_vm *vm)
{
	for (uint32_t i = 0; i < vm->max_vcpus; i++) {
		struct vmm_vcpu *vcpu = vmm__vcpu(vm, i);

		if (vcpu != NULL && !vmm__vcpu_try(vcpu, VMM__VCPU_ACCESS)) {
			give_below(vm, i);
			return -VMM_EBUSY;
		}
	}
	return 0;
}

void vmm__vcpus_give(struct vmm_vm *vm)
{
	give_below(vm, vm->max_vcpus);
}

int vmm_vcpu_get_stats(struct vmm_vcpu *vcpu, struct vmm_vcpu_stats *out)
{
	struct vmm_vcpu_stats stats;
	uint64_t exits = 0;

	if (vcpu == NULL || out == NULL)
		return -VMM_EINVAL;
	memset(&stats, 0, sizeof(stats));
	for (uint32_t i = 0; i < VMM_EXIT_REASONS; i++) {
		stats.returned[i] = atomic_load_explicit(&vcpu->returned[i], memory_order_relaxed);
		stats.handled[i] = atomic_load_explicit(&vcpu->handled[i], memory_order_relaxed);
		exits += stats.returned[i] + stats.handled[i];
	}
	/* Entries are not counted on the run path: each gives one exit, but for these. */
	stats.entries = exits + atomic_load_explicit(&vcpu->other_entries, memory_order_relaxed) -
			atomic_load_explicit(&vcpu->elements, memory_order_relaxed);
	return vmm__give_struct(out, &stats, sizeof(stats));
}

int vmm_vcpu_stats_clear(struct vmm_vcpu *vcpu)
{
	if (vcpu == NULL)
		return -VMM_EINVAL;
	if (!vmm__vcpu_try(vcpu, VMM__VCPU_ACCESS))
		return vmm__vcpu_fail(vcpu, -VMM_EBUSY, "vmm_vcpu_stats_clear", "the vCPU runs");
	for (uint32_t i = 0; i < VMM_EXIT_REASONS; i++) {
		atomic_store_explicit(&vcpu->returned[i], 0, memory_order_relaxed);
		atomic_store_explicit(&vcpu->handled[i], 0, memory_order_relaxed);
	}
	atomic_store_explicit(&vcpu->other_entries, 0, memory_order_relaxed);
	atomic_store_explicit(&vcpu->elements, 0, memory_order_relaxed);
	vmm__vcpu_move(vcpu, VMM__VCPU_ACCESS, VMM__VCPU_IDLE);
	return 0;
}

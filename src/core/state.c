// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * Calls on a vCPU (or a whole VM) that stands still: state, injection, debugging. All have the same
 * shape: check, take the vCPU, ask the engine, give it back.
 */
#include "core.h"

/* Give a taken vCPU back with the engine's answer @r. */
static int finish(struct vmm_vcpu *vcpu, const char *call, int r)
{
	if (r != 0) {
		vmm__vcpu_pass(vcpu, r, call, &vcpu->scratch);
		vmm__error_init(&vcpu->scratch);
	}
	vmm__vcpu_move(vcpu, VMM__VCPU_ACCESS, VMM__VCPU_IDLE);
	return r;
}

static int unsupported(struct vmm_vcpu *vcpu, const char *call)
{
	return vmm__vcpu_fail(vcpu, -VMM_ENOTSUP, call, "engine %s cannot do it",
			      vcpu->vm->engine->name);
}

/* The vCPU is taken, or its state does not matter. */
static int check_size(struct vmm_vcpu *vcpu, uint32_t cls, uint32_t index, size_t size)
{
	size_t want = 0;
	int r = vcpu->vm->engine->state_size(vcpu->backend, cls, index, &want);

	if (r != 0)
		return vmm__fail(&vcpu->scratch, r, "vmm_vcpu_state_size", 0,
				 "state class 0x%x, index %u", cls, index);
	bool fits = cls == VMM_STATE_X86_MSRS ? want != 0 && size % want == 0 : size == want;
	if (!fits)
		return vmm__fail(&vcpu->scratch, -VMM_ESIZE, "vmm_vcpu_state_size", 0,
				 "%llu bytes given, class 0x%x, index %u has %llu",
				 (unsigned long long)size, cls, index, (unsigned long long)want);
	return 0;
}

int vmm_vcpu_get_state(struct vmm_vcpu *vcpu, uint32_t cls, uint32_t index, void *buf, size_t size)
{
	const char *call = "vmm_vcpu_get_state";

	if (vcpu == NULL || buf == NULL)
		return -VMM_EINVAL;
	const struct vmm_engine *engine = vcpu->vm->engine;
	if (engine->get_state == NULL || engine->state_size == NULL)
		return unsupported(vcpu, call);
	int r = vmm__vcpu_take(vcpu, call);
	if (r != 0)
		return r;
	r = check_size(vcpu, cls, index, size);
	if (r == 0)
		r = engine->get_state(vcpu->backend, cls, index, buf, size, &vcpu->scratch);
	return finish(vcpu, call, r);
}

int vmm_vcpu_set_state(struct vmm_vcpu *vcpu, uint32_t cls, uint32_t index, const void *buf,
		       size_t size)
{
	const char *call = "vmm_vcpu_set_state";

	if (vcpu == NULL || buf == NULL)
		return -VMM_EINVAL;
	const struct vmm_engine *engine = vcpu->vm->engine;
	if (engine->set_state == NULL || engine->state_size == NULL)
		return unsupported(vcpu, call);
	int r = vmm__vcpu_take(vcpu, call);
	if (r != 0)
		return r;
	r = check_size(vcpu, cls, index, size);
	if (r == 0)
		r = engine->set_state(vcpu->backend, cls, index, buf, size, &vcpu->scratch);
	return finish(vcpu, call, r);
}

int vmm_vcpu_state_size(struct vmm_vcpu *vcpu, uint32_t cls, uint32_t index, size_t *size)
{
	if (vcpu == NULL || size == NULL)
		return -VMM_EINVAL;
	if (vcpu->vm->engine->state_size == NULL)
		return unsupported(vcpu, "vmm_vcpu_state_size");
	*size = 0;
	int r = vcpu->vm->engine->state_size(vcpu->backend, cls, index, size);
	if (r != 0)
		return vmm__vcpu_fail(vcpu, r, "vmm_vcpu_state_size", "state class 0x%x, index %u",
				      cls, index);
	return 0;
}

/* Keep the vCPUs of a sealed VM out of the guest, if they are. Takes vm->lock on success. */
static int take_vm(struct vmm_vm *vm, const char *call)
{
	if (!atomic_load(&vm->sealed))
		return vmm__vm_fail(vm, -VMM_ESTATE, call, "the VM is not sealed");
	vmm__lock(vm->host, &vm->lock);
	if (vmm__hold_idle(vm) == 0)
		return 0;
	vmm__unlock(vm->host, &vm->lock);
	return vmm__vm_fail(vm, -VMM_EBUSY, call, "a vCPU is in the guest");
}

static int finish_vm(struct vmm_vm *vm, const char *call, int r, struct vmm_error *error)
{
	vmm__release(vm);
	vmm__unlock(vm->host, &vm->lock);
	return r == 0 ? 0 : vmm__vm_pass(vm, r, call, error);
}

int vmm_vm_get_state(struct vmm_vm *vm, uint32_t cls, uint32_t index, void *buf, size_t size)
{
	const char *call = "vmm_vm_get_state";
	struct vmm_error error;

	if (vm == NULL || buf == NULL)
		return -VMM_EINVAL;
	if (vm->engine->vm_get_state == NULL)
		return vmm__vm_fail(vm, -VMM_ENOTSUP, call, "the engine has no state of VMs");
	int r = take_vm(vm, call);
	if (r != 0)
		return r;
	vmm__error_init(&error);
	r = vm->engine->vm_get_state(vm->backend, cls, index, buf, size, &error);
	return finish_vm(vm, call, r, &error);
}

int vmm_vm_set_state(struct vmm_vm *vm, uint32_t cls, uint32_t index, const void *buf, size_t size)
{
	const char *call = "vmm_vm_set_state";
	struct vmm_error error;

	if (vm == NULL || buf == NULL)
		return -VMM_EINVAL;
	if (vm->engine->vm_set_state == NULL)
		return vmm__vm_fail(vm, -VMM_ENOTSUP, call, "the engine has no state of VMs");
	int r = take_vm(vm, call);
	if (r != 0)
		return r;
	vmm__error_init(&error);
	r = vm->engine->vm_set_state(vm->backend, cls, index, buf, size, &error);
	return finish_vm(vm, call, r, &error);
}

int vmm_vm_x86_msr_list(struct vmm_vm *vm, uint32_t *list, uint32_t *count)
{
	const char *call = "vmm_vm_x86_msr_list";
	struct vmm_error error;

	if (vm == NULL || count == NULL)
		return -VMM_EINVAL;
	if (vm->engine->x86_msr_list == NULL)
		return vmm__vm_fail(vm, -VMM_ENOTSUP, call, "the engine lists no MSRs");
	vmm__error_init(&error);
	vmm__lock(vm->host, &vm->lock);
	int r = vm->engine->x86_msr_list(vm->backend, list, count, &error);
	vmm__unlock(vm->host, &vm->lock);
	return r == 0 ? 0 : vmm__vm_pass(vm, r, call, &error);
}

int vmm_vcpu_inject(struct vmm_vcpu *vcpu, uint32_t kind, uint32_t vector, uint32_t flags,
		    uint32_t error_code)
{
	const char *call = "vmm_vcpu_inject";
	struct vmm_error error;

	if (vcpu == NULL)
		return -VMM_EINVAL;
	const struct vmm_engine *engine = vcpu->vm->engine;
	if (kind < VMM_INJECT_INTERRUPT || kind > VMM_INJECT_EXCEPTION || vector > 255 ||
	    (kind == VMM_INJECT_EXCEPTION && vector > 31) || (flags & ~VMM_INJECT_F_ERROR) != 0)
		return vmm__vcpu_fail(vcpu, -VMM_EINVAL, call, "kind %u, vector %u, flags 0x%x",
				      kind, vector, flags);
	if (engine->inject == NULL)
		return unsupported(vcpu, call);
	if (kind == VMM_INJECT_INTERRUPT && vcpu->vm->irqchip != VMM_IRQCHIP_NONE)
		return vmm__vcpu_fail(vcpu, -VMM_ENOTSUP, call,
				      "interrupts go through the VM's controller");
	if (kind == VMM_INJECT_NMI) { /* overlaps with anything */
		if (!atomic_load(&vcpu->vm->sealed))
			return vmm__vcpu_fail(vcpu, -VMM_ESTATE, call, "the VM is not sealed");
		vmm__error_init(&error);
		int r = engine->inject(vcpu->backend, kind, 0, 0, 0, &error);
		return r == 0 ? 0 : vmm__vcpu_pass(vcpu, r, call, &error);
	}
	int r = vmm__vcpu_take(vcpu, call);
	if (r != 0)
		return r;
	r = engine->inject(vcpu->backend, kind, vector, flags, error_code, &vcpu->scratch);
	return finish(vcpu, call, r);
}

int vmm_vcpu_request_window(struct vmm_vcpu *vcpu, uint32_t on)
{
	const char *call = "vmm_vcpu_request_window";

	if (vcpu == NULL)
		return -VMM_EINVAL;
	if (vcpu->vm->irqchip != VMM_IRQCHIP_NONE || vcpu->vm->engine->request_window == NULL)
		return vmm__vcpu_fail(vcpu, -VMM_ENOTSUP, call,
				      "interrupts go through the VM's controller");
	if (!vmm__vcpu_try(vcpu, VMM__VCPU_ACCESS))
		return vmm__vcpu_fail(vcpu, -VMM_EBUSY, call, "the vCPU runs");
	int r = vcpu->vm->engine->request_window(vcpu->backend, on != 0, &vcpu->scratch);
	return finish(vcpu, call, r);
}

static int check_debug(struct vmm_vcpu *vcpu, const struct vmm_debug_config *config)
{
	const char *call = "vmm_vcpu_debug";
	uint64_t most = 0;

	if ((config->flags & ~(VMM_DEBUG_SINGLE_STEP | VMM_DEBUG_SW_BREAK)) != 0 ||
	    config->reserved != 0)
		return vmm__vcpu_fail(vcpu, -VMM_EINVAL, call, "unknown flags 0x%x", config->flags);
	if (vmm_vm_cap(vcpu->vm, VMM_CAP_HW_BREAKPOINTS, &most) != 0 || config->count > most ||
	    config->count > VMM_MAX_BREAKPOINTS)
		return vmm__vcpu_fail(vcpu, -VMM_ELIMIT, call,
				      "%u breakpoints wanted, the engine has %llu", config->count,
				      (unsigned long long)most);
	for (uint32_t i = 0; i < config->count; i++) {
		const struct vmm_breakpoint *b = &config->breakpoints[i];
		bool kind = b->kind == VMM_BREAK_EXEC || b->kind == VMM_BREAK_WRITE ||
			    b->kind == VMM_BREAK_READ_WRITE;
		bool len = b->kind == VMM_BREAK_EXEC ? b->len == 1
						     : b->len <= 8 && vmm__is_pow2(b->len);

		if (!kind || !len || !vmm__is_aligned(b->gva, b->len))
			return vmm__vcpu_fail(vcpu, -VMM_EINVAL, call,
					      "breakpoint %u: kind %u, %u bytes at 0x%llx", i,
					      b->kind, b->len, (unsigned long long)b->gva);
	}
	return 0;
}

int vmm_vcpu_debug(struct vmm_vcpu *vcpu, const struct vmm_debug_config *user_config)
{
	const char *call = "vmm_vcpu_debug";
	struct vmm_debug_config config;

	if (vcpu == NULL)
		return -VMM_EINVAL;
	if (vmm__take_struct(&config, sizeof(config), user_config) != 0)
		return vmm__vcpu_fail(vcpu, -VMM_EINVAL, call,
				      "no configuration, or one of a size unknown here");
	if (vcpu->vm->engine->debug == NULL)
		return unsupported(vcpu, call);
	int r = check_debug(vcpu, &config);
	if (r == 0)
		r = vmm__vcpu_take(vcpu, call);
	if (r != 0)
		return r;
	return finish(vcpu, call, vcpu->vm->engine->debug(vcpu->backend, &config, &vcpu->scratch));
}

int vmm_vcpu_translate(struct vmm_vcpu *vcpu, uint64_t gva, uint32_t prot, uint64_t *gpa)
{
	const char *call = "vmm_vcpu_translate";

	if (vcpu == NULL || gpa == NULL)
		return -VMM_EINVAL;
	if ((prot & ~VMM_PROT_RWX) != 0)
		return vmm__vcpu_fail(vcpu, -VMM_EINVAL, call, "unknown protection 0x%x", prot);
	if (vcpu->vm->engine->translate == NULL)
		return unsupported(vcpu, call);
	int r = vmm__vcpu_take(vcpu, call);
	if (r != 0)
		return r;
	return finish(vcpu, call,
		      vcpu->vm->engine->translate(vcpu->backend, gva, prot, gpa, &vcpu->scratch));
}

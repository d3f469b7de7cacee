// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * The alarm: a time at which vCPU 0 leaves the guest and calls back. An alarm is one word, taken by
 * whoever finds that its time has come; what is set meanwhile is the next one.
 */
#include "serve.h"

int vmm_vm_on_alarm(struct vmm_vm *vm, void (*alarm)(void *opaque), void *opaque)
{
	const char *call = "vmm_vm_on_alarm";

	if (vm == NULL || alarm == NULL)
		return -VMM_EINVAL;
	if (vm->engine->alarm == NULL)
		return vmm__vm_fail(vm, -VMM_ENOTSUP, call, "engine %s has no alarm",
				    vm->engine->name);
	if (atomic_load(&vm->sealed))
		return vmm__vm_fail(vm, -VMM_ESTATE, call, "the VM is sealed");
	vm->alarm_opaque = opaque;
	vm->alarm = alarm;
	return 0;
}

/* The word before the engine: when the engine has come back for it, it is there. */
void vmm_vm_set_alarm(struct vmm_vm *vm, uint64_t deadline_ns)
{
	if (vm->alarm == NULL)
		return;
	atomic_store(&vm->alarm_ns, deadline_ns);
	vm->engine->alarm(vm->backend, deadline_ns);
}

void vmm__alarm_serve(struct vmm_vcpu *vcpu)
{
	struct vmm_vm *vm = vcpu->vm;
	uint64_t deadline;

	if (vcpu->index != 0 || vm->alarm == NULL)
		return;
	deadline = atomic_load(&vm->alarm_ns);
	if (vm->host->time_ns(vm->host->opaque) < deadline ||
	    !atomic_compare_exchange_strong(&vm->alarm_ns, &deadline, VMM_FOREVER))
		return;
	atomic_store(&vcpu->runner, vmm__thread_id(vm->host));
	atomic_store(&vcpu->calling, &vm->bus.none);
	if (atomic_load(&vcpu->control) & VMM__VCPU_WAITED)
		vmm__vcpu_wake(vcpu);
	vm->alarm(vm->alarm_opaque);
	vmm__call_end(vcpu);
}

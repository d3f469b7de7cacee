// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * Keeping vCPUs out of the guest: short holds while memory changes, and pauses.
 *
 *   asks                              runs
 *   ----                              ----
 *   control |= HOLD                   control: IDLE to GUEST
 *   it was GUEST? kick, wait          HOLD among it? GUEST to OUT (wakes), wait
 *
 * Both are in one word, so whoever comes second sees the other. A vCPU inside a bus callback is as
 * good as OUT, since it looks at the word again when it has ended: a hold does not wait for it, and
 * its callback may therefore change memory itself. A pause does wait for it, because the access it
 * answers has to be completed before the VM stands still.
 */
#include "core.h"

/* A kick is repeated this often: an engine may lose one that comes while it prepares to enter. */
#define REKICK_NS UINT64_C(10000000)

/* A vCPU that has not left the guest by then never will. Generous: hosts may be emulated. */
#define LEAVE_NS UINT64_C(60000000000)

static void ask(struct vmm_vm *vm, uint32_t request)
{
	for (uint32_t i = 0; i < vm->max_vcpus; i++) {
		struct vmm_vcpu *vcpu = vmm__vcpu(vm, i);

		if (vcpu == NULL)
			continue;
		if (vmm__vcpu_ask(vcpu, request))
			vm->engine->kick(vcpu->backend);
	}
}

static void withdraw(struct vmm_vm *vm, uint32_t request)
{
	for (uint32_t i = 0; i < vm->max_vcpus; i++) {
		struct vmm_vcpu *vcpu = vmm__vcpu(vm, i);

		if (vcpu == NULL)
			continue;
		atomic_fetch_and(&vcpu->control, ~request);
		vmm__wake(vm->host, &vcpu->control);
		if (request == VMM__REQ_PAUSE)
			vmm__vcpu_awake(vcpu);
	}
}

/* Wait until a vCPU that has been asked is out of the guest; with @callbacks, also out of them. */
static int await_leave(struct vmm_vcpu *vcpu, bool callbacks)
{
	const struct vmm_host *host = vcpu->vm->host;
	uint64_t start = host->time_ns(host->opaque);

	for (;;) {
		uint32_t seen = atomic_load(&vcpu->control);
		uint32_t state = seen & VMM__VCPU_STATE;

		if (state == VMM__VCPU_GUEST && atomic_load(&vcpu->calling) != NULL)
			state = VMM__VCPU_OUT;
		if (state != VMM__VCPU_GUEST && !(callbacks && state == VMM__VCPU_OUT))
			return 0;
		if (!(seen & VMM__VCPU_WAITED) &&
		    !atomic_compare_exchange_strong(&vcpu->control, &seen, seen | VMM__VCPU_WAITED))
			continue;
		seen |= VMM__VCPU_WAITED;
		vmm__wait(host, &vcpu->control, seen, REKICK_NS);
		if (state != VMM__VCPU_GUEST) {
			start = host->time_ns(host->opaque);
			continue;
		}
		if (atomic_load(&vcpu->control) == seen)
			vcpu->vm->engine->kick(vcpu->backend);
		if (host->time_ns(host->opaque) - start > LEAVE_NS)
			return -VMM_ETIMEOUT;
	}
}

static int await_all(struct vmm_vm *vm, const char *call, bool callbacks)
{
	for (uint32_t i = 0; i < vm->max_vcpus; i++) {
		struct vmm_vcpu *vcpu = vmm__vcpu(vm, i);

		if (vcpu != NULL && await_leave(vcpu, callbacks) != 0)
			return vmm__vm_fail(vm, -VMM_EIO, call,
					    "vCPU %u did not leave the guest within %u s", i,
					    (unsigned)(LEAVE_NS / 1000000000));
	}
	return 0;
}

int vmm__hold(struct vmm_vm *vm, const char *call)
{
	ask(vm, VMM__REQ_HOLD);
	int r = await_all(vm, call, false);
	if (r != 0)
		vmm__release(vm);
	return r;
}

int vmm__hold_idle(struct vmm_vm *vm)
{
	bool busy = false;

	for (uint32_t i = 0; i < vm->max_vcpus; i++) {
		struct vmm_vcpu *vcpu = vmm__vcpu(vm, i);

		if (vcpu == NULL)
			continue;
		busy |= vmm__vcpu_ask(vcpu, VMM__REQ_HOLD);
	}
	if (busy)
		vmm__release(vm);
	return busy ? -VMM_EBUSY : 0;
}

void vmm__release(struct vmm_vm *vm)
{
	withdraw(vm, VMM__REQ_HOLD);
}

/* The calling thread is inside a bus callback that a vCPU of this VM made. */
static bool in_callback(struct vmm_vm *vm)
{
	uint64_t me = vmm__thread_id(vm->host);

	for (uint32_t i = 0; i < vm->max_vcpus; i++) {
		struct vmm_vcpu *vcpu = vmm__vcpu(vm, i);

		if (vcpu != NULL && atomic_load(&vcpu->calling) != NULL &&
		    atomic_load(&vcpu->runner) == me)
			return true;
	}
	return false;
}

/* Stop or restart guest time, if that has been asked for and the engine can. Under vm->lock. */
static int stop_clock(struct vmm_vm *vm, const char *call, uint32_t stop)
{
	struct vmm_error error;

	if (vm->clock != VMM_CLOCK_STOPS || vm->engine->vm_clock_stop == NULL ||
	    vm->clock_stopped == stop)
		return 0;
	vmm__error_init(&error);
	int r = vm->engine->vm_clock_stop(vm->backend, stop, &error);
	if (r != 0)
		return vmm__vm_pass(vm, r, call, &error);
	vm->clock_stopped = stop;
	return 0;
}

/* Under vm->lock. */
static void drop_pause(struct vmm_vm *vm)
{
	if (atomic_fetch_sub(&vm->pauses, 1) != 1)
		return;
	withdraw(vm, VMM__REQ_PAUSE);
	vmm__wake(vm->host, &vm->pauses);
}

/*
 * The lock is not held while waiting: a bus callback that the pause waits for may map memory. So
 * the last of several may be resumed before this one has stopped the clock, which is then left
 * running.
 */
int vmm_vm_pause(struct vmm_vm *vm)
{
	const char *call = "vmm_vm_pause";

	if (vm == NULL)
		return -VMM_EINVAL;
	if (!atomic_load(&vm->sealed))
		return vmm__vm_fail(vm, -VMM_ESTATE, call, "the VM is not sealed");
	if (in_callback(vm))
		return vmm__vm_fail(vm, -VMM_ESTATE, call, "called from a bus callback");

	vmm__lock(vm->host, &vm->lock);
	atomic_fetch_add(&vm->pauses, 1);
	ask(vm, VMM__REQ_PAUSE);
	vmm__unlock(vm->host, &vm->lock);

	int r = await_all(vm, call, true);

	vmm__lock(vm->host, &vm->lock);
	if (r == 0 && atomic_load(&vm->pauses) != 0)
		r = stop_clock(vm, call, 1);
	if (r != 0)
		drop_pause(vm);
	vmm__unlock(vm->host, &vm->lock);
	return r;
}

int vmm_vm_resume(struct vmm_vm *vm)
{
	const char *call = "vmm_vm_resume";
	int r = 0;

	if (vm == NULL)
		return -VMM_EINVAL;
	vmm__lock(vm->host, &vm->lock);
	uint32_t pauses = atomic_load(&vm->pauses);
	if (pauses == 0)
		r = vmm__vm_fail(vm, -VMM_ESTATE, call, "the VM is not paused");
	else if (pauses == 1)
		r = stop_clock(vm, call, 0);
	if (r == 0)
		drop_pause(vm);
	vmm__unlock(vm->host, &vm->lock);
	return r;
}

int vmm_vm_wait_resumed(struct vmm_vm *vm, uint64_t timeout_ns)
{
	uint32_t pauses;

	if (vm == NULL)
		return -VMM_EINVAL;
	uint64_t start = vm->host->time_ns(vm->host->opaque);
	while ((pauses = atomic_load(&vm->pauses)) != 0) {
		uint64_t left = VMM_FOREVER;

		if (timeout_ns != VMM_FOREVER) {
			uint64_t gone = vm->host->time_ns(vm->host->opaque) - start;

			if (gone >= timeout_ns)
				return -VMM_ETIMEOUT;
			left = timeout_ns - gone;
		}
		vmm__wait(vm->host, &vm->pauses, pauses, left);
	}
	return 0;
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * Running a vCPU. vmm_vcpu_run() is the one path of the library whose instructions are counted: an
 * exit that the embedder handles goes straight through it. Everything else is in run_on().
 */
#include "core.h"

/* "The engine has not been asked", among what its run() gives. */
#define NOT_ENTERED 2

/* Between two looks whether a callback has ended, or an access to state. */
#define POLL_NS UINT64_C(100000)

/* A bus region, a doorbell or a filter may claim this exit. */
static inline bool may_claim(const struct vmm_vcpu *vcpu, const struct vmm_exit *exit)
{
	const struct vmm__windows *w = vcpu->windows;
	uint32_t reason = exit->reason;

	return VMM__UNLIKELY(
		exit->addr >= atomic_load_explicit(&w->first[reason], memory_order_relaxed) &&
		exit->addr <= atomic_load_explicit(&w->last[reason], memory_order_relaxed));
}

void vmm__vcpu_wake(struct vmm_vcpu *vcpu)
{
	atomic_fetch_and(&vcpu->control, ~VMM__VCPU_WAITED);
	vmm__wake(vcpu->vm->host, &vcpu->control);
}

/* The vCPU has been given back with something else in its control word: requests that stay, or
 * WAITED. */
static VMM__COLD void left(struct vmm_vcpu *vcpu)
{
	if (atomic_load(&vcpu->control) & VMM__VCPU_WAITED)
		vmm__vcpu_wake(vcpu);
}

/* Leave with an exit for the embedder. */
static inline int give(struct vmm_vcpu *vcpu, uint32_t reason)
{
	vcpu->last_reason = reason;
	vmm__count(&vcpu->returned[reason]);
	if (VMM__UNLIKELY(atomic_fetch_sub(&vcpu->control, VMM__VCPU_GUEST) != VMM__VCPU_GUEST))
		left(vcpu);
	return 0;
}

static int fail(struct vmm_vcpu *vcpu, const char *call, int code)
{
	vmm__vcpu_pass(vcpu, code, call, &vcpu->scratch);
	vmm__error_init(&vcpu->scratch);
	vmm__vcpu_move(vcpu, VMM__VCPU_GUEST, VMM__VCPU_IDLE);
	return code;
}

static VMM__COLD int fail_busy(struct vmm_vcpu *vcpu, const char *call)
{
	if (!atomic_load(&vcpu->vm->sealed))
		return vmm__vcpu_fail(vcpu, -VMM_ESTATE, call, "the VM is not sealed");
	return vmm__vcpu_fail(vcpu, -VMM_EBUSY, call,
			      "vCPU %u is run, or its state accessed, by another call",
			      vcpu->index);
}

/*
 * Take the vCPU to run it; false: another call has it. Whoever has paused the VM may look at its
 * state without telling those that run it, so they wait for that.
 */
static VMM__COLD bool take(struct vmm_vcpu *vcpu)
{
	uint32_t seen = atomic_load(&vcpu->control);

	for (;;) {
		uint32_t state = seen & VMM__VCPU_STATE;

		if (state == VMM__VCPU_IDLE) {
			if (atomic_compare_exchange_weak(&vcpu->control, &seen,
							 seen | VMM__VCPU_GUEST))
				return true;
			continue;
		}
		if (state != VMM__VCPU_ACCESS || (seen & VMM__REQ_PAUSE) == 0)
			return false;
		vmm__wait(vcpu->vm->host, &vcpu->control, seen, POLL_NS);
		seen = atomic_load(&vcpu->control);
	}
}

static void fill_plain(struct vmm_exit *exit, uint32_t reason)
{
	memset(exit, 0, sizeof(*exit));
	exit->reason = reason;
}

/* Sleep outside of the guest until the hold is over. */
static void sit_out(struct vmm_vcpu *vcpu)
{
	uint32_t seen;

	vmm__vcpu_move(vcpu, VMM__VCPU_GUEST, VMM__VCPU_OUT);
	while (((seen = atomic_load(&vcpu->control)) & VMM__REQ_HOLD) != 0)
		vmm__wait(vcpu->vm->host, &vcpu->control, seen, VMM_FOREVER);
	vmm__vcpu_move(vcpu, VMM__VCPU_OUT, VMM__VCPU_GUEST);
}

/*
 * Serve requests until there are none, then enter the guest; as an engine's run(). What stops a
 * vCPU leaves it between two instructions, so a pending exit is completed first: it may turn out to
 * have one more element.
 */
static int enter(struct vmm_vcpu *vcpu, struct vmm_exit *exit)
{
	uint32_t requests;

	while ((requests = atomic_load(&vcpu->control) & VMM__REQ_ANY) != 0) {
		if (requests & VMM__REQ_UNSEALED)
			return vmm__fail(&vcpu->scratch, -VMM_ESTATE, "vmm_vcpu_run", 0,
					 "the VM is not sealed");
		if (requests & VMM__REQ_FORGET) {
			atomic_fetch_and(&vcpu->control, ~VMM__REQ_FORGET);
			vmm__forget_hits(vcpu);
			continue;
		}
		if (requests & VMM__REQ_HOLD) {
			sit_out(vcpu);
			continue;
		}
		if (vmm__vcpu_pending(vcpu)) {
			int r = vcpu->vm->engine->complete(vcpu->backend, exit, &vcpu->scratch);

			if (r == -VMM_EPENDING) {
				vmm__count(&vcpu->elements);
				return 0;
			}
			if (r != 0)
				return r;
			vcpu->last_reason = VMM_EXIT_NONE;
			continue;
		}
		vmm__count(&vcpu->elements);
		if (requests & VMM__REQ_KICK) {
			atomic_fetch_and(&vcpu->control, ~VMM__REQ_KICK);
			fill_plain(exit, VMM_EXIT_KICKED);
		} else if (requests & VMM__REQ_PAUSE) {
			fill_plain(exit, VMM_EXIT_PAUSED);
		} else {
			atomic_fetch_and(&vcpu->control, ~VMM__REQ_PREEMPT);
			fill_plain(exit, VMM_EXIT_PREEMPTED);
		}
		return 0;
	}
	return vcpu->run(vcpu->backend, exit, &vcpu->scratch);
}

int vmm__bus_offer(struct vmm_vcpu *vcpu, struct vmm_exit *exit)
{
	vcpu->offered = may_claim(vcpu, exit) ? vmm__bus_serve(vcpu, exit) : -VMM_ENOENT;
	if (vcpu->offered != 0 || (atomic_load(&vcpu->control) & VMM__REQ_ANY) != 0)
		return VMM__OFFERED;
	vmm__count(&vcpu->handled[exit->reason]);
	return 0;
}

/* Go on from @r, which an engine's run() gave, until there is something to return. */
static VMM__COLD int run_on(struct vmm_vcpu *vcpu, struct vmm_exit *exit, int r)
{
	for (;; r = enter(vcpu, exit)) {
		if (r < 0)
			return fail(vcpu, "vmm_vcpu_run", r);
		if (r == VMM__INTERRUPTED) {
			vcpu->last_reason = VMM_EXIT_NONE;
			vmm__count(&vcpu->other_entries);
			vmm__alarm_serve(vcpu);
		} else if (r == 0 || r == VMM__OFFERED) {
			uint32_t reason = exit->reason;

			if (r == 0 && !may_claim(vcpu, exit))
				return give(vcpu, reason);
			vcpu->last_reason = reason;
			r = r == 0 ? vmm__bus_serve(vcpu, exit) : vcpu->offered;
			if (r == -VMM_ENOENT)
				return give(vcpu, reason);
			if (r != 0) {
				vmm__count(&vcpu->other_entries);
				vmm__fail(&vcpu->scratch, r, "vmm_vcpu_run", 0,
					  "%s of %u bytes at 0x%llx: the bus callback gave %s",
					  vmm_exit_name(reason), exit->width,
					  (unsigned long long)exit->addr, vmm_errname(r));
				return fail(vcpu, "vmm_vcpu_run", r);
			}
			vmm__count(&vcpu->handled[reason]);
		}
	}
}

/* The vCPU is not idle, or something is asked of it. */
static VMM__COLD int run_asked(struct vmm_vcpu *vcpu, struct vmm_exit *exit)
{
	if (!take(vcpu))
		return fail_busy(vcpu, "vmm_vcpu_run");
	return run_on(vcpu, exit, NOT_ENTERED);
}

int vmm_vcpu_run(struct vmm_vcpu *vcpu, struct vmm_exit *exit)
{
	uint32_t control = 0;

	if (VMM__UNLIKELY(
		    !atomic_compare_exchange_strong(&vcpu->control, &control, VMM__VCPU_GUEST)))
		return run_asked(vcpu, exit);
	/* Kept there and not in a register that would have to be saved and restored. */
	vcpu->exit = exit;
	int r = vcpu->run(vcpu->backend, exit, &vcpu->scratch);
	exit = vcpu->exit;
	uint32_t reason = exit->reason;
	if (VMM__UNLIKELY(r != 0 || may_claim(vcpu, exit)))
		return run_on(vcpu, exit, r);
	return give(vcpu, reason);
}

/* Held, as one that runs is: completing touches the guest's memory too. */
static int complete_pending(struct vmm_vcpu *vcpu, struct vmm_exit *exit)
{
	while (atomic_load(&vcpu->control) & VMM__REQ_HOLD)
		sit_out(vcpu);
	int r = vcpu->vm->engine->complete(vcpu->backend, exit, &vcpu->scratch);
	if (r == 0) {
		vcpu->last_reason = VMM_EXIT_NONE;
	} else if (r == -VMM_EPENDING) {
		vcpu->last_reason = exit->reason;
		vmm__count(&vcpu->elements);
		vmm__count(&vcpu->returned[exit->reason]);
	} else {
		vmm__vcpu_pass(vcpu, r, "vmm_vcpu_complete", &vcpu->scratch);
		vmm__error_init(&vcpu->scratch);
	}
	return r;
}

int vmm_vcpu_complete(struct vmm_vcpu *vcpu, struct vmm_exit *exit)
{
	int r;

	if (vcpu == NULL || exit == NULL)
		return -VMM_EINVAL;
	if (!take(vcpu))
		return fail_busy(vcpu, "vmm_vcpu_complete");
	if (vmm__vcpu_pending(vcpu))
		r = complete_pending(vcpu, exit);
	else
		r = vmm__vcpu_fail(vcpu, -VMM_ESTATE, "vmm_vcpu_complete", "nothing is pending");
	vmm__vcpu_move(vcpu, VMM__VCPU_GUEST, VMM__VCPU_IDLE);
	return r;
}

int vmm_vcpu_wait(struct vmm_vcpu *vcpu, uint64_t deadline_ns)
{
	if (vcpu == NULL)
		return -VMM_EINVAL;
	const struct vmm_engine *engine = vcpu->vm->engine;
	if (engine->wait == NULL)
		return vmm__vcpu_fail(vcpu, -VMM_ENOTSUP, "vmm_vcpu_wait",
				      "engine %s waits within vmm_vcpu_run()", engine->name);
	/* As if in the guest: whoever asks for something kicks, which ends the wait. */
	if (!take(vcpu))
		return fail_busy(vcpu, "vmm_vcpu_wait");
	if ((atomic_load(&vcpu->control) & VMM__REQ_ANY) == 0)
		engine->wait(vcpu->backend, deadline_ns);
	vmm__vcpu_move(vcpu, VMM__VCPU_GUEST, VMM__VCPU_IDLE);
	return 0;
}

/* Async-signal-safe, as the rest: atomic accesses, the engine's kick, and a callback that is, too.
 */
void vmm_vcpu_kick(struct vmm_vcpu *vcpu)
{
	if (vmm__vcpu_ask(vcpu, VMM__REQ_KICK))
		vcpu->vm->engine->kick(vcpu->backend);
	else
		vmm__vcpu_awake(vcpu);
}

void vmm_vcpu_preempt(struct vmm_vcpu *vcpu)
{
	if (vmm__vcpu_ask(vcpu, VMM__REQ_PREEMPT))
		vcpu->vm->engine->kick(vcpu->backend);
}

int vmm_vcpu_set_slice(struct vmm_vcpu *vcpu, uint64_t deadline_ns, uint32_t flags)
{
	const struct vmm_engine *engine;
	uint32_t control;

	if (vcpu == NULL || (flags & ~VMM_SLICE_PAUSE) != 0)
		return -VMM_EINVAL;
	engine = vcpu->vm->engine;
	if (engine->slice == NULL)
		return vmm__vcpu_fail(vcpu, -VMM_ENOTSUP, "vmm_vcpu_set_slice",
				      "engine %s knows no slices", engine->name);
	control = atomic_load(&vcpu->control);
	if ((control & VMM__VCPU_STATE) != VMM__VCPU_IDLE || (control & VMM__REQ_UNSEALED) != 0)
		return fail_busy(vcpu, "vmm_vcpu_set_slice");
	if ((control & VMM__REQ_PREEMPT) != 0)
		atomic_fetch_and(&vcpu->control, ~VMM__REQ_PREEMPT);
	return engine->slice(vcpu->backend, deadline_ns, flags);
}

void vmm__vcpu_awake(struct vmm_vcpu *vcpu)
{
	void (*wake)(void *opaque, struct vmm_vcpu *woken);

	atomic_fetch_add(&vcpu->wakers, 1);
	wake = atomic_load(&vcpu->wake);
	if (wake != NULL)
		wake(vcpu->wake_opaque, vcpu);
	atomic_fetch_sub(&vcpu->wakers, 1);
}

int vmm_vcpu_on_wake(struct vmm_vcpu *vcpu, void (*wake)(void *opaque, struct vmm_vcpu *vcpu),
		     void *opaque)
{
	uint32_t busy;

	if (vcpu == NULL)
		return -VMM_EINVAL;
	atomic_store(&vcpu->wake, NULL);
	/* They wake nobody, to be short. */
	while ((busy = atomic_load(&vcpu->wakers)) != 0)
		vmm__wait(vcpu->vm->host, &vcpu->wakers, busy, POLL_NS);
	vcpu->wake_opaque = opaque;
	atomic_store(&vcpu->wake, wake);
	return 0;
}

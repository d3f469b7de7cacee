// SPDX-License-Identifier: BSD-2-Clause-Patent
/* Events on their way to the guest: APM2 15.20 (injection), 15.21 (interrupts), 15.7.2. */
#include "native.h"

/* APM2 table 8-1: vectors whose second fault makes a double fault of the first. */
static bool contributory(uint32_t vector)
{
	return vector == 0 || (vector >= 10 && vector <= 13);
}

static bool becomes_double(uint32_t first, uint32_t second)
{
	return (contributory(first) && contributory(second)) ||
	       (first == NATIVE_PF && (contributory(second) || second == NATIVE_PF));
}

/*
 * What was being delivered and does not combine with the exception has had its turn, as on a
 * processor: a fault happens again by itself, while an interrupt that has been acknowledged and
 * could not be delivered is gone (SDM 3A 6.15, table 6-5; 3C 33.7.1.1: it is the exception that is
 * reflected).
 */
void vmm__native_raise(struct vmm__native_vcpu *v, uint32_t vector, bool has_error, uint32_t error)
{
	uint64_t event = vmm__native_event(SVM_EVENT_EXCEPTION, vector);
	bool first = v->inject != 0 && FIELD_GET(SVM_EVENT_TYPE, v->inject) == SVM_EVENT_EXCEPTION;
	uint32_t before = (uint32_t)FIELD_GET(SVM_EVENT_VECTOR, v->inject);

	if (first && before == NATIVE_DF) {
		v->triple_fault = true;
		return;
	}
	if (first && becomes_double(before, vector)) {
		event = vmm__native_event(SVM_EVENT_EXCEPTION, NATIVE_DF);
		has_error = true;
		error = 0;
	}
	if (has_error)
		event |= SVM_EVENT_EV | FIELD_PUT(SVM_EVENT_ERROR, error);
	v->inject = event;
	v->has_payload = false;
	vmm__native_request(v, NATIVE_REQ_EVENT);
}

/*
 * Software interrupts and the exceptions of INT3 and INTO are instructions that have not ended:
 * they are executed again instead, since without NRIP nobody knows where they end.
 */
void vmm__native_take_back(struct vmm__native_vcpu *v)
{
	uint64_t event = v->vmcb->exitintinfo;
	uint32_t type = (uint32_t)FIELD_GET(SVM_EVENT_TYPE, event);
	uint32_t vector = (uint32_t)FIELD_GET(SVM_EVENT_VECTOR, event);

	if (!(event & SVM_EVENT_V) || type == SVM_EVENT_SOFT)
		return;
	if (type == SVM_EVENT_EXCEPTION && (vector == NATIVE_BP || vector == 4))
		return;
	v->inject = event;
	vmm__native_request(v, NATIVE_REQ_EVENT);
}

bool vmm__native_window_open(const struct vmm__native_vcpu *v)
{
	return v->inject == 0 && (v->vmcb->rflags & X86_RFLAGS_IF) &&
	       !(v->vmcb->shadow & SVM_INT_SHADOW);
}

/* The effect of an exception that was pending until now. */
static void apply_payload(struct vmm__native_vcpu *v)
{
	uint32_t vector = (uint32_t)FIELD_GET(SVM_EVENT_VECTOR, v->inject);

	if (vector == NATIVE_PF)
		v->vmcb->cr2 = v->payload;
	else if (vector == NATIVE_DB)
		v->vmcb->dr6 |= v->payload & UINT32_MAX; /* MOV to DR6 takes no more */
	v->has_payload = false;
}

static void deliver_nmi(struct vmm__native_vcpu *v)
{
	atomic_fetch_sub(&v->nmis, 1);
	v->inject = vmm__native_event(SVM_EVENT_NMI, 2);
	v->nmi_masked = true;
	v->nmi_iret = false;
	v->vm->ops->watch_nmi(v);
}

static void fill(struct vmm_exit *exit, uint32_t reason)
{
	memset(exit, 0, sizeof(*exit));
	exit->reason = reason;
}

/* The IRET that ends NMI blocking was let through: has it been executed? */
static void look_at_iret(struct vmm__native_vcpu *v)
{
	if (!v->nmi_iret || v->vmcb->rip == v->nmi_iret_rip)
		return;
	v->nmi_iret = false;
	v->nmi_masked = false;
}

/* An NMI that waits behind the IRET of another is delivered after one more instruction. */
static void step_to_nmi(struct vmm__native_vcpu *v)
{
	if (!v->nmi_iret || atomic_load(&v->nmis) == 0 || v->nmi_step)
		return;
	v->nmi_step = true;
	v->vmcb->rflags |= X86_RFLAGS_TF;
}

/* As long as it is not set anew, the slice is over each time. */
static bool slice_over(struct vmm__native_vcpu *v, const struct vmm__lapic_now *now,
		       struct vmm_exit *exit)
{
	if (now->ns < v->slice_ns)
		return false;
	vmm__native_request(v, NATIVE_REQ_EVENT);
	fill(exit, VMM_EXIT_PREEMPTED);
	exit->data = VMM_PREEMPTED_SLICE;
	return true;
}

bool vmm__native_deliver(struct vmm__native_vcpu *v, struct vmm_exit *exit)
{
	bool arch = vmm__native_has_irqchip(v), sliced = v->slice_ns != VMM_FOREVER;
	uint64_t deadline = VMM_FOREVER;
	struct vmm__lapic_now now;

	atomic_fetch_and(&v->world.request, ~NATIVE_REQ_EVENT);
	if (v->triple_fault) {
		fill(exit, VMM_EXIT_SHUTDOWN);
		return true;
	}
	if (vmm__native_debug_due(v, exit))
		return true;
	look_at_iret(v);
	if (arch || sliced)
		now = vmm__native_now(v);
	if (arch) {
		deadline = vmm__native_irq_look(v, &now);
		if (vmm__native_irq_idle(v, deadline, exit))
			return true;
	}
	if (sliced) {
		if (slice_over(v, &now, exit))
			return true;
		deadline = deadline < v->slice_ns ? deadline : v->slice_ns;
	}
	vmm__native_set_timer(v, deadline);
	if (v->inject == 0 && atomic_load(&v->nmis) != 0 && !v->nmi_masked &&
	    !(v->vmcb->shadow & SVM_INT_SHADOW))
		deliver_nmi(v);
	if (v->window && vmm__native_window_open(v)) {
		v->window = false;
		v->vm->ops->want_window(v, false);
		fill(exit, VMM_EXIT_IRQ_WINDOW);
		return true;
	}
	if (arch && vmm__lapic_next(&v->lapic) >= 0 && vmm__native_window_open(v)) {
		v->inject = vmm__native_event(SVM_EVENT_INTR, (uint32_t)vmm__lapic_take(&v->lapic));
	}
	v->vm->ops->want_window(v, v->window || (arch && vmm__lapic_next(&v->lapic) >= 0));
	if (v->has_payload)
		apply_payload(v);
	v->vmcb->eventinj = v->inject;
	step_to_nmi(v);
	return false;
}

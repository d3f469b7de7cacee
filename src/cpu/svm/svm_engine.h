/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The SVM engine's own part; all that is not the VMCB is src/cpu/native's.
 *
 * CPUs. Nothing is kept per CPU: a CPU's VM_HSAVE_PA tells which vCPU it was made ready for last,
 * since each has a page of its own for that. A vCPU that finds another's address there, or has been
 * elsewhere, makes the CPU ready and begins with an empty TLB; so one ASID serves all.
 */
#ifndef VMM_SVM_ENGINE_H
#define VMM_SVM_ENGINE_H

#include "native.h"
#include "svm_world.h"

#define SVM_ASID 1u

/* svm_control.c: what is intercepted, and what else the VMCB's control area says. */
void vmm__svm_vcpu_reset(struct vmm__native_vcpu *v);
void vmm__svm_regs(struct vmm__native_vcpu *v, bool change);
void vmm__svm_pass_msr(struct vmm__native_vm *vm, uint32_t msr, uint32_t access);
void vmm__svm_want_window(struct vmm__native_vcpu *v, bool on);
void vmm__svm_watch_nmi(struct vmm__native_vcpu *v);
void vmm__svm_trap_dr(struct vmm__native_vcpu *v, bool on);
void vmm__svm_trap_bp(struct vmm__native_vcpu *v, bool on);
void vmm__svm_trap_pause(struct vmm__native_vcpu *v, bool on);

/* The first entry that delivers an event, or empties the TLB, has done so; one that was refused has
 * not (15.5.1). */
static inline void vmm__svm_entered(struct vmm__native_vcpu *v)
{
	if ((uint32_t)v->vmcb->exitcode == (uint32_t)SVM_EXIT_INVALID)
		return;
	v->inject = 0;
	v->vmcb->eventinj = 0;
	v->vmcb->tlb_control = SVM_TLB_NOTHING;
}

/* svm_run.c */
bool vmm__svm_is_here(const struct vmm__native_vcpu *v);
int vmm__svm_run(void *vcpu, struct vmm_exit *exit, struct vmm_error *error);
/* What run() is made of, for one that counts every exit. */
int vmm__svm_take_cpu(struct vmm__native_vcpu *v, struct vmm_error *error);
void vmm__svm_give_cpu(struct vmm__native_vcpu *v);

/* svm_partition.c */
/* Of the exit that has come: VMM_PARTITION_ */
uint32_t vmm__svm_reason(const struct vmm__native_vcpu *v);
void vmm__svm_dedicate(struct vmm__native_vcpu *v);
int vmm__svm_stay(struct vmm__native_vcpu *v, struct vmm_exit *exit, struct vmm_error *error);

/* svm_exit.c: exits that the run loop does not handle itself, as those of native_exit.c. */
int vmm__svm_handle(struct vmm__native_vcpu *v, struct vmm_exit *exit, struct vmm_error *error);

#endif

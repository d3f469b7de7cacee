// SPDX-License-Identifier: BSD-2-Clause-Patent
/* Dedicated vCPUs on SVM (native_partition.c): their intercepts, and a stay that counts every
 * exit. */
#include "svm_engine.h"

/* Interrupts are the guest's: APM2 15.21.1, without V_INTR_MASKING its own IF masks them. */
void vmm__svm_dedicate(struct vmm__native_vcpu *v)
{
	struct svm_vmcb *vmcb = v->vmcb;

	vmcb->intercept_cr = 0;
	vmcb->intercept1 &= (uint32_t) ~(SVM_I_INTR | SVM_I_SMI | SVM_I_HLT);
	if (v->partition.own_cpuid)
		vmcb->intercept1 &= (uint32_t)~SVM_I_CPUID;
	vmcb->vintr = 0;
	vmcb->msrpm_pa = vmm__native_phys(v->vm, v->partition.msrpm);
}

/* --- counting --- */

uint32_t vmm__svm_reason(const struct vmm__native_vcpu *v)
{
	uint64_t code = v->vmcb->exitcode;

	if (code >= SVM_EXIT_EXCP(0) && code <= SVM_EXIT_EXCP_LAST)
		return VMM_PARTITION_EXCEPTION;
	if (code < SVM_EXIT_EXCP(0))
		return VMM_PARTITION_REGISTER;
	switch (code) {
	case SVM_EXIT_NMI:
		return VMM_PARTITION_HOST;
	case SVM_EXIT_MSR:
		return (uint32_t)v->world.rcx == NATIVE_X2_ICR && (v->vmcb->exitinfo1 & 1)
			       ? VMM_PARTITION_IPI
			       : VMM_PARTITION_MSR;
	case SVM_EXIT_CPUID:
		return VMM_PARTITION_CPUID;
	case SVM_EXIT_IOIO:
		return VMM_PARTITION_PORT;
	case SVM_EXIT_NPF:
		return VMM_PARTITION_MEMORY;
	case SVM_EXIT_VMMCALL:
		return VMM_PARTITION_HYPERCALL;
	case SVM_EXIT_XSETBV:
		return VMM_PARTITION_REGISTER;
	case SVM_EXIT_INTR:
	case SVM_EXIT_SMI:
	case SVM_EXIT_INIT:
		return VMM_PARTITION_INTERRUPT;
	case SVM_EXIT_VINTR:
		return VMM_PARTITION_WINDOW;
	case SVM_EXIT_HLT:
		return VMM_PARTITION_HLT;
	case SVM_EXIT_SHUTDOWN:
		return VMM_PARTITION_SHUTDOWN;
	default:
		return code > SVM_EXIT_INIT && code <= SVM_EXIT_RDPRU ? VMM_PARTITION_INSTRUCTION
								      : VMM_PARTITION_OTHER;
	}
}

int vmm__svm_stay(struct vmm__native_vcpu *v, struct vmm_exit *exit, struct vmm_error *error)
{
	int r = vmm__native_partition_enter(v, error);
	uint64_t entered;

	if (r == 0)
		r = vmm__svm_take_cpu(v, error);
	if (r != 0) {
		vmm__native_unstage(v);
		return r;
	}
	entered = vmm__native_enter_dedicated(&v->world, 0, NULL, &v->partition.tpr,
					      (void (*)(void))vmm__svm_enter);
	vmm__svm_give_cpu(v);
	if (!entered) {
		vmm__native_unstage(v);
		return NATIVE_AGAIN;
	}
	vmm__svm_entered(v);
	vmm__native_partition_count(v, vmm__svm_reason(v));
	return vmm__svm_handle(v, exit, error);
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
/* Exits that are not served between two entries: APM2 15.9 to 15.14, appendix C. */
#include "svm_engine.h"

static int handle_iret(struct vmm__native_vcpu *v)
{
	v->nmi_iret = true;
	v->nmi_iret_rip = v->vmcb->rip;
	v->vmcb->intercept1 &= (uint32_t)~SVM_I_IRET;
	vmm__native_request(v, NATIVE_REQ_EVENT);
	return NATIVE_AGAIN;
}

static int handle_cr8(struct vmm__native_vcpu *v, bool write, struct vmm_exit *exit)
{
	struct vmm__x86_insn insn;

	if (vmm__native_decode(v, &insn) != 0 || insn.op != VMM__X86_MOV_CR)
		return vmm__native_give_error(v, exit);
	return vmm__native_handle_cr8(v, write, write ? insn.src.reg : insn.dst.reg, insn.length);
}

static int handle_npf(struct vmm__native_vcpu *v, struct vmm_exit *exit)
{
	bool write = (v->vmcb->exitinfo1 & SVM_NPF_WRITE) != 0, stale;
	int r = vmm__native_handle_fault(v, v->vmcb->exitinfo2, write, &stale, exit);

	if (stale)
		v->vmcb->tlb_control = SVM_TLB_ALL;
	return r;
}

int vmm__svm_handle(struct vmm__native_vcpu *v, struct vmm_exit *exit, struct vmm_error *error)
{
	uint64_t code = v->vmcb->exitcode;

	(void)error;
	if ((uint32_t)code == (uint32_t)SVM_EXIT_INVALID) {
		vmm__native_unstage(v);
		vmm__native_fill(v, exit, VMM_EXIT_ENTRY_FAILED);
		return 0;
	}
	vmm__native_take_back(v);
	if (v->nmi_iret)
		vmm__native_request(v, NATIVE_REQ_EVENT);
	if (code >= SVM_EXIT_DR_FIRST && code <= SVM_EXIT_DR_LAST)
		return vmm__native_handle_dr(v, code & 15, (code & 16) != 0);
	if (code >= SVM_EXIT_EXCP(0) && code <= SVM_EXIT_EXCP_LAST)
		return vmm__native_handle_exception(v, (uint32_t)(code - SVM_EXIT_EXCP(0)), exit);
	switch (code) {
	case SVM_EXIT_INTR: /* taken by the host's handler by now */
	case SVM_EXIT_NMI:
	case SVM_EXIT_SMI:
	case SVM_EXIT_INIT:
		/* It may have been for the timer. */
		if (vmm__native_has_irqchip(v) || v->slice_ns != VMM_FOREVER)
			vmm__native_request(v, NATIVE_REQ_EVENT);
		return NATIVE_AGAIN;
	case SVM_EXIT_CR_READ(8):
	case SVM_EXIT_CR_WRITE(8):
		return handle_cr8(v, code == SVM_EXIT_CR_WRITE(8), exit);
	case SVM_EXIT_VINTR:
		vmm__native_request(v, NATIVE_REQ_EVENT);
		return NATIVE_AGAIN;
	case SVM_EXIT_CPUID: /* single-stepped */
		vmm__native_do_cpuid(v);
		return vmm__native_skip_and_go_on(v, 2);
	case SVM_EXIT_VMMCALL:
		vmm__native_do_hypercall(v);
		return vmm__native_skip_and_go_on(v, 3);
	case SVM_EXIT_INVD: /* memory is coherent, and the host's lines are not the guest's to drop
			     */
	case SVM_EXIT_WBINVD:
		return vmm__native_skip_and_go_on(v, 2);
	case SVM_EXIT_IOIO:
		return vmm__native_handle_port(v, v->vmcb->exitinfo1, v->vmcb->exitinfo2, exit);
	case SVM_EXIT_MSR:
		return vmm__native_handle_msr(v, v->vmcb->exitinfo1 & 1, exit);
	case SVM_EXIT_HLT:
		return vmm__native_handle_hlt(v, exit);
	case SVM_EXIT_XSETBV:
		return vmm__native_handle_xsetbv(v);
	case SVM_EXIT_IRET:
		return handle_iret(v);
	case SVM_EXIT_PAUSE:
		return vmm__native_handle_pause(v, exit);
	case SVM_EXIT_RDPMC:
		vmm__native_raise_gp(v);
		return NATIVE_AGAIN;
	case SVM_EXIT_RSM:
	case SVM_EXIT_INVLPGA:
	case SVM_EXIT_VMRUN:
	case SVM_EXIT_VMLOAD:
	case SVM_EXIT_VMSAVE:
	case SVM_EXIT_STGI:
	case SVM_EXIT_CLGI:
	case SVM_EXIT_SKINIT:
	case SVM_EXIT_MONITOR:
	case SVM_EXIT_MWAIT:
	case SVM_EXIT_RDPRU:
		vmm__native_raise_ud(v);
		return NATIVE_AGAIN;
	case SVM_EXIT_NPF:
		return handle_npf(v, exit);
	case SVM_EXIT_SHUTDOWN:
		vmm__native_fill(v, exit, VMM_EXIT_SHUTDOWN);
		return 0;
	default:
		return vmm__native_give_error(v, exit);
	}
}

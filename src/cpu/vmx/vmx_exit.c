// SPDX-License-Identifier: BSD-2-Clause-Patent
/* Exits that are not served between two entries: SDM 3C 26.1, 28.2; appendix C. */
#include "vmx_engine.h"
#include "x86_paging.h"
#include "x86_reset.h"

#define CR0_DEFINED UINT64_C(0xe005003f)
#define CS_L        BIT(9) /* of the block's attributes */

#define DR6_HIT (BITS(3, 0) | BITS(14, 13))

static bool is_wide(const struct svm_vmcb *vmcb)
{
	return (vmcb->efer & X86_EFER_LMA) && (vmcb->cs.attr & CS_L);
}

/* What the exit interrupted, in the block's form: the same but for the error code's place. What is
 * an instruction (types 4 to 6) is executed again. */
static void note_event(struct vmm__native_vcpu *v)
{
	uint64_t event = vmm__vmx_read(VMX_IDT_EVENT);

	v->vmcb->exitintinfo = 0;
	if (!(event & VMX_EVENT_V) || FIELD_GET(VMX_EVENT_TYPE, event) > VMX_EVENT_HARD)
		return;
	if (event & VMX_EVENT_EV)
		event |= FIELD_PUT(SVM_EVENT_ERROR, vmm__vmx_read(VMX_IDT_ERROR));
	v->vmcb->exitintinfo = event & ~VMX_EVENT_IRET;
}

/* 28.2.3: an IRET that has failed itself has let NMIs in too early. */
static void mask_again(struct vmm__native_vcpu *v, bool by_iret)
{
	if (by_iret && v->vmcb->exitintinfo == 0)
		v->nmi_masked = true;
}

static int handle_exception(struct vmm__native_vcpu *v, struct vmm_exit *exit)
{
	uint64_t event = vmm__vmx_read(VMX_EXIT_EVENT);
	uint32_t vector = (uint32_t)FIELD_GET(VMX_EVENT_VECTOR, event);

	if (FIELD_GET(VMX_EVENT_TYPE, event) == VMX_EVENT_NMI) {
		/* The host has had it (vmx_world.S). */
		if (vmm__native_has_irqchip(v))
			vmm__native_request(v, NATIVE_REQ_EVENT);
		return NATIVE_AGAIN;
	}
	mask_again(v, (event & VMX_EVENT_IRET) != 0);
	if (vector == NATIVE_DB)
		v->vmcb->dr6 = (v->vmcb->dr6 & ~UINT64_C(15)) | (v->vmcb->exitinfo1 & DR6_HIT);
	return vmm__native_handle_exception(v, vector, exit);
}

/* SDM 3A 2.5, 4.1.2, 10.8.5 */
static bool cr0_valid(const struct svm_vmcb *vmcb, uint64_t cr0)
{
	bool paging = (cr0 & X86_CR0_PG) != 0, was = (vmcb->cr0 & X86_CR0_PG) != 0;

	if (cr0 >> 32 != 0 || (paging && !(cr0 & X86_CR0_PE)) ||
	    ((cr0 & X86_CR0_NW) && !(cr0 & X86_CR0_CD)))
		return false;
	if (paging && !was && (vmcb->efer & X86_EFER_LME))
		return (vmcb->cr4 & X86_CR4_PAE) && !(vmcb->cs.attr & CS_L);
	return paging || !was ||
	       (!(vmcb->cr4 & X86_CR4_PCIDE) &&
		!((vmcb->efer & X86_EFER_LMA) && (vmcb->cs.attr & CS_L)));
}

/* A change of bits that are not the guest's own, perhaps among others. */
static int write_cr0(struct vmm__native_vcpu *v, uint64_t cr0)
{
	struct svm_vmcb *vmcb = v->vmcb;
	bool lma;

	vmm__native_regs(v, true);
	if (!cr0_valid(vmcb, cr0)) {
		vmm__native_raise_gp(v);
		return NATIVE_AGAIN;
	}
	if ((cr0 ^ vmcb->cr0) & (X86_CR0_PG | X86_CR0_CD | X86_CR0_NW))
		v->pdptes_held = false; /* SDM 3A 4.4.1 */
	lma = (cr0 & X86_CR0_PG) && (vmcb->efer & X86_EFER_LME);
	vmcb->efer = lma ? vmcb->efer | X86_EFER_LMA : vmcb->efer & ~X86_EFER_LMA;
	vmcb->cr0 = (cr0 & CR0_DEFINED) | X86_CR0_ET;
	vmcb->tlb_control = SVM_TLB_ALL;
	return vmm__native_skip_and_go_on(v, 3);
}

static int handle_cr(struct vmm__native_vcpu *v, struct vmm_exit *exit)
{
	uint64_t q = v->vmcb->exitinfo1;
	uint32_t type = (uint32_t)FIELD_GET(VMX_CR_TYPE, q), gpr;

	gpr = (uint32_t)FIELD_GET(VMX_CR_GPR, q);
	if (FIELD_GET(VMX_CR_NUMBER, q) == 8)
		return vmm__native_handle_cr8(v, type == VMX_CR_MOV_TO, gpr,
					      v->vmcb->nrip - v->vmcb->rip);
	if (type == VMX_CR_MOV_TO && FIELD_GET(VMX_CR_NUMBER, q) == 0)
		return write_cr0(v, *vmm__native_gpr(v, gpr) &
					    (is_wide(v->vmcb) ? UINT64_MAX : UINT32_MAX));
	if (type == VMX_CR_MOV_TO && FIELD_GET(VMX_CR_NUMBER, q) == 4) {
		vmm__native_raise_gp(v); /* only what does not exist leads here */
		return NATIVE_AGAIN;
	}
	return vmm__native_give_error(v, exit);
}

/* The qualification in the form of SVM's EXITINFO1. */
static int handle_port(struct vmm__native_vcpu *v, struct vmm_exit *exit)
{
	uint64_t q = v->vmcb->exitinfo1;
	uint64_t info = FIELD_PUT(SVM_IO_PORT, FIELD_GET(VMX_IO_PORT, q)) |
			FIELD_PUT(SVM_IO_SIZE, FIELD_GET(VMX_IO_SIZE, q) + 1) |
			(q & VMX_IO_IN ? SVM_IO_IN : 0) | (q & VMX_IO_STR ? SVM_IO_STR : 0);

	return vmm__native_handle_port(v, info, v->vmcb->nrip, exit);
}

static int handle_ept(struct vmm__native_vcpu *v, struct vmm_exit *exit)
{
	uint64_t q = v->vmcb->exitinfo1;
	bool stale;
	int r;

	mask_again(v, (q & VMX_EPT_IRET) != 0);
	r = vmm__native_handle_fault(v, v->vmcb->exitinfo2, (q & VMX_EPT_WRITE) != 0, &stale, exit);
	if (stale)
		v->vmcb->tlb_control = SVM_TLB_ALL;
	return r;
}

static void note(struct vmm__native_vcpu *v)
{
	struct svm_vmcb *vmcb = v->vmcb;

	vmcb->exitinfo1 = vmm__vmx_read(VMX_QUALIFICATION);
	vmcb->exitinfo2 = vmm__vmx_read(VMX_GPA);
	vmcb->nrip = vmcb->rip + vmm__vmx_read(VMX_EXIT_LEN);
	if (!is_wide(vmcb))
		vmcb->nrip &= UINT32_MAX;
	note_event(v);
}

/* Of the exit that has come, in the block's terms: SDM 3C appendix C. */
uint32_t vmm__vmx_reason(const struct vmm__native_vcpu *v)
{
	switch (v->vmcb->exitcode) {
	case VMX_REASON_EXCEPTION:
		return FIELD_GET(VMX_EVENT_TYPE, vmm__vmx_read(VMX_EXIT_EVENT)) == VMX_EVENT_NMI
			       ? VMM_PARTITION_HOST
			       : VMM_PARTITION_EXCEPTION;
	case VMX_REASON_EXTINT:
	case VMX_REASON_INIT:
	case VMX_REASON_SIPI:
	case VMX_REASON_TIMER:
		return VMM_PARTITION_INTERRUPT;
	case VMX_REASON_TRIPLE:
		return VMM_PARTITION_SHUTDOWN;
	case VMX_REASON_INT_WINDOW:
	case VMX_REASON_NMI_WINDOW:
		return VMM_PARTITION_WINDOW;
	case VMX_REASON_CPUID:
		return VMM_PARTITION_CPUID;
	case VMX_REASON_HLT:
		return VMM_PARTITION_HLT;
	case VMX_REASON_VMCALL:
		return VMM_PARTITION_HYPERCALL;
	case VMX_REASON_CR:
	case VMX_REASON_DR:
	case VMX_REASON_XSETBV:
		return VMM_PARTITION_REGISTER;
	case VMX_REASON_IO:
		return VMM_PARTITION_PORT;
	case VMX_REASON_RDMSR:
		return VMM_PARTITION_MSR;
	case VMX_REASON_WRMSR:
		return (uint32_t)v->world.rcx == NATIVE_X2_ICR ? VMM_PARTITION_IPI
							       : VMM_PARTITION_MSR;
	case VMX_REASON_EPT:
		return VMM_PARTITION_MEMORY;
	case VMX_REASON_STATE:
	case VMX_REASON_MISCONFIG:
		return VMM_PARTITION_OTHER;
	default:
		return VMM_PARTITION_INSTRUCTION;
	}
}

int vmm__vmx_handle(struct vmm__native_vcpu *v, struct vmm_exit *exit)
{
	uint64_t reason = v->vmcb->exitcode;

	note(v);
	vmm__native_take_back(v);
	switch (reason) {
	case VMX_REASON_EXCEPTION:
		return handle_exception(v, exit);
	case VMX_REASON_EXTINT: /* taken by the host's handler by now */
	case VMX_REASON_INIT:
	case VMX_REASON_SIPI:
		/* It may have been for the timer. */
		if (vmm__native_has_irqchip(v) || v->slice_ns != VMM_FOREVER)
			vmm__native_request(v, NATIVE_REQ_EVENT);
		return NATIVE_AGAIN;
	case VMX_REASON_TIMER:
		vmm__vmx(v)->deadline = UINT64_MAX;
		v->timer_ns = 0;
		vmm__native_request(v, NATIVE_REQ_EVENT);
		return NATIVE_AGAIN;
	case VMX_REASON_INT_WINDOW:
	case VMX_REASON_NMI_WINDOW:
		vmm__native_request(v, NATIVE_REQ_EVENT);
		return NATIVE_AGAIN;
	case VMX_REASON_CPUID: /* single-stepped */
		vmm__native_regs(v, false);
		vmm__native_do_cpuid(v);
		return vmm__native_skip_and_go_on(v, 2);
	case VMX_REASON_VMCALL:
		vmm__native_do_hypercall(v);
		return vmm__native_skip_and_go_on(v, 3);
	case VMX_REASON_INVD: /* memory is coherent, and the host's lines are not the guest's */
	case VMX_REASON_WBINVD:
		return vmm__native_skip_and_go_on(v, 2);
	case VMX_REASON_HLT:
		return vmm__native_handle_hlt(v, exit);
	case VMX_REASON_CR:
		return handle_cr(v, exit);
	case VMX_REASON_DR:
		return vmm__native_handle_dr(v,
					     (uint32_t)FIELD_GET(VMX_DR_NUMBER, v->vmcb->exitinfo1),
					     !(v->vmcb->exitinfo1 & VMX_DR_FROM));
	case VMX_REASON_IO:
		return handle_port(v, exit);
	case VMX_REASON_RDMSR:
	case VMX_REASON_WRMSR:
		return vmm__native_handle_msr(v, reason == VMX_REASON_WRMSR, exit);
	case VMX_REASON_XSETBV:
		return vmm__native_handle_xsetbv(v);
	case VMX_REASON_PAUSE:
		return vmm__native_handle_pause(v, exit);
	case VMX_REASON_EPT:
		return handle_ept(v, exit);
	case VMX_REASON_RDPMC:
		vmm__native_raise_gp(v);
		return NATIVE_AGAIN;
	case VMX_REASON_GETSEC:
	case VMX_REASON_RSM:
	case VMX_REASON_MWAIT:
	case VMX_REASON_MONITOR:
	case VMX_REASON_INVEPT:
	case VMX_REASON_INVVPID:
	case VMX_REASON_SEAMCALL:
	case VMX_REASON_TDCALL:
		vmm__native_raise_ud(v);
		return NATIVE_AGAIN;
	case VMX_REASON_TRIPLE:
		vmm__native_fill(v, exit, VMM_EXIT_SHUTDOWN);
		return 0;
	default:
		if (reason < VMX_REASON_VMCLEAR || reason > VMX_REASON_VMXON)
			return vmm__native_give_error(v, exit);
		vmm__native_raise_ud(v);
		return NATIVE_AGAIN;
	}
}

int vmm__vmx_handle_failure(struct vmm__native_vcpu *v, struct vmm_exit *exit)
{
	const struct vmm__services *services = v->vm->services;
	const char *field = vmm__vmx_check();
	char text[128];

	if (v->vmcb->exitcode == 0)
		v->vmcb->exitinfo1 = vmm__vmx_read(VMX_INSN_ERROR);
	else
		v->vmcb->exitinfo1 = vmm__vmx_read(VMX_QUALIFICATION);
	if ((v->vmcb->exitcode & ~VMX_REASON_FAILED) == VMX_REASON_MC)
		vmm__native_machine_check();
	vmm__vmx_write(VMX_ENTRY_EVENT, 0);
	vmm__native_unstage(v);
	vmm__format(text, sizeof(text), "vCPU %u: entry failed: 0x%llx, 0x%llx: %s", v->index,
		    (unsigned long long)v->vmcb->exitcode, (unsigned long long)v->vmcb->exitinfo1,
		    field ? field : "no field is known to be wrong");
	services->log(services->core, VMM_LOG_WARN, text);
	vmm__native_fill(v, exit, VMM_EXIT_ENTRY_FAILED);
	return 0;
}

// SPDX-License-Identifier: BSD-2-Clause-Patent
/* Exits that are not served between two entries: APM2 15.9 to 15.14, appendix C. */
#include "svm_engine.h"

#define DR6_BS BIT(14)
#define DR7_GD BIT(13)

static void fill(struct vmm__svm_vcpu *v, struct vmm_exit *exit, uint32_t reason)
{
	memset(exit, 0, sizeof(*exit));
	exit->reason = reason;
	exit->flags = VMM_EXIT_F_HW;
	exit->hw_code = v->vmcb->exitcode;
	exit->hw_info = v->vmcb->exitinfo1;
}

void vmm__svm_end_insn(struct vmm__svm_vcpu *v, bool traps)
{
	v->vmcb->shadow = 0;
	if (v->stepping) {
		v->step_done = true;
		vmm__svm_request(v, SVM_REQ_EVENT);
	}
	if (!traps)
		return;
	v->vmcb->dr6 |= DR6_BS;
	vmm__svm_raise(v, SVM_DB, false, 0);
}

static void move_to(struct vmm__svm_vcpu *v, uint64_t rip)
{
	v->vmcb->rip = rip;
	vmm__svm_end_insn(v, (v->vmcb->rflags & X86_RFLAGS_TF) != 0);
}

/* RIP wraps as the mode's width says. */
void vmm__svm_skip(struct vmm__svm_vcpu *v, uint64_t len)
{
	const struct svm_vmcb *vmcb = v->vmcb;
	uint64_t rip = vmcb->rip + len;
	bool wide = (vmcb->efer & BIT(10)) && (vmcb->cs.attr & BIT(9));

	move_to(v, wide ? rip : rip & UINT32_MAX);
}

uint64_t vmm__svm_insn_len(struct vmm__svm_vcpu *v, uint64_t known)
{
	const struct svm_vmcb *vmcb = v->vmcb;
	struct svm_length *length = vmm__svm_length(v);
	uint64_t key = vmm__svm_length_key(vmcb, vmcb->exitcode);
	struct vmm__x86_insn insn;

	if (v->vm->features & SVM_CPUID_EDX_NRIPS)
		return vmcb->nrip - vmcb->rip;
	if (length->key == key && length->cr3 == vmcb->cr3)
		return length->len;
	/* What cannot be read any more was changed by the guest itself. */
	if (vmm__svm_decode(v, &insn) == 0)
		known = insn.length;
	*length = (struct svm_length){key, vmcb->cr3, known};
	return known;
}

static int skip_and_go_on(struct vmm__svm_vcpu *v, uint64_t known)
{
	vmm__svm_skip(v, vmm__svm_insn_len(v, known));
	return SVM_AGAIN;
}

static int give_engine_error(struct vmm__svm_vcpu *v, struct vmm_exit *exit)
{
	const struct vmm__services *services = v->vm->services;
	char text[128];

	fill(v, exit, VMM_EXIT_ENGINE_ERROR);
	vmm__format(text, sizeof(text), "vCPU %u: exit 0x%llx, 0x%llx, 0x%llx at 0x%llx", v->index,
		    (unsigned long long)v->vmcb->exitcode, (unsigned long long)v->vmcb->exitinfo1,
		    (unsigned long long)v->vmcb->exitinfo2, (unsigned long long)v->vmcb->rip);
	services->log(services->core, VMM_LOG_WARN, text);
	return 0;
}

/* --- single instructions --- */

static int handle_hlt(struct vmm__svm_vcpu *v, struct vmm_exit *exit)
{
	vmm__svm_skip(v, vmm__svm_insn_len(v, 1));
	if (vmm__svm_has_irqchip(v) && !(v->vm->flags & VMM_VM_EXIT_HLT)) {
		v->mp = VMM_X86_MP_HALTED;
		vmm__svm_request(v, SVM_REQ_EVENT);
		return SVM_AGAIN;
	}
	fill(v, exit, VMM_EXIT_HLT);
	return 0;
}

static int handle_xsetbv(struct vmm__svm_vcpu *v)
{
	const struct vmm__svm_world *w = &v->world;
	uint64_t xcr0 = w->rdx << 32 | (v->vmcb->rax & UINT32_MAX);

	if (v->vmcb->cpl != 0 || !(v->vmcb->cr4 & X86_CR4_OSXSAVE) || (uint32_t)w->rcx != 0 ||
	    !vmm__svm_xcr0_valid(v, xcr0)) {
		vmm__svm_raise_gp(v);
		return SVM_AGAIN;
	}
	v->world.xcr0 = xcr0;
	v->world.live = 0;
	return skip_and_go_on(v, 3);
}

/* A port access that give_port() left: string, single-stepped, or with its place wanted. */
static int handle_port(struct vmm__svm_vcpu *v, struct vmm_exit *exit)
{
	uint64_t info = v->vmcb->exitinfo1;

	if (info & SVM_IO_STR)
		return vmm__svm_emulate(v, 0, false, (uint32_t)FIELD_GET(SVM_IO_SIZE, info), exit);
	fill(v, exit, VMM_EXIT_PORT);
	exit->addr = FIELD_GET(SVM_IO_PORT, info);
	exit->width = (uint32_t)FIELD_GET(SVM_IO_SIZE, info);
	exit->flags |= VMM_EXIT_F_PC;
	exit->pc = v->vmcb->rip;
	if (info & SVM_IO_IN) {
		v->answer = SVM_ANSWER_PORT;
		v->width = exit->width;
	} else {
		exit->flags |= VMM_EXIT_F_WRITE;
		exit->data = v->vmcb->rax & (UINT32_MAX >> (32 - 8 * exit->width));
	}
	move_to(v, v->vmcb->exitinfo2);
	return 0;
}

/* The guest's DR0 to DR3 come in when it first uses any: the host's are not kept (15.13). */
static int handle_dr(struct vmm__svm_vcpu *v, uint32_t access)
{
	if (v->watching)
		return vmm__svm_debug_access(v, access & 15, access >= 16);
	v->dr_live = true;
	v->vmcb->intercept_dr = 0;
	return SVM_AGAIN;
}

static int handle_iret(struct vmm__svm_vcpu *v)
{
	v->nmi_iret = true;
	v->nmi_iret_rip = v->vmcb->rip;
	v->vmcb->intercept1 &= (uint32_t)~SVM_I_IRET;
	vmm__svm_request(v, SVM_REQ_EVENT);
	return SVM_AGAIN;
}

/* #DB and #AC are intercepted because their delivery can go on for ever without an interrupt. */
static int handle_exception(struct vmm__svm_vcpu *v, uint32_t vector, struct vmm_exit *exit)
{
	switch (vector) {
	case SVM_DB:
		if (v->nmi_step) { /* the IRET has been executed, or has failed */
			v->nmi_step = false;
			v->vmcb->dr6 &= ~DR6_BS;
			vmm__svm_request(v, SVM_REQ_EVENT);
			return SVM_AGAIN;
		}
		if (vmm__svm_debug_trap(v, exit))
			return 0;
		v->vmcb->dr7 &= ~DR7_GD; /* its delivery does that: APM2 13.1.1.4 */
		vmm__svm_raise(v, SVM_DB, false, 0);
		return SVM_AGAIN;
	case SVM_AC:
		vmm__svm_raise(v, SVM_AC, true, 0);
		return SVM_AGAIN;
	case SVM_MC:
		vmm__svm_machine_check();
		return SVM_AGAIN;
	default:
		return give_engine_error(v, exit);
	}
}

/* --- CR8 --- */

uint64_t vmm__svm_cr8(const struct vmm__svm_vcpu *v)
{
	return vmm__svm_has_irqchip(v) ? vmm__lapic_cr8(&v->lapic)
				       : FIELD_GET(SVM_V_TPR, v->vmcb->vintr) & 15;
}

void vmm__svm_set_cr8(struct vmm__svm_vcpu *v, uint64_t cr8)
{
	v->vmcb->vintr = (v->vmcb->vintr & ~SVM_V_TPR) | cr8;
	if (!vmm__svm_has_irqchip(v))
		return;
	vmm__lapic_set_cr8(&v->lapic, cr8);
	vmm__svm_request(v, SVM_REQ_EVENT);
}

static int handle_cr8(struct vmm__svm_vcpu *v, bool write, struct vmm_exit *exit)
{
	struct vmm__x86_insn insn;
	uint64_t *gpr;

	if (vmm__svm_decode(v, &insn) != 0 || insn.op != VMM__X86_MOV_CR)
		return give_engine_error(v, exit);
	gpr = vmm__svm_gpr(v, write ? insn.src.reg : insn.dst.reg);
	if (write && *gpr > 15) {
		vmm__svm_raise_gp(v);
		return SVM_AGAIN;
	}
	if (write)
		vmm__svm_set_cr8(v, *gpr);
	else
		*gpr = vmm__svm_cr8(v);
	vmm__svm_skip(v, insn.length);
	return SVM_AGAIN;
}

/*
 * Where the nested tables allow the access, the fault came before they did: again, with an empty
 * TLB. The fault's own bits are not to be relied on in every emulator: a page without write access
 * was written.
 */
static int handle_npf(struct vmm__svm_vcpu *v, struct vmm_exit *exit)
{
	uint64_t gpa = v->vmcb->exitinfo2, info = v->vmcb->exitinfo1;
	struct vmm__pt_leaf leaf;
	int r = vmm__pt_lookup(&v->vm->pt, vmm__ia(gpa), &leaf);
	bool mapped = r == 0;

	if (r == -VMM_EBUSY || (mapped && (leaf.prot & VMM__PROT_W) && (leaf.prot & VMM__PROT_X))) {
		v->vmcb->tlb_control = SVM_TLB_ALL;
		return SVM_AGAIN;
	}
	/* An event in delivery cannot be carried out, nor can code that is not there be read. */
	if (v->inject != 0)
		return give_engine_error(v, exit);
	return vmm__svm_emulate(v, gpa, mapped || (info & SVM_NPF_WRITE), 0, exit);
}

int vmm__svm_handle(struct vmm__svm_vcpu *v, struct vmm_exit *exit, struct vmm_error *error)
{
	uint64_t code = v->vmcb->exitcode;

	(void)error;
	vmm__svm_take_back(v);
	if (v->nmi_iret)
		vmm__svm_request(v, SVM_REQ_EVENT);
	if (code >= SVM_EXIT_DR_FIRST && code <= SVM_EXIT_DR_LAST)
		return handle_dr(v, (uint32_t)(code - SVM_EXIT_DR_FIRST));
	if (code >= SVM_EXIT_EXCP(0) && code <= SVM_EXIT_EXCP_LAST)
		return handle_exception(v, (uint32_t)(code - SVM_EXIT_EXCP(0)), exit);
	switch (code) {
	case SVM_EXIT_INTR: /* taken by the host's handler by now */
	case SVM_EXIT_NMI:
	case SVM_EXIT_SMI:
	case SVM_EXIT_INIT:
		if (vmm__svm_has_irqchip(v)) /* it may have been for the timer */
			vmm__svm_request(v, SVM_REQ_EVENT);
		return SVM_AGAIN;
	case SVM_EXIT_CR_READ(8):
	case SVM_EXIT_CR_WRITE(8):
		return handle_cr8(v, code == SVM_EXIT_CR_WRITE(8), exit);
	case SVM_EXIT_VINTR:
		vmm__svm_request(v, SVM_REQ_EVENT);
		return SVM_AGAIN;
	case SVM_EXIT_CPUID: /* single-stepped */
		vmm__svm_do_cpuid(v);
		return skip_and_go_on(v, 2);
	case SVM_EXIT_VMMCALL:
		vmm__svm_do_hypercall(v);
		return skip_and_go_on(v, 3);
	case SVM_EXIT_INVD: /* memory is coherent, and the host's lines are not the guest's to drop
			     */
	case SVM_EXIT_WBINVD:
		return skip_and_go_on(v, 2);
	case SVM_EXIT_IOIO:
		return handle_port(v, exit);
	case SVM_EXIT_MSR:
		return vmm__svm_handle_msr(v, exit);
	case SVM_EXIT_HLT:
		return handle_hlt(v, exit);
	case SVM_EXIT_XSETBV:
		return handle_xsetbv(v);
	case SVM_EXIT_IRET:
		return handle_iret(v);
	case SVM_EXIT_RDPMC:
		vmm__svm_raise_gp(v);
		return SVM_AGAIN;
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
		vmm__svm_raise_ud(v);
		return SVM_AGAIN;
	case SVM_EXIT_NPF:
		return handle_npf(v, exit);
	case SVM_EXIT_SHUTDOWN:
		fill(v, exit, VMM_EXIT_SHUTDOWN);
		return 0;
	default:
		if ((uint32_t)code != (uint32_t)SVM_EXIT_INVALID)
			return give_engine_error(v, exit);
		fill(v, exit, VMM_EXIT_ENTRY_FAILED);
		return 0;
	}
}

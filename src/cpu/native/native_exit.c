// SPDX-License-Identifier: BSD-2-Clause-Patent
/* What exits have in common: APM2 15.9 to 15.14. */
#include "native.h"

void vmm__native_fill(struct vmm__native_vcpu *v, struct vmm_exit *exit, uint32_t reason)
{
	memset(exit, 0, sizeof(*exit));
	exit->reason = reason;
	exit->flags = VMM_EXIT_F_HW;
	exit->hw_code = v->vmcb->exitcode;
	exit->hw_info = v->vmcb->exitinfo1;
}

void vmm__native_end_insn(struct vmm__native_vcpu *v, bool traps)
{
	v->vmcb->shadow = 0;
	if (v->stepping) {
		v->step_done = true;
		vmm__native_request(v, NATIVE_REQ_EVENT);
	}
	if (!traps)
		return;
	v->vmcb->dr6 |= X86_DR6_BS;
	vmm__native_raise(v, NATIVE_DB, false, 0);
}

static void move_to(struct vmm__native_vcpu *v, uint64_t rip)
{
	v->vmcb->rip = rip;
	vmm__native_end_insn(v, (v->vmcb->rflags & X86_RFLAGS_TF) != 0);
}

/* RIP wraps as the mode's width says. */
void vmm__native_skip(struct vmm__native_vcpu *v, uint64_t len)
{
	const struct svm_vmcb *vmcb = v->vmcb;
	uint64_t rip = vmcb->rip + len;
	bool wide = (vmcb->efer & BIT(10)) && (vmcb->cs.attr & BIT(9));

	move_to(v, wide ? rip : rip & UINT32_MAX);
}

uint64_t vmm__native_insn_len(struct vmm__native_vcpu *v, uint64_t known)
{
	const struct svm_vmcb *vmcb = v->vmcb;
	struct native_length *length = vmm__native_length(v);
	uint64_t key = vmm__native_length_key(vmcb, vmcb->exitcode);
	struct vmm__x86_insn insn;

	if (v->vm->features & SVM_CPUID_EDX_NRIPS)
		return vmcb->nrip - vmcb->rip;
	if (length->key == key && length->cr3 == vmcb->cr3)
		return length->len;
	/* What cannot be read any more was changed by the guest itself. */
	if (vmm__native_decode(v, &insn) == 0)
		known = insn.length;
	*length = (struct native_length){key, vmcb->cr3, known};
	return known;
}

int vmm__native_skip_and_go_on(struct vmm__native_vcpu *v, uint64_t known)
{
	vmm__native_skip(v, vmm__native_insn_len(v, known));
	return NATIVE_AGAIN;
}

int vmm__native_give_error(struct vmm__native_vcpu *v, struct vmm_exit *exit)
{
	const struct vmm__services *services = v->vm->services;
	char text[128];

	vmm__native_fill(v, exit, VMM_EXIT_ENGINE_ERROR);
	vmm__format(text, sizeof(text), "vCPU %u: exit 0x%llx, 0x%llx, 0x%llx at 0x%llx", v->index,
		    (unsigned long long)v->vmcb->exitcode, (unsigned long long)v->vmcb->exitinfo1,
		    (unsigned long long)v->vmcb->exitinfo2, (unsigned long long)v->vmcb->rip);
	services->log(services->core, VMM_LOG_WARN, text);
	return 0;
}

/* --- single instructions --- */

int vmm__native_handle_hlt(struct vmm__native_vcpu *v, struct vmm_exit *exit)
{
	vmm__native_skip(v, vmm__native_insn_len(v, 1));
	if (vmm__native_has_irqchip(v) && !(v->vm->flags & VMM_VM_EXIT_HLT)) {
		v->mp = VMM_X86_MP_HALTED;
		vmm__native_request(v, NATIVE_REQ_EVENT);
		return NATIVE_AGAIN;
	}
	vmm__native_fill(v, exit, VMM_EXIT_HLT);
	return 0;
}

int vmm__native_handle_xsetbv(struct vmm__native_vcpu *v)
{
	const struct vmm__native_world *w = &v->world;
	uint64_t xcr0 = w->rdx << 32 | (v->vmcb->rax & UINT32_MAX);

	vmm__native_regs(v, false);
	if (v->vmcb->cpl != 0 || !(v->vmcb->cr4 & X86_CR4_OSXSAVE) || (uint32_t)w->rcx != 0 ||
	    !vmm__native_xcr0_valid(v, xcr0)) {
		vmm__native_raise_gp(v);
		return NATIVE_AGAIN;
	}
	v->world.xcr0 = xcr0;
	v->world.live = 0;
	return vmm__native_skip_and_go_on(v, 3);
}

int vmm__native_handle_port(struct vmm__native_vcpu *v, uint64_t info, uint64_t next,
			    struct vmm_exit *exit)
{
	uint32_t width = (uint32_t)FIELD_GET(SVM_IO_SIZE, info);

	if (info & SVM_IO_STR)
		return vmm__native_emulate(v, 0, false, width, exit);
	vmm__native_fill(v, exit, VMM_EXIT_PORT);
	exit->addr = FIELD_GET(SVM_IO_PORT, info);
	exit->width = width;
	exit->flags |= VMM_EXIT_F_PC;
	exit->pc = v->vmcb->rip;
	if (info & SVM_IO_IN) {
		v->answer = NATIVE_ANSWER_PORT;
		v->width = width;
	} else {
		exit->flags |= VMM_EXIT_F_WRITE;
		exit->data = v->vmcb->rax & (UINT32_MAX >> (32 - 8 * width));
	}
	move_to(v, next);
	return 0;
}

/* A port exit that the bus did not serve, between two entries. */
VMM__COLD uint64_t vmm__native_refuse_port(struct vmm_vcpu *core, int r)
{
	vmm__call_end(core);
	core->offered = r < 0 ? r : -VMM_EINVAL;
	return NATIVE_OFFERED;
}

/* The guest's DR0 to DR3 come in when it first uses any: the host's are not kept (15.13). */
int vmm__native_handle_dr(struct vmm__native_vcpu *v, uint32_t number, bool write)
{
	if (v->watching)
		return vmm__native_debug_access(v, number, write);
	v->dr_live = true;
	v->vm->ops->trap_dr(v, false);
	return NATIVE_AGAIN;
}

int vmm__native_handle_pause(struct vmm__native_vcpu *v, struct vmm_exit *exit)
{
	vmm__native_skip(v, vmm__native_insn_len(v, 2));
	vmm__native_fill(v, exit, VMM_EXIT_PREEMPTED);
	exit->data = VMM_PREEMPTED_PAUSE;
	return 0;
}

/* #DB and #AC are intercepted because their delivery can go on for ever without an interrupt. */
int vmm__native_handle_exception(struct vmm__native_vcpu *v, uint32_t vector, struct vmm_exit *exit)
{
	switch (vector) {
	case NATIVE_DB:
		if (v->nmi_step) { /* the IRET has been executed, or has failed */
			v->nmi_step = false;
			v->vmcb->dr6 &= ~X86_DR6_BS;
			vmm__native_request(v, NATIVE_REQ_EVENT);
			return NATIVE_AGAIN;
		}
		if (vmm__native_debug_trap(v, exit))
			return 0;
		vmm__native_regs(v, true);
		v->vmcb->dr7 &= ~X86_DR7_GD; /* its delivery does that: APM2 13.1.1.4 */
		vmm__native_raise(v, NATIVE_DB, false, 0);
		return NATIVE_AGAIN;
	case NATIVE_BP:
		vmm__native_debug_break(v, exit);
		return 0;
	case NATIVE_AC:
		vmm__native_raise(v, NATIVE_AC, true, 0);
		return NATIVE_AGAIN;
	case NATIVE_MC:
		vmm__native_machine_check();
		return NATIVE_AGAIN;
	default:
		return vmm__native_give_error(v, exit);
	}
}

/* --- CR8 --- */

uint64_t vmm__native_cr8(const struct vmm__native_vcpu *v)
{
	return vmm__native_has_irqchip(v) ? vmm__lapic_cr8(&v->lapic)
					  : FIELD_GET(SVM_V_TPR, v->vmcb->vintr) & 15;
}

void vmm__native_set_cr8(struct vmm__native_vcpu *v, uint64_t cr8)
{
	v->vmcb->vintr = (v->vmcb->vintr & ~SVM_V_TPR) | cr8;
	if (!vmm__native_has_irqchip(v))
		return;
	vmm__lapic_set_cr8(&v->lapic, cr8);
	vmm__native_request(v, NATIVE_REQ_EVENT);
}

int vmm__native_handle_cr8(struct vmm__native_vcpu *v, bool write, uint32_t gpr, uint64_t len)
{
	uint64_t *value = vmm__native_gpr(v, gpr);

	if (write && *value > 15) {
		vmm__native_raise_gp(v);
		return NATIVE_AGAIN;
	}
	if (write)
		vmm__native_set_cr8(v, *value);
	else
		*value = vmm__native_cr8(v);
	vmm__native_skip(v, len);
	return NATIVE_AGAIN;
}

/*
 * Where the nested tables allow the access, the fault came before they did: again, with an empty
 * TLB. The fault's own bits are not to be relied on in every emulator: a page without write access
 * was written.
 */
int vmm__native_handle_fault(struct vmm__native_vcpu *v, uint64_t gpa, bool write, bool *stale,
			     struct vmm_exit *exit)
{
	struct vmm__pt_leaf leaf;
	int r = vmm__pt_lookup(&v->vm->pt, vmm__ia(gpa), &leaf);
	bool mapped = r == 0;

	*stale = r == -VMM_EBUSY ||
		 (mapped && (leaf.prot & VMM__PROT_W) && (leaf.prot & VMM__PROT_X));
	if (*stale)
		return NATIVE_AGAIN;
	/* An event in delivery cannot be carried out, nor can code that is not there be read. */
	if (v->inject != 0)
		return vmm__native_give_error(v, exit);
	return vmm__native_emulate(v, gpa, mapped || write, 0, exit);
}

/* --- answers --- */

void vmm__native_take_answer(struct vmm__native_vcpu *v, const struct vmm_exit *exit)
{
	static const uint64_t kept[9] = {
		[1] = ~UINT64_C(0xff), [2] = ~UINT64_C(0xffff), [4] = 0, [8] = 0};
	static const uint64_t taken[9] = {
		[1] = 0xff, [2] = 0xffff, [4] = UINT32_MAX, [8] = UINT64_MAX};
	uint64_t data = exit->flags & VMM_EXIT_F_FAIL ? UINT64_MAX : exit->data;

	if (v->answer == NATIVE_ANSWER_PORT)
		v->vmcb->rax = (v->vmcb->rax & kept[v->width]) | (data & taken[v->width]);
	else
		vmm__native_answer_msr(v, exit);
	v->answer = NATIVE_ANSWER_NONE;
}

int vmm__native_complete(void *vcpu, struct vmm_exit *exit, struct vmm_error *error)
{
	struct vmm__native_vcpu *v = vcpu;

	(void)error;
	if (v->answer == NATIVE_ANSWER_EMULATE)
		return vmm__native_emulate_on(v, false, exit) == 0 ? -VMM_EPENDING : 0;
	if (v->answer != NATIVE_ANSWER_NONE)
		vmm__native_take_answer(v, exit);
	return 0;
}

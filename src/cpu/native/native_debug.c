// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * Debugging from outside: single steps by RFLAGS.TF, address breakpoints by the debug registers,
 * #DB being intercepted anyway (APM2 13.1, 15.12.2); INT3 by an intercept of #BP (15.12.4). The
 * guest's own registers wait meanwhile; what it does to them is emulated.
 */
#include "native.h"
#include "x86_reset.h"

#define DR6_HIT (BITS(3, 0) | BITS(15, 13))
#define DR7_ONE BIT(10)

static uint64_t dr7_bits(uint32_t i, const struct vmm_breakpoint *b)
{
	static const uint8_t len_code[9] = {[1] = 0, [2] = 1, [4] = 3, [8] = 2};
	uint64_t field = b->kind | (uint64_t)len_code[b->len] << 2;

	return UINT64_C(2) << (2 * i) | field << (16 + 4 * i);
}

int vmm__native_debug(void *vcpu, const struct vmm_debug_config *config, struct vmm_error *error)
{
	struct vmm__native_vcpu *v = vcpu;
	bool was = v->watching, is = config->count != 0;

	(void)error;
	vmm__native_regs(v, true);
	if (is && !was)
		v->guest_dr7 = v->vmcb->dr7;
	if (was && !is)
		v->vmcb->dr7 = v->guest_dr7;
	v->stepping = (config->flags & VMM_DEBUG_SINGLE_STEP) != 0;
	v->watching = is;
	v->step_done = false;
	if (is)
		v->vmcb->dr7 = DR7_ONE;
	for (uint32_t i = 0; i < config->count; i++) {
		v->watched[i] = config->breakpoints[i].gva;
		v->vmcb->dr7 |= dr7_bits(i, &config->breakpoints[i]);
	}
	v->dr_live = !is && (v->vmcb->dr7 & 0xff) != 0;
	v->vm->ops->trap_dr(v, !v->dr_live);
	v->vm->ops->trap_bp(v, (config->flags & VMM_DEBUG_SW_BREAK) != 0);
	vmm__native_request(v, NATIVE_REQ_EVENT);
	return 0;
}

static void give(struct vmm__native_vcpu *v, struct vmm_exit *exit, uint64_t dr6)
{
	*exit = (struct vmm_exit){
		.reason = VMM_EXIT_DEBUG,
		.flags = VMM_EXIT_F_HW,
		.addr = v->vmcb->rip,
		.data = dr6,
		.hw_code = v->vmcb->exitcode,
	};
}

bool vmm__native_debug_trap(struct vmm__native_vcpu *v, struct vmm_exit *exit)
{
	uint64_t hit = v->vmcb->dr6 & DR6_HIT;

	if (!(v->stepping && (hit & X86_DR6_BS)) && !(v->watching && (hit & 15)))
		return false;
	v->vmcb->dr6 &= ~DR6_HIT;
	give(v, exit, hit);
	return true;
}

/* RIP is still that of the INT3. */
void vmm__native_debug_break(struct vmm__native_vcpu *v, struct vmm_exit *exit)
{
	give(v, exit, 0);
}

bool vmm__native_debug_due(struct vmm__native_vcpu *v, struct vmm_exit *exit)
{
	if (!v->step_done)
		return false;
	v->step_done = false;
	give(v, exit, X86_DR6_BS);
	return true;
}

static uint64_t *guest_dr(struct vmm__native_vcpu *v, uint32_t number)
{
	return number < 4 ? &v->dr[number] : number == 6 ? &v->vmcb->dr6 : &v->guest_dr7;
}

int vmm__native_debug_access(struct vmm__native_vcpu *v, uint32_t number, bool write)
{
	struct vmm__x86_insn insn;
	uint64_t *gpr, *dr;

	vmm__native_regs(v, false);
	if ((number == 4 || number == 5) && (v->vmcb->cr4 & X86_CR4_DE)) {
		vmm__native_raise_ud(v);
		return NATIVE_AGAIN;
	}
	if (vmm__native_decode(v, &insn) != 0 || insn.op != VMM__X86_MOV_DR)
		return NATIVE_AGAIN; /* changed meanwhile: look again */
	dr = guest_dr(v, number == 4 || number == 5 ? number + 2 : number);
	gpr = vmm__native_gpr(v, write ? insn.src.reg : insn.dst.reg);
	if (write && number >= 4 && (*gpr >> 32) != 0) {
		vmm__native_raise_gp(v);
		return NATIVE_AGAIN;
	}
	if (write)
		*dr = number >= 4 ? (*gpr & ~X86_DR7_GD) | DR7_ONE : *gpr;
	else
		*gpr = *dr;
	vmm__native_skip(v, insn.length);
	return NATIVE_AGAIN;
}

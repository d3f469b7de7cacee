// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * The controls, from what the processor allows (SDM 3D, appendix A). Its MSRs tell for each bit
 * whether it must be 1 (low half) and whether it may be (high half); nothing is set that may not
 * be, and a bit that must be and whose exits nobody would understand is a reason not to run.
 */
#include "vmx_engine.h"

struct control {
	uint32_t msr;
	uint32_t needed;   /* always 1 */
	uint32_t switched; /* now 0, now 1: it has to allow both */
	uint32_t optional; /* 1 where it can be */
	uint32_t harmless; /* may have to be 1 */
	const char *name;
};

static const struct control controls[] = {
	[VMX_CONTROL_PIN] = {.msr = VMX_MSR_TRUE_PIN,
			     .needed = (uint32_t)(VMX_PIN_EXTINT | VMX_PIN_NMI | VMX_PIN_VNMI),
			     .optional = (uint32_t)VMX_PIN_TIMER,
			     .harmless = VMX_PIN_DEFAULT,
			     .name = "pin-based controls"},
	[VMX_CONTROL_PROC] = {.msr = VMX_MSR_TRUE_PROC,
			      .needed = (uint32_t)(VMX_PROC_TSC_OFFSET | VMX_PROC_HLT |
						   VMX_PROC_MWAIT | VMX_PROC_RDPMC |
						   VMX_PROC_CR8_LOAD | VMX_PROC_CR8_STORE |
						   VMX_PROC_IO_BITMAPS | VMX_PROC_MSR_BITMAPS |
						   VMX_PROC_MONITOR | VMX_PROC_SECONDARY),
			      .switched = (uint32_t)(VMX_PROC_INT_WINDOW | VMX_PROC_NMI_WINDOW |
						     VMX_PROC_MOV_DR | VMX_PROC_PAUSE),
			      .harmless = VMX_PROC_DEFAULT,
			      .name = "processor-based controls"},
	[VMX_CONTROL_PROC2] = {.msr = VMX_MSR_PROC2,
			       .needed = (uint32_t)(VMX_PROC2_EPT | VMX_PROC2_VPID |
						    VMX_PROC2_WBINVD | VMX_PROC2_UNRESTRICTED),
			       .optional = (uint32_t)(VMX_PROC2_RDTSCP | VMX_PROC2_INVPCID),
			       .name = "secondary controls"},
	[VMX_CONTROL_EXIT] = {.msr = VMX_MSR_TRUE_EXIT,
			      .needed = (uint32_t)(VMX_EXIT_SAVE_DEBUG | VMX_EXIT_HOST_64 |
						   VMX_EXIT_SAVE_PAT | VMX_EXIT_LOAD_PAT |
						   VMX_EXIT_SAVE_EFER | VMX_EXIT_LOAD_EFER),
			      .harmless = VMX_EXIT_DEFAULT,
			      .name = "exit controls"},
	[VMX_CONTROL_ENTRY] = {.msr = VMX_MSR_TRUE_ENTRY,
			       .needed = (uint32_t)(VMX_ENTRY_LOAD_DEBUG | VMX_ENTRY_LOAD_PAT |
						    VMX_ENTRY_LOAD_EFER),
			       .switched = (uint32_t)VMX_ENTRY_IA32E,
			       .harmless = VMX_ENTRY_DEFAULT,
			       .name = "entry controls"},
};

/* What of the tables and of their invalidation is used: A.10. */
#define EPT_NEEDED                                                                \
	(VMX_EPT_WALK_4 | VMX_EPT_WB | VMX_EPT_2M | VMX_EPT_INVEPT | VMX_EPT_AD | \
	 VMX_EPT_INVEPT_ALL | VMX_EPT_INVVPID | VMX_EPT_INVVPID_ALL)

#define CPUID_7_EBX_INVPCID BIT(10)

/* PE, NE, PG */
#define CR0_FIXED (BIT(0) | BIT(5) | BIT(31))

uint32_t vmm__vmx_forced(uint32_t which)
{
	return (uint32_t)vmm__native_rdmsr(controls[which].msr);
}

uint32_t vmm__vmx_control(uint32_t which)
{
	const struct control *c = &controls[which];
	uint64_t allowed = vmm__native_rdmsr(c->msr);

	return c->needed | (c->optional & (uint32_t)(allowed >> 32)) | (uint32_t)allowed;
}

uint32_t vmm__vmx_timer_shift(void)
{
	if (!(vmm__vmx_control(VMX_CONTROL_PIN) & VMX_PIN_TIMER))
		return UINT32_MAX;
	return (uint32_t)FIELD_GET(VMX_MISC_TIMER, vmm__native_rdmsr(VMX_MSR_MISC));
}

static int check_control(const struct control *c, struct vmm_error *error)
{
	uint64_t msr = vmm__native_rdmsr(c->msr);
	uint32_t may = (uint32_t)(msr >> 32), must = (uint32_t)msr;
	uint32_t lacks = (c->needed | c->switched) & ~may;
	uint32_t forced = must & ~(c->needed | c->optional | c->harmless);

	if (lacks)
		return vmm__fail(error, -VMM_ENOTSUP, "VMX capabilities", 0,
				 "the processor's %s (MSR 0x%x) lack 0x%x", c->name, c->msr, lacks);
	if (forced)
		return vmm__fail(error, -VMM_ENOTSUP, "VMX capabilities", 0,
				 "the processor's %s (MSR 0x%x) insist on 0x%x", c->name, c->msr,
				 forced);
	return 0;
}

/* Of the secondary controls, those without which instructions are #UD that CPUID shows to guests.
 */
static uint32_t shown_controls(void)
{
	uint32_t max[4], extended[4], seven[4] = {0}, shown = 0;

	vmm__native_cpuid(0, 0, max);
	vmm__native_cpuid(0x80000001, 0, extended);
	if (max[0] >= 7)
		vmm__native_cpuid(7, 0, seven);
	if ((extended[3] & CPUID_EXT1_EDX_RDTSCP) || (seven[2] & CPUID_7_ECX_RDPID))
		shown |= (uint32_t)VMX_PROC2_RDTSCP;
	if (seven[1] & CPUID_7_EBX_INVPCID)
		shown |= (uint32_t)VMX_PROC2_INVPCID;
	return shown;
}

int vmm__vmx_check_caps(struct vmm_error *error)
{
	uint64_t basic = vmm__native_rdmsr(VMX_MSR_BASIC), ept;
	struct vmm__vmx_host host;
	uint32_t lacks;
	int r = 0;

	if (!(basic & VMX_BASIC_TRUE) || FIELD_GET(VMX_BASIC_MEMTYPE, basic) != 6)
		return vmm__fail(error, -VMM_ENOTSUP, "IA32_VMX_BASIC", 0,
				 "the processor's VMX is of the first kind: 0x%llx",
				 (unsigned long long)basic);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(controls); i++)
		r = check_control(&controls[i], error);
	if (r != 0)
		return r;
	lacks = shown_controls() & ~vmm__vmx_control(VMX_CONTROL_PROC2);
	if (lacks)
		return vmm__fail(error, -VMM_ENOTSUP, "VMX capabilities", 0,
				 "the processor's secondary controls lack 0x%x, and CPUID shows "
				 "what they are for",
				 lacks);
	/* Of what must be 1 the guest's own bits are none: A.7, A.8. */
	if ((vmm__native_rdmsr(VMX_MSR_CR0_FIXED0) & ~CR0_FIXED) ||
	    (vmm__native_rdmsr(VMX_MSR_CR4_FIXED0) & ~VMX_CR4_VMXE))
		return vmm__fail(error, -VMM_ENOTSUP, "IA32_VMX_CR0_FIXED0", 0,
				 "the processor fixes bits of CR0 or CR4 that are a guest's");
	/* VMXON faults without them (A.7): firmware may have left numeric errors to the PIC. */
	vmm__vmx_host(&host);
	if (vmm__native_rdmsr(VMX_MSR_CR0_FIXED0) & ~host.cr0)
		return vmm__fail(error, -VMM_ENOTSUP, "CR0", 0, "the host has CR0.NE clear");
	/* There is no IA32_VMX_EPT_VPID_CAP without the controls: A.10. */
	ept = vmm__native_rdmsr(VMX_MSR_EPT_VPID);
	if (EPT_NEEDED & ~ept)
		return vmm__fail(error, -VMM_ENOTSUP, "IA32_VMX_EPT_VPID_CAP", 0,
				 "the processor's extended page tables lack 0x%llx",
				 (unsigned long long)(EPT_NEEDED & ~ept));
	return 0;
}
